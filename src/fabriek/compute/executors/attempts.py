"""The folder of each attempt: where it is, what its supervisor wrote there, and the small file that stays of it for good."""

import fcntl
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fabriek.compute.executors.contract import Handle, ObservedState, Phase
from fabriek.schemas.node import PREEMPT, SIGNAL_FILE, STATE_FILE, write_whole

ENDED = "ended"
DOOR_FOLDER = "door"


@dataclass(frozen=True, slots=True)
class Folders:
    """Below one folder, which is made with mode 0700."""

    root: Path

    def __post_init__(self) -> None:
        (self.root / ENDED).mkdir(parents=True, exist_ok=True, mode=0o700)

    def of(self, handle: Handle) -> Path:
        return self.root / name_of(handle)

    def tombstone(self, handle: Handle) -> Path:
        return self.root / ENDED / f"{name_of(handle)}.json"

    def bury(self, handle: Handle, state: ObservedState) -> None:
        """Keeps how it ended for good. What its supervisor said last gets a second name, and need not be written again."""
        if state.phase is Phase.DONE:
            with suppress(OSError):  # it has one already, or the file system knows no second names
                os.link(self.of(handle) / STATE_FILE, self.tombstone(handle))
        if not self.tombstone(handle).exists():
            write_whole(self.tombstone(handle), state.to_json())

    def final(self, handle: Handle) -> ObservedState | None:
        """How it ended, once everything of it was collected."""
        return read_state(self.tombstone(handle))


def name_of(handle: Handle) -> str:
    name = f"{handle.job}-{handle.attempt}"
    assert re.fullmatch(r"\w[\w.-]*", name), f"{name!r} names no folder"
    return name


def read_state(file: Path) -> ObservedState | None:
    try:
        return ObservedState.from_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return None


def read_part(log: Path, offset: int, count: int) -> bytes:
    """Up to `count` bytes from an offset; empty where there is nothing."""
    try:
        with log.open("rb") as source:
            source.seek(offset)
            return source.read(count)
    except FileNotFoundError:
        return b""


def is_held(lock: Path) -> bool:
    """Whether the supervisor of an attempt lives. A node's lock is seen here too, where the file system is one."""
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


def is_over(state: ObservedState) -> bool:
    return state.phase in {Phase.DONE, Phase.LOST}


def tell(folder: Path, word: str) -> None:
    """One more word for the supervisor of an attempt; nothing where there is none, or where it was told what is said once."""
    if not folder.is_dir() or (word == PREEMPT and PREEMPT.encode() in read_part(folder / SIGNAL_FILE, 0, 1 << 16)):
        return
    with os.fdopen(
        os.open(folder / SIGNAL_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "w"
    ) as out:
        out.write(f"{word}\n")
