"""Jobs on this machine: each a supervised process tree of its own that outlives the control plane.

A supervisor per attempt holds a lock on the attempt's folder as long as it lives and writes `state.json` there, so that a server that
was restarted finds every attempt again by looking at the folders.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from fabriek.compute.executors import attempts
from fabriek.compute.executors.contract import Handle, JobSpec, ObservedState, Phase
from fabriek.compute.executors.news import News
from fabriek.compute.executors.warm import WarmProcess
from fabriek.kernel.wiping import wipe
from fabriek.schemas.node import CANCEL_FILE, GROUPS_FILE, JOB_FILE, LOCK_FILE, LOG_FILE, STATE_FILE, write_whole

NODE = (sys.executable, "-m", "fabriek.node")
GONE = "its supervisor is gone"


class LocalExecutor:
    """`jobs_dir`: on disk, for states; a small file of each attempt stays there for good, so that none runs twice. `scratch_dir`:
    memory-backed, for specs, data in plain and logs.
    """

    def __init__(self, jobs_dir: Path, scratch_dir: Path, *, node: Sequence[str] = NODE) -> None:
        self._folders, self._scratch_dir = attempts.Folders(jobs_dir), scratch_dir
        self._jobs_dir, self._warm = jobs_dir, WarmProcess(node)
        self._news: News | None = None
        scratch_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    def submit(self, spec: JobSpec) -> Handle:
        handle = Handle(spec.job, spec.attempt)
        folder, scratch = self._folders.of(handle), self._scratch(handle)
        if not self._folders.tombstone(handle).exists() and not (folder / STATE_FILE).exists():
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
        folder = self._folders.of(handle)
        if folder.is_dir():
            (folder / CANCEL_FILE).touch(mode=0o600)

    def door(self, handle: Handle) -> Path:
        return self._scratch(handle) / attempts.DOOR_FOLDER

    def tell(self, handle: Handle, word: str) -> None:
        attempts.tell(self._folders.of(handle), word)

    def logs(self, handle: Handle, offset: int, count: int) -> bytes:
        return attempts.read_part(self._scratch(handle) / LOG_FILE, offset, count)

    def release(self, handle: Handle) -> None:
        folder = self._folders.of(handle)
        if not folder.is_dir():
            return
        # What is known of it stays: first the tombstone, then the rest, so that it can be told at every moment how it ended.
        self._folders.bury(handle, self._observe(handle))
        wipe(self._scratch(handle))
        _remove_groups(folder / GROUPS_FILE)
        wipe(folder)

    def when_changed(self, heard: Callable[[], None]) -> None:
        self._news = News(self._jobs_dir, heard)

    def close(self) -> None:
        news, self._news = self._news, None
        if news is not None:
            news.close()
        self._warm.stop()

    def _observe(self, handle: Handle) -> ObservedState:
        folder = self._folders.of(handle)
        # The lock is looked at first: a supervisor that writes DONE and leaves in between must not be taken for one that vanished.
        alive = attempts.is_held(folder / LOCK_FILE)
        state = self._folders.final(handle) or attempts.read_state(folder / STATE_FILE)
        if state is not None:
            over = attempts.is_over(state) or alive
            return state if over else replace(state, phase=Phase.LOST, exit_code=None, reason=GONE)
        return ObservedState(Phase.STARTING if alive else Phase.ABSENT)

    def _scratch(self, handle: Handle) -> Path:
        return self._scratch_dir / attempts.name_of(handle)


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
