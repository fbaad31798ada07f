"""When and how a tree is ended: asked for, out of time, or over its memory; first a word, then, after the grace, the end of all."""

import signal
import subprocess
import time
from pathlib import Path

from fabriek.node.inside import First
from fabriek.node.limits.limiter import Limiter
from fabriek.node.room import DOOR_FOLDER
from fabriek.schemas.node import (
    AGAIN_FILE,
    CANCEL_FILE,
    END_FILE,
    EXTEND,
    PREEMPT,
    RUN_AGAIN,
    SIGNAL_FILE,
    STEPS,
    JobSpec,
)

LOOK_SECONDS = 0.05
"""Between looks for a request to stop."""

CANCELLED = "cancelled"
AGAIN = "it asked to run again"
ENDED_BY_ANOTHER = "another member ended it"
OTHERS_GRACE_SECONDS = 5.0
"""What a member has between being asked to stop, because another failed, and its end."""


class Stopping:
    """Looked at again and again while the job runs. `reason` is empty as long as nothing stopped it."""

    def __init__(self, job: JobSpec, bounds: Limiter) -> None:
        self._job, self._bounds = job, bounds
        self._file = Path(job.folder) / CANCEL_FILE
        self._others = Path(job.folder) / END_FILE if job.spread else None
        self._began = time.monotonic()
        self._lasts = job.wall_seconds_max
        self._ends = self._began + self._lasts
        self._kill_at: float | None = None
        self._look_at = 0.0
        self._told = False
        self._again = Path(job.scratch) / DOOR_FOLDER / AGAIN_FILE
        self._warn_at = self._warning()
        self._signals = Path(job.folder) / SIGNAL_FILE
        self._heard = 0
        self._leaves_at: float | None = None
        self.reason = ""
        self.again = False

    def look(self, process: "subprocess.Popen[bytes]", inside: First) -> None:
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        if self._warn_at is not None and now >= self._warn_at and inside.tell(_number(self._job.signal)):
            self._warn_at = None
        self._pass_on(inside)
        if self._kill_at is None:
            self._decide(now, process.pid)
        if self._kill_at is not None:
            # Asked again until it is heard: a job that is stopped in its first moments has nobody inside yet to hear it.
            self._told = self._told or inside.tell(signal.SIGTERM)
            if now >= self._kill_at:
                inside.end()
                process.kill()

    def _pass_on(self, inside: First) -> None:
        """What was asked for since, one word at a time, in order."""
        if not self._signals.exists():
            return
        words = self._signals.read_text("ascii").splitlines()
        while self._heard < len(words):
            word = words[self._heard]
            if word == RUN_AGAIN:
                self.again = True
            elif word == PREEMPT:
                if self._job.signal and not inside.tell(_number(self._job.signal)):
                    return
                self._leaves_at, self._warn_at = time.monotonic() + self._job.signal_seconds, None
            elif word.startswith(EXTEND):
                self._extend(int(word.removeprefix(EXTEND)))
            elif not inside.tell(_number(word)):
                return
            self._heard += 1

    def _extend(self, lasts: int) -> None:
        """Another end has a signal of its own before it, whether or not the job heard the one before the old end; the same end said again has not."""
        if lasts == self._lasts:
            return
        self._lasts, self._ends = lasts, self._began + lasts
        if self._leaves_at is None:
            self._warn_at = self._warning()

    def _warning(self) -> float | None:
        """When its signal is due."""
        return self._ends - self._job.signal_seconds if self._job.signal else None

    def over_memory(self) -> str:
        return f"the memory limit of {self._job.memory_bytes // 2**20} MiB was exceeded"

    def _decide(self, now: float, pid: int) -> None:
        if self._bounds.exceeded(pid):
            # No grace: what is left of a tree that lost a process to the kernel can hang, and it holds the memory still.
            self.reason, self._kill_at = self.over_memory(), now
        elif self._file.exists():
            self.reason, self._kill_at = CANCELLED, now + self._job.grace_seconds
        elif self.again or self._again.exists() or (self._leaves_at is not None and now >= self._leaves_at):
            # Asked for from inside, once its state is safe: what is left of it is stopped, and it is put back into the queue.
            self.again, self.reason, self._kill_at = True, AGAIN, now + self._job.grace_seconds
        elif self._others is not None and self._others.exists():
            self.reason, self._kill_at = ENDED_BY_ANOTHER, now + OTHERS_GRACE_SECONDS
        elif now >= self._ends:
            self.reason = f"the time limit of {self._lasts} s was reached"
            self._kill_at = now + self._job.grace_seconds


def _number(word: str) -> int:
    """`USR1`, or `steps:USR1` for all but the command itself, in the number by which the forwarder knows it."""
    number = int(getattr(signal, f"SIG{word.removeprefix(STEPS)}"))
    return signal.SIGRTMIN + number if word.startswith(STEPS) else number
