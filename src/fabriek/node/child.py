"""The job's process tree: started inside walls and bounds, drained, timed, and ended to the last process."""

import os
import resource
import select
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from fabriek.kernel.errors import Unavailable
from fabriek.node.limits.limiter import Limiter
from fabriek.node.logs import PIECE_BYTES, Log
from fabriek.node.sandbox import Walls, command, staged_for
from fabriek.node.staging import become, stage
from fabriek.node.stopping import LOOK_SECONDS, Stopping
from fabriek.schemas.node import JobSpec

AFTER_END_SECONDS = 1.0
"""How long output is still read after the last process: what is in the pipe by then is all there is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. `reason` is empty when it ended by itself."""

    exit_code: int
    reason: str
    cpu_seconds: float
    memory_bytes_peak: int


class Child:
    """One tree. `run` returns when nothing of it lives any more; `started` is called once its processes stand."""

    def __init__(self, job: JobSpec, walls: Walls, bounds: Limiter) -> None:
        self._job, self._walls, self._bounds = job, walls, bounds
        self._staged = staged_for(walls)

    def run(self, log: Log, started: Callable[[], None]) -> Ended:
        """Raises Unavailable with bubblewrap's word when the walls could not be built."""
        try:
            process, output, status = self._start()
            try:
                started()
                stopping = Stopping(self._job, self._bounds)
                exit_code = _drain(process, output, log, stopping)
                if not _stood(status) and not stopping.reason:
                    said = log.last_line() or str(exit_code)
                    raise Unavailable(f"the sandbox could not be built: {said}", fix="fabriek doctor")
                return self._ended(exit_code, stopping, process.pid)
            finally:
                os.close(output)
                os.close(status)
                if process.poll() is None:
                    process.kill()
                    process.wait()
        finally:
            self._bounds.close()

    def _start(self) -> "tuple[subprocess.Popen[bytes], int, int]":
        pipes = [os.pipe() for _ in range(3)]
        (arguments_read, arguments_write), (output_read, output_write), (status_read, status_write) = pipes
        theirs = (arguments_read, output_write, status_write)
        try:
            argv, arguments = command(self._walls, arguments_read, status_write)
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output_write, stderr=output_write,
                pass_fds=[arguments_read, status_write], start_new_session=True, cwd="/", env={"PATH": os.defpath},
                preexec_fn=self._enter,  # noqa: PLW1509  # one thread here
            )  # fmt: skip
        except BaseException as error:
            os.set_blocking(output_read, False)
            said = _what_was_said(output_read)
            for descriptor in (arguments_write, output_read, status_read):
                os.close(descriptor)
            if isinstance(error, subprocess.SubprocessError):
                raise Unavailable(f"the sandbox could not be built: {said or error}", fix="fabriek doctor") from None
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        os.set_blocking(status_read, False)
        _tell(arguments_write, arguments)
        return process, output_read, status_read

    def _enter(self) -> None:
        """Between fork and exec. What goes wrong is told through the job's output, since nothing else leads out of here."""
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core is the job's memory on somebody's disk
            self._bounds.enter()
            if self._walls.uid is not None:
                stage(self._staged)
                become(self._walls.uid)
        except OSError as error:
            os.write(2, (error.strerror or str(error)).encode())
            raise

    def _ended(self, exit_code: int, stopping: Stopping, pid: int) -> Ended:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = exit_code if exit_code >= 0 else 128 - exit_code
        reason = stopping.reason
        if not reason and self._bounds.exceeded(pid):
            reason = stopping.over_memory()
        return Ended(code, reason, usage.ru_utime + usage.ru_stime, self._bounds.memory_bytes_peak())


def _what_was_said(output: int) -> str:
    try:
        return os.read(output, PIECE_BYTES).decode("utf-8", "replace")
    except BlockingIOError:
        return ""


def _tell(descriptor: int, arguments: bytes) -> None:
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(arguments)
    except BrokenPipeError:  # bubblewrap has died: its status says so, and its last words are in the log
        return


def _stood(status: int) -> bool:
    """Whether the forwarder said that it runs within the walls."""
    try:
        return bool(os.read(status, 1))
    except BlockingIOError:
        return False


def _drain(process: "subprocess.Popen[bytes]", output: int, log: Log, stopping: Stopping) -> int:
    """Reads until nobody can write any more. The exit code, negative for a signal."""
    poller = select.poll()
    poller.register(output, select.POLLIN | select.POLLHUP)
    give_up = float("inf")
    while True:
        if poller.poll(LOOK_SECONDS * 1000):
            piece = os.read(output, PIECE_BYTES)
            if not piece:
                break
            log.add(piece)
        if time.monotonic() > give_up:
            break
        if process.poll() is not None and give_up == float("inf"):
            give_up = time.monotonic() + AFTER_END_SECONDS
        stopping.look(process)
    while process.poll() is None:  # it closed its output and goes on
        stopping.look(process)
        _wait(process)
    return process.returncode


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return
