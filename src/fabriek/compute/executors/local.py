"""Jobs on this machine: each a supervised process tree of its own that outlives the control plane.

A supervisor per attempt holds a lock on the attempt's folder as long as it lives and writes `state.json` there, so that a server that
was restarted finds every attempt again by looking at the folders.
"""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.warm import WarmProcess
from fabriek.schemas.node import CANCEL_FILE, GROUPS_FILE, JOB_FILE, LOCK_FILE, LOG_FILE, STATE_FILE, write_whole

NODE = (sys.executable, "-m", "fabriek.node")
ENDED = "ended"
GONE = "its supervisor is gone"


class LocalExecutor:
    """`jobs_dir`: on disk, for states; a small file of each attempt stays there for good, so that none runs twice. `scratch_dir`:
    memory-backed, for specs, data in plain and logs.
    """

    def __init__(self, jobs_dir: Path, scratch_dir: Path, *, node: Sequence[str] = NODE) -> None:
        self._jobs_dir, self._scratch_dir = jobs_dir, scratch_dir
        self._warm = WarmProcess(node)
        (jobs_dir / ENDED).mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    def submit(self, spec: JobSpec) -> Handle:
        handle = Handle(spec.job, spec.attempt)
        folder, scratch = self._folder(handle), self._scratch(handle)
        if not self._tombstone(handle).exists() and not (folder / STATE_FILE).exists():
            folder.mkdir(exist_ok=True, mode=0o700)
            scratch.mkdir(exist_ok=True, mode=0o700)
            write_whole(scratch / JOB_FILE, replace(spec, scratch=str(scratch), folder=str(folder)).to_json())
            self._warm.fork(scratch / JOB_FILE)
        return handle

    def warm_up(self) -> None:
        """Starts the warm process ahead of the first job."""
        self._warm.start()

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
        folder = self._folder(handle)
        if not folder.is_dir():
            return
        # What is known of it stays: first the tombstone, then the rest, so that it can be told at every moment how it ended.
        write_whole(self._tombstone(handle), self._observe(handle).to_json())
        _wipe(self._scratch(handle))
        _remove_groups(folder / GROUPS_FILE)
        _wipe(folder)

    def close(self) -> None:
        self._warm.stop()

    def _observe(self, handle: Handle) -> ObservedState:
        folder = self._folder(handle)
        # The lock is looked at first: a supervisor that writes DONE and leaves in between must not be taken for one that vanished.
        alive = _is_held(folder / LOCK_FILE)
        for file in (self._tombstone(handle), folder / STATE_FILE):
            try:
                state = ObservedState.from_json(file.read_text("utf-8"))
            except FileNotFoundError:
                continue
            if state.phase in {Phase.DONE, Phase.LOST} or alive:
                return state
            return replace(state, phase=Phase.LOST, exit_code=None, reason=GONE)
        return ObservedState(Phase.STARTING if alive else Phase.ABSENT)

    def _folder(self, handle: Handle) -> Path:
        return self._jobs_dir / _name(handle)

    def _scratch(self, handle: Handle) -> Path:
        return self._scratch_dir / _name(handle)

    def _tombstone(self, handle: Handle) -> Path:
        return self._jobs_dir / ENDED / f"{_name(handle)}.json"


def _name(handle: Handle) -> str:
    name = f"{handle.job}-{handle.attempt}"
    assert re.fullmatch(r"\w[\w.-]*", name), f"{name!r} names no folder"
    return name


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _remove_groups(file: Path) -> None:
    """Control groups that a supervisor could not remove, since it was killed. One in which something still dies is left."""
    try:
        folders = [Path(line) for line in file.read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            continue


def _wipe(*folders: Path) -> None:
    """Removes the folders. By the system's tools, since a job can nest folders deeper than a Python walk goes, and close them."""
    there = [str(folder) for folder in folders if folder.is_dir()]
    if there:
        for argv in (["chmod", "-R", "u+rwX", "--", *there], ["rm", "-rf", "--one-file-system", "--", *there]):
            subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
