"""The job's process tree: started inside walls and bounds, drained, timed, and ended to the last process."""

import os
import resource
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fabriek.kernel.errors import Unavailable
from fabriek.node.inside import First
from fabriek.node.limits.limiter import Limiter
from fabriek.node.logs import PIECE_BYTES, Log
from fabriek.node.pipes import Pipes
from fabriek.node.sampling import Sampling
from fabriek.node.sandbox import Command
from fabriek.node.stopping import LOOK_SECONDS, Stopping
from fabriek.schemas.node import JobSpec

PASSED = ("arguments", "filter", "status", "info")
AFTER_END_SECONDS = 1.0
"""How long output is still read after the last process: what is in the pipe by then is all there is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. `reason` is empty when it ended by itself; `again`: it asked to run once more."""

    exit_code: int
    reason: str
    cpu_seconds: float
    memory_bytes_peak: int
    again: bool = False


class Place(Protocol):
    """Where a job's command runs."""

    def command(self, ends: Mapping[str, int]) -> Command:
        """What to start. ends: the descriptors of `arguments`, `filter`, `status` and `info`. Raises InvalidInput."""

    def filter(self) -> bytes:
        """What the kernel runs on its system calls; empty for none. Raises Unavailable."""

    def enter(self) -> None:
        """Runs in the child between fork and exec. Raises OSError."""


class Child:
    """One tree. `run` returns when nothing of it lives any more; `started` is called once its processes stand."""

    def __init__(
        self, job: JobSpec, place: Place, bounds: Limiter, first: Callable[["subprocess.Popen[bytes]", int], First],
        sampling: Sampling | None = None,
    ) -> None:  # fmt: skip
        self._job, self._place, self._bounds, self._first, self._sampling = job, place, bounds, first, sampling

    def run(self, log: Log, started: Callable[[], None]) -> Ended:
        """Raises Unavailable with bubblewrap's word when the walls could not be built."""
        pipes = Pipes(self._place.filter())
        try:
            process = self._start(pipes)
            inside = self._first(process, pipes.info)
            try:
                started()
                stopping = Stopping(self._job, self._bounds)
                exit_code = _drain(process, pipes.output, inside, log, stopping, self._sampling)
                if not pipes.stood() and not stopping.reason:
                    said = log.last_line() or str(exit_code)
                    raise Unavailable(f"the sandbox could not be built: {said}", fix="fabriek doctor")
                return self._ended(exit_code, stopping, process.pid)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                inside.end()
                inside.close()
        finally:
            pipes.close()
            self._bounds.close()

    def _start(self, pipes: Pipes) -> "subprocess.Popen[bytes]":
        try:
            start = self._place.command(pipes.theirs)
            process = subprocess.Popen(
                start.argv, stdin=subprocess.DEVNULL, stdout=pipes.theirs["output"], stderr=pipes.theirs["output"],
                pass_fds=[pipes.theirs[name] for name in PASSED], start_new_session=True, cwd=start.folder,
                env=start.variables, preexec_fn=self._enter,  # noqa: PLW1509  # one thread here
            )  # fmt: skip
        except subprocess.SubprocessError as error:
            said = pipes.said() or str(error)
            raise Unavailable(f"the sandbox could not be built: {said}", fix="fabriek doctor") from None
        pipes.let_go()
        pipes.tell(start.arguments)
        return process

    def _enter(self) -> None:
        """Between fork and exec. What goes wrong is told through the job's output, since nothing else leads out of here."""
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core is the job's memory on somebody's disk
            self._bounds.enter()
            self._place.enter()
        except OSError as error:
            os.write(2, (error.strerror or str(error)).encode())
            raise

    def _ended(self, exit_code: int, stopping: Stopping, pid: int) -> Ended:
        code = exit_code if exit_code >= 0 else 128 - exit_code
        reason = stopping.reason
        if not reason and self._bounds.exceeded(pid):
            reason = stopping.over_memory()
        return Ended(code, reason, self._bounds.cpu_seconds(), self._bounds.memory_bytes_peak(), stopping.again)


def _drain(
    process: "subprocess.Popen[bytes]", output: int, inside: First, log: Log, stopping: Stopping, sampling: Sampling | None
) -> int:  # fmt: skip
    """Reads until nobody can write any more and nothing lives within. The exit code, negative for a signal."""
    poller, reading, give_up = select.poll(), True, float("inf")
    ended = os.pidfd_open(process.pid)
    for descriptor in (output, inside.info, ended):
        poller.register(descriptor, select.POLLIN)
    try:
        while process.poll() is None or (reading and time.monotonic() < give_up):
            for descriptor, _ in poller.poll(LOOK_SECONDS * 1000):
                if descriptor == output:
                    piece = os.read(output, PIECE_BYTES)
                    log.add(piece)
                    reading = bool(piece)
                gone = descriptor == ended or (descriptor == output and not reading)
                if gone or (descriptor == inside.info and not inside.hear()):
                    poller.unregister(descriptor)
            if process.poll() is None:
                stopping.look(process, inside)
                if sampling is not None:
                    sampling.look()
            elif give_up == float("inf"):
                if sampling is not None:
                    sampling.end()
                inside.end()
                give_up = time.monotonic() + AFTER_END_SECONDS
    finally:
        os.close(ended)
    inside.end()
    return process.returncode
