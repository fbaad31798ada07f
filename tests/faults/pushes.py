"""Pushes that are killed at any moment and given again, by the command, with their memory watched."""

import os
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fabriek.kernel.errors import NotFound
from fabriek.sdk import Fabriek
from tests.factories.waiting import until
from tests.servers.factory import COMMAND, Running

KILLS = 10
MEMORY_MIB_MAX = 300
LOOKS_SECONDS = 0.02
PEAK = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


@dataclass
class Pushes:
    """Of one folder to one dataset of a factory that runs; `verb`: another command of `data` in its place.

    `kills`: those that left something undone. `halfway`: of these, those before which some of the folder had arrived.
    """

    running: Running
    folder: Path
    name: str
    dice: random.Random
    verb: tuple[str, ...] = ()
    memory_mib: float = 0.0
    kills: int = 0
    halfway: int = 0
    seconds: list[float] = field(default_factory=list)

    def killed_after(self, wait: Callable[["subprocess.Popen[bytes]"], None]) -> bool:
        """Begins, waits, kills; whether there was something left to kill."""
        before = len(objects_of(self.running))
        with self._begun() as pushing:
            wait(pushing)
            self._look(pushing.pid)
            pushing.send_signal(signal.SIGKILL)
            died = self._ended(pushing) == -signal.SIGKILL
        # One that is killed between its commit and its last word has left nothing undone.
        undone = died and self.versions() == 0
        self.kills += undone
        self.halfway += undone and len(objects_of(self.running)) > before
        return undone

    def whole(self, *more: str) -> None:
        """Given once more, to its end."""
        with self._begun(*more) as pushing:
            assert self._ended(pushing) == 0, (self.running.home / "push.log").read_text()[-2_000:]

    def _begun(self, *more: str) -> "subprocess.Popen[bytes]":
        self.seconds.append(time.monotonic())
        argv = [*COMMAND, "data", *(self.verb or ("push", str(self.folder), self.name)), *more]
        with (self.running.home / "push.log").open("wb") as out:
            return subprocess.Popen(argv, env=self.running.environment(), stdout=out, stderr=out)

    def _ended(self, pushing: "subprocess.Popen[bytes]") -> int:
        pause = threading.Event()
        while pushing.poll() is None:
            self._look(pushing.pid)
            pause.wait(LOOKS_SECONDS)
        self.seconds[-1] = time.monotonic() - self.seconds[-1]
        return int(pushing.returncode)

    def _look(self, pid: int) -> None:
        """What it held at most so far. What `wait4` says of that counts the tests' own process too, of which it is a fork."""
        with suppress(OSError):
            found = PEAK.search(Path(f"/proc/{pid}/status").read_text("ascii"))
            self.memory_mib = max(self.memory_mib, int(found[1]) / 1024 if found else 0.0)

    def versions(self) -> int:
        """How many there are to be seen."""
        with Fabriek(self.running.url, self.running.variables["FABRIEK_TOKEN"], "playground") as factory:
            try:
                return len(factory.vault.versions(self.name))
            except NotFound:
                return 0


def objects_of(running: Running) -> dict[str, int]:
    """Objects in the store's folder → bytes."""
    found = {}
    for file in (running.home / "objects").rglob("obj_*"):
        if file.parent.name != "drafts":
            found[file.name] = file.stat().st_size
    return found


def kill_by_progress(pushes: Pushes, *, most: int, kills: int = KILLS) -> None:
    """So many times, each once some objects more have arrived; a little later or earlier by chance."""
    for _ in range(kills):
        wanted = len(objects_of(pushes.running)) + pushes.dice.randrange(1, most + 1)

        def wait(pushing: "subprocess.Popen[bytes]", wanted: int = wanted) -> None:
            until(lambda: is_over(pushing) or len(objects_of(pushes.running)) >= wanted)
            a_moment(pushes.dice.random() / 20)

        pushes.killed_after(wait)


def kill_by_time(pushes: Pushes, seconds: float) -> None:
    """Ten times, each after a random stretch of at most so many seconds."""
    for _ in range(KILLS):
        pushes.killed_after(lambda _: a_moment(pushes.dice.uniform(0.3, seconds)))


def is_over(pushing: "subprocess.Popen[bytes]") -> bool:
    """Looked at, not reaped: what it used is still to be read."""
    return os.waitid(os.P_PID, pushing.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def a_moment(seconds: float) -> None:
    threading.Event().wait(seconds)


def sparse_file(place: Path, size: int, runs: int, run_bytes: int, dice: random.Random) -> list[tuple[int, bytes]]:
    """A file of holes with runs of random bytes somewhere in it; (offset, bytes) of some of them."""
    told = []
    with place.open("wb") as out:
        out.truncate(size)
        for number in range(runs):
            offset = size // runs * number + dice.randrange(size // runs - run_bytes)
            body = os.urandom(run_bytes)
            out.seek(offset)
            out.write(body)
            if number % max(1, runs // 20) == 0:
                told.append((offset, body))
    return told


def many_files(folder: Path, count: int, size: Callable[[int], int]) -> None:
    for number in range(count):
        if number % 1_000 == 0:
            inside = folder / f"{number // 100_000:03d}" / f"{number // 1_000 % 100:02d}"
            inside.mkdir(parents=True)
        with open(f"{inside}/{number:08d}", "wb") as out:  # noqa: PTH123  # a million of them
            out.write(f"{number} ".encode() * (1 + size(number) // (len(str(number)) + 1)))
