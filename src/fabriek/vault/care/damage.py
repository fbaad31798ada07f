"""Damage: stored bytes that are not what was written. It stands until the same place was read again and is sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Damage:
    """Of an object, whichever versions use it, or (with an empty `object_id`) of a version's own record or key.

    `path`: one file that lies in it, where it was just found out and is never kept; `files`: how many do.
    `told_at`: its owner and the operators were told.
    """

    dataset: str
    version: str
    object_id: str
    why: str
    found_at: datetime
    path: str = ""
    files: int = 0
    told_at: datetime | None = None

    @property
    def place(self) -> tuple[str, str]:
        """What it is damage of: an object is the same one in every version."""
        return ("", self.object_id) if self.object_id else (self.version, "")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a walk through the vault is: behind this object of this page of this version; of a dataset's objects that belong to no version,
    `SAFE`. `page` says which one by numbers, since paths may not be written down: see `leafing`. Empty at the beginning.
    """

    dataset: str = ""
    number: int = 0
    object_id: str = ""
    page: str = ""

    @property
    def text(self) -> str:
        return f"{self.dataset}|{self.number}|{self.object_id}|{self.page}"


SAFE = 2**31 - 1
"""Stands for a number after the last version: what was sealed in the server's memory (files of runs, output of jobs, packages)."""


def position_of(text: str) -> Position:
    """The position that `text` was written from; the beginning for an empty one."""
    if not text:
        return Position()
    dataset, number, object_id, page = text.split("|")
    return Position(dataset, int(number), object_id, page)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a stretch of the walk came to. `authenticated`: objects of which every chunk opened under its key; `by_hash`: those read and
    compared with the hash that was kept when they arrived, since their key is not here. `next` is None at the end.
    """

    versions: int
    objects: int
    read_objects: int
    read_bytes: int
    authenticated: int
    by_hash: int
    damage: Sequence[Damage]
    next: Position | None


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk through the whole vault. `held_until`: a worker is at it. Sizes are of sealed bytes."""

    id: str
    begun_at: datetime
    bytes_expected: int
    position: str = ""
    objects: int = 0
    bytes_read: int = 0
    damaged: int = 0
    held_until: datetime | None = None
    ended_at: datetime | None = None
