"""What changed between two versions, file by file: read off their manifests, without any of the data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fabriek.sealing.manifest import File
from fabriek.sealing.paths import rank


class How(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Change:
    """`was` and `size` in bytes, 0 where there is no such file."""

    path: str
    how: How
    was: int
    size: int


def changes(older: Iterable[File], newer: Iterable[File]) -> Iterator[Change]:
    """By path; what is the same in both is left out. A file that was renamed is removed and added. Both in the order of their paths."""
    for was, now in side_by_side(older, newer):
        if now is None:
            assert was is not None, "one of the two is there"
            yield Change(was.path, How.REMOVED, was.size, 0)
        elif was is None:
            yield Change(now.path, How.ADDED, 0, now.size)
        elif _content(was) != _content(now):
            yield Change(now.path, How.CHANGED, was.size, now.size)
        elif was.mode != now.mode:
            yield Change(now.path, How.MODE, was.size, now.size)


def side_by_side(older: Iterable[File], newer: Iterable[File]) -> Iterator[tuple[File | None, File | None]]:
    """Files of one path together, those that only one has alone. Both in the order of their paths; never more than one of each is held."""
    left, right = iter(older), iter(newer)
    was, now = next(left, None), next(right, None)
    while was is not None or now is not None:
        if now is None or (was is not None and rank(was.path) < rank(now.path)):
            yield was, None
            was = next(left, None)
        elif was is None or rank(now.path) < rank(was.path):
            yield None, now
            now = next(right, None)
        else:
            yield was, now
            was, now = next(left, None), next(right, None)


def _content(file: File) -> tuple[int, str, str]:
    return file.size, file.sha256, file.link
