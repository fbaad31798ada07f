"""The job's process tree: started inside walls and bounds, drained, timed, and ended to the last process."""

import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fabriek.node.limits import Limiter
from fabriek.node.logs import PIECE_BYTES, Log
from fabriek.node.sandbox import WORK_DIR, Room, command
from fabriek.schemas.node import JobSpec

LOOK_SECONDS = 0.05
"""How often a request to stop is looked for."""

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
    """One tree. `run` returns when nothing of it lives any more."""

    def __init__(
        self, job: JobSpec, room: Room, mounts: Sequence[tuple[Path, str]], bounds: Limiter, uid: int | None
    ) -> None:
        self._job, self._room, self._mounts, self._bounds, self._uid = job, room, mounts, bounds, uid

    def run(self, log: Log, stop_file: Path) -> Ended:
        process, output = self._start()
        stopping = _Stopping(self._job, stop_file)
        poller = select.poll()
        poller.register(output, select.POLLIN | select.POLLHUP)
        exit_code: int | None = None
        drained_by = 0.0
        try:
            while True:
                if poller.poll(LOOK_SECONDS * 1000):
                    piece = os.read(output, PIECE_BYTES)
                    if not piece:
                        exit_code = process.wait() if exit_code is None else exit_code
                        break
                    log.add(piece)
                elif exit_code is not None and time.monotonic() > drained_by:
                    break
                if exit_code is None and (exit_code := process.poll()) is not None:
                    drained_by = time.monotonic() + AFTER_END_SECONDS
                stopping.look(process)
        finally:
            os.close(output)
            if process.poll() is None:
                process.kill()
                process.wait()
        return self._ended(exit_code, stopping.reason)

    def _start(self) -> "tuple[subprocess.Popen[bytes], int]":
        job, room = self._job, self._room
        arguments_read, arguments_write = os.pipe()
        output_read, output_write = os.pipe()
        argv, arguments = command(
            job.argv, self._variables(), room=room, mounts=self._mounts, python=job.python,
            lab_dir=job.lab_socket_dir, arguments_fd=arguments_read, uid=self._uid,
        )  # fmt: skip
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output_write, stderr=output_write, pass_fds=[arguments_read],
            start_new_session=True, cwd="/", env={"PATH": os.defpath}, preexec_fn=self._bounds.enter,  # noqa: PLW1509  # one thread here
        )  # fmt: skip
        os.close(arguments_read)
        os.close(output_write)
        with os.fdopen(arguments_write, "wb") as out:
            out.write(arguments)
        return process, output_read

    def _variables(self) -> dict[str, str]:
        """What the command finds in its environment: ours last, so that nothing of the asker's stands in its place."""
        job = self._job
        bin_folder = str(Path(job.python).parent)
        ours = {
            "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin",
            "HOME": WORK_DIR,
            "LANG": "C.UTF-8",
            "TMPDIR": "/tmp",  # noqa: S108  # inside the walls
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": str(job.cpus),
            "FABRIEK_JOB_ID": job.job,
            "FABRIEK_OUTPUT": "/output",
        }
        for one in job.inputs:
            name = "".join(char if char.isalnum() else "_" for char in one.dataset.rpartition("/")[2]).upper()
            ours[f"FABRIEK_DATA_{name}"] = one.mount
        return {"OPENBLAS_NUM_THREADS": str(job.cpus)} | job.environment | ours

    def _ended(self, exit_code: int | None, reason: str) -> Ended:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = -signal.SIGKILL if exit_code is None else exit_code
        code = code if code >= 0 else 128 - code
        if self._bounds.memory_was_exceeded() and not reason:
            reason = f"the memory limit of {self._job.memory_bytes // 2**20} MiB was exceeded"
        peak = self._bounds.memory_bytes_peak()
        self._bounds.close()
        return Ended(code, reason, usage.ru_utime + usage.ru_stime, peak)


class _Stopping:
    """When and how to end a tree: asked for, or out of time; first a word, then, after the grace, the end of its whole namespace."""

    def __init__(self, job: JobSpec, stop_file: Path) -> None:
        self._job, self._stop_file = job, stop_file
        self._ends = time.monotonic() + job.wall_seconds_max
        self._kill_at: float | None = None
        self._look_at = 0.0
        self.reason = ""

    def look(self, process: "subprocess.Popen[bytes]") -> None:
        now = time.monotonic()
        if now < self._look_at or process.returncode is not None:
            return
        self._look_at = now + LOOK_SECONDS
        if self._kill_at is None:
            if self._stop_file.exists():
                self.reason = "cancelled"
            elif now > self._ends:
                self.reason = f"the time limit of {self._job.wall_seconds_max} s was reached"
            if self.reason:
                _signal_inside(process.pid, signal.SIGTERM)
                self._kill_at = now + self._job.grace_seconds
        elif now > self._kill_at:
            process.kill()


def _signal_inside(outer: int, number: int) -> None:
    """Signals the first process within the walls that is the job's own; bubblewrap itself would die and take the tree with it."""
    inner = outer
    for _ in range(6):
        children = _children(inner)
        if not children:
            break
        inner = children[0]
        # bubblewrap's own argv names the forwarder too, but never as the script that a Python runs.
        if b"/run/forward.py" in _argv(inner).split(b"\0")[1:4]:
            break
    try:
        os.kill(inner, number)
    except ProcessLookupError:
        return


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _argv(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
