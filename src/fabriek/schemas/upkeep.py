"""The upkeep of the store on the wire: what is collected, what a check found, and how far the reading of everything is."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from fabriek.schemas.base import Wire


class HeapOut(Wire):
    """Objects of one kind. `why`: abandoned, unused, erased or orphan."""

    why: str
    objects: int
    size_bytes: int


class CollectIn(Wire):
    """`listing`: look through the store for objects without a record too. `despite_doubt`: also where those are its greater part."""

    listing: bool = True
    despite_doubt: bool = False


class CollectedOut(Wire):
    """`freed` is gone, or would be. `kept` stays for a legal hold or a promise to keep it, and is empty while there is
    `more`; `waiting` are objects without a record that were not seen for a day;
    `doubted` such objects where they are the greater part of the store. `more`: ask again.
    """

    freed: list[HeapOut]
    kept: list[HeapOut]
    waiting: int = 0
    doubted: int = 0
    more: bool = False


class CheckIn(Wire):
    """`share` of the objects to read, 0 to 1. `cursor`: where the last answer ended; empty begins."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.0
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""


class DamageOut(Wire):
    """`versions`: the numbers of those it is of; none where it is a file of a run, the output of a job or a package. `path`: one of the
    `files` that lie in the object, where it was just found and its key is here.
    """

    dataset: str
    name: str
    project: str
    versions: list[int]
    object_id: str
    why: str
    found_at: datetime
    path: str = ""
    files: int = 0


class CheckOut(Wire):
    """One stretch of a check. `authenticated`: objects of which every chunk opened; `by_hash`: those compared with the hash of their sealed
    bytes alone, since their keys are not here. Ask again with `cursor=next_cursor` until it is empty.
    """

    versions: int
    objects: int
    read_objects: int
    read_bytes: int
    authenticated: int
    by_hash: int
    damage: list[DamageOut]
    next_cursor: str = ""


class PassOut(Wire):
    """One reading of everything, in the background."""

    id: str
    begun_at: datetime
    ended_at: datetime | None = None
    objects: int
    bytes_read: int
    bytes_expected: int
    damaged: int


class StoreOut(Wire):
    """How the store is: the pass that is going on and the last that ended, damage that stands, and what could be freed."""

    current: PassOut | None = None
    last: PassOut | None = None
    damage: list[DamageOut]
    to_free: list[HeapOut]
    kept: list[HeapOut]
