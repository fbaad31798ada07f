"""Jobs on this machine: each a supervised process tree of its own that outlives the control plane.

One warm process, with everything imported, forks a supervisor per attempt. The supervisor holds a lock on the job's folder as long as
it lives and writes `state.json` there, so that a server that was restarted finds every attempt again by looking at the folders.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.kernel.errors import Unavailable
from fabriek.schemas.node import CANCEL_FILE, JOB_FILE, LOCK_FILE, LOG_FILE, STATE_FILE, write_whole


class LocalExecutor:
    """`jobs_dir`: on disk, for specs and states. `scratch_dir`: memory-backed, for data in plain; both are made with mode 0711,
    so that a job's own uid may pass to its own room and read nothing else.
    """

    def __init__(
        self, jobs_dir: Path, scratch_dir: Path, *, node: Sequence[str] = (sys.executable, "-m", "fabriek.node")
    ) -> None:
        self._jobs_dir, self._scratch_dir, self._node = jobs_dir, scratch_dir, tuple(node)
        self._warm: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        jobs_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch_dir.mkdir(parents=True, exist_ok=True, mode=0o711)

    def submit(self, spec: JobSpec) -> Handle:
        handle = Handle(spec.job, spec.attempt)
        folder = self._folder(handle)
        if not (folder / STATE_FILE).exists():
            folder.mkdir(exist_ok=True, mode=0o700)
            scratch = self._scratch(handle)
            scratch.mkdir(exist_ok=True, mode=0o711)
            write_whole(folder / JOB_FILE, replace(spec, scratch=str(scratch)).to_json())
            self._fork(folder)
        return handle

    def warm_up(self) -> None:
        """Starts the warm process ahead of the first job."""
        with self._lock:
            self._warm_process()

    def poll(self, handles: Sequence[Handle]) -> list[ObservedState]:
        return [self._observe(handle) for handle in handles]

    def cancel(self, handle: Handle) -> None:
        folder = self._folder(handle)
        if folder.is_dir():
            (folder / CANCEL_FILE).touch(mode=0o600)

    def logs(self, handle: Handle, offset: int, count: int) -> bytes:
        try:
            with (self._scratch(handle) / LOG_FILE).open("rb") as log:
                log.seek(offset)
                return log.read(count)
        except FileNotFoundError:
            return b""

    def release(self, handle: Handle) -> None:
        for folder in (self._scratch(handle), self._folder(handle)):
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        with self._lock:
            if self._warm is not None:
                _stop(self._warm)
                self._warm = None

    def _observe(self, handle: Handle) -> ObservedState:
        folder = self._folder(handle)
        # The lock is looked at first: a supervisor that writes DONE and leaves in between must not be taken for one that vanished.
        alive = _is_held(folder / LOCK_FILE)
        try:
            state = ObservedState.from_json((folder / STATE_FILE).read_text("utf-8"))
        except FileNotFoundError:
            if alive or (folder / JOB_FILE).exists():
                return ObservedState(Phase.STARTING)
            return ObservedState(Phase.LOST, reason="nothing of it is left on the machine")
        if state.phase is not Phase.DONE and not alive:
            return replace(state, phase=Phase.LOST, exit_code=None, reason="its supervisor is gone")
        return state

    def _fork(self, folder: Path) -> None:
        """Has the warm process fork a supervisor; one try more if it turns out to be dead."""
        with self._lock:
            for _ in range(2):
                warm = self._warm_process()
                assert warm.stdin is not None
                assert warm.stdout is not None
                try:
                    warm.stdin.write(f"{folder}\n")
                    warm.stdin.flush()
                    if warm.stdout.readline().strip() == "forked":
                        return
                except (BrokenPipeError, ValueError):
                    pass
                _stop(warm)
                self._warm = None
        raise Unavailable("the program beside the jobs does not start", fix="fabriek doctor", retry_after_seconds=10)

    def _warm_process(self) -> "subprocess.Popen[str]":
        if self._warm is None or self._warm.poll() is not None:
            self._warm = subprocess.Popen(
                [*self._node, "warm"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, close_fds=True, cwd="/",
                env=_environment(),
            )  # fmt: skip
        return self._warm

    def _folder(self, handle: Handle) -> Path:
        return self._jobs_dir / f"{handle.job}-{handle.attempt}"

    def _scratch(self, handle: Handle) -> Path:
        return self._scratch_dir / f"{handle.job}-{handle.attempt}"


def _environment() -> dict[str, str]:
    """Hardly anything: what a node passes on by mistake must not be the operator's."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _stop(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue
