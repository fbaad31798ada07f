"""What changed between two versions, file by file: read off their manifests, without any of the data."""

from dataclasses import dataclass
from enum import StrEnum

from fabriek.sealing.manifest import File, Manifest


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


def changes(older: Manifest, newer: Manifest) -> list[Change]:
    """By path; what is the same in both is left out. A file that was renamed is removed and added."""
    before = {file.path: file for file in older.files}
    after = {file.path: file for file in newer.files}
    found = [Change(path, How.REMOVED, before[path].size, 0) for path in before.keys() - after.keys()]
    found += [Change(path, How.ADDED, 0, after[path].size) for path in after.keys() - before.keys()]
    for path in before.keys() & after.keys():
        was, now = before[path], after[path]
        if _content(was) != _content(now):
            found.append(Change(path, How.CHANGED, was.size, now.size))
        elif was.mode != now.mode:
            found.append(Change(path, How.MODE, was.size, now.size))
    return sorted(found, key=lambda change: change.path)


def _content(file: File) -> tuple[int, str, str]:
    return file.size, file.sha256, file.link
