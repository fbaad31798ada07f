"""A leftover: an object that nothing names any more. It is doomed first, then deleted, then forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ORPHAN_AGE = timedelta(days=1)
"""How long an object without a record must have been seen before it goes. What is sealed in the server's memory is in the store before its
record is, and a server that was frozen in between may still write it; see `safe.put`.
"""

ORPHANS_FREE = 100
"""So many objects without a record are collected whatever else there is; beyond that they must be the lesser part of the store."""


class Why(StrEnum):
    """`abandoned`: brought by an upload that never became a version. `unused`: no version that stands uses it. `erased`: its dataset is.
    `orphan`: no record names it.
    """

    ABANDONED = "abandoned"
    UNUSED = "unused"
    ERASED = "erased"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Leftover:
    """`dataset` is empty for an orphan. `size` of the sealed bytes, 0 where it never arrived. Once it has `doomed_at` there is no way back."""

    object_id: str
    dataset: str
    why: Why
    size: int
    seen_at: datetime
    doomed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Heap:
    """Leftovers of one kind together. `is_kept`: a legal hold or a promise to keep it does not let them go."""

    dataset: str
    why: Why
    objects: int
    size_bytes: int
    is_kept: bool = False


def is_due(orphan: Leftover, now: datetime) -> bool:
    """Whether an orphan was seen long enough ago."""
    return now >= orphan.seen_at + ORPHAN_AGE


def are_too_many(orphans: int, objects: int) -> bool:
    """Whether so many objects without a record say that the database is the wrong one, and not that they are waste."""
    return orphans > ORPHANS_FREE and 2 * orphans > objects


def told_by_kind(heaps: "list[Heap]") -> "list[Heap]":
    """The same over all datasets, one heap a kind."""
    kinds = sorted({heap.why for heap in heaps})
    return [
        Heap(
            "",
            why,
            sum(one.objects for one in heaps if one.why is why),
            sum(one.size_bytes for one in heaps if one.why is why),
        )
        for why in kinds
    ]
