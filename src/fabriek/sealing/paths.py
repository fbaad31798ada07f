"""Paths inside a version: relative, plain, and never leading out of it."""

import hashlib
import re
from functools import lru_cache
from pathlib import PurePosixPath

from fabriek.kernel.errors import InvalidInput

NAME_BYTES_MAX = 255
PATH_BYTES_MAX = 4_096
_USUAL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
"""Nearly all paths there are. One look at these instead of five: a push looks at each path twice."""

_ODD = frozenset({"", ".", ".."})


def check_path(path: str) -> str:
    """The path, if it may stand in a version. Raises InvalidInput on an absolute, empty, over-long one, or one with `..` or a NUL."""
    if len(path) <= NAME_BYTES_MAX and _USUAL.fullmatch(path):
        return path
    fix = "rename the file"
    try:
        raw = path.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(f"{path!r} is not a name in UTF-8", fix=fix) from None
    if not path or "\0" in path or "\\" in path or not _ODD.isdisjoint(names := path.split("/")):
        raise InvalidInput(f"{path!r} is not a plain relative path", fix=fix)
    if len(raw) > NAME_BYTES_MAX and (
        len(raw) > PATH_BYTES_MAX or any(len(name.encode()) > NAME_BYTES_MAX for name in names)
    ):
        raise InvalidInput(f"the path {path[:60]!r}… is too long (a name: {NAME_BYTES_MAX} bytes)", fix=fix)
    return path


def rank(path: str) -> str:
    """What paths are ordered by: what lies in a folder stands together, directly behind the folder's own name."""
    return path.replace("/", "\0")


class Following:
    """Paths one after another: each comes behind the one before, and none lies in another as in a folder."""

    def __init__(self) -> None:
        self.last = ""
        self._last_rank = ""

    def check(self, path: str) -> None:
        """That it may come next. Whether it is a plain path is `check_path`'s question. Raises InvalidInput."""
        here, before = rank(path), self._last_rank
        if before and here <= before:
            said = "stands twice in the version" if here == before else "stands out of order"
            raise InvalidInput(f"the path {path!r} {said}", fix="push the folder again")
        # Nothing but what lies in it comes between a name and the last path below that name.
        if before and here.startswith(before) and here[len(before)] == "\0":
            raise InvalidInput(f"{self.last!r} is both a file and a folder", fix="push the folder again")
        self.last, self._last_rank = path, here

    def last_of(self, path: str) -> None:
        """Of a run that was checked by itself, the last."""
        self.last, self._last_rank = path, rank(path)


@lru_cache(maxsize=4_096)
def path_hash(path: str) -> bytes:
    """SHA-256. Asked for by who looks where a page ends, and by who remembers files by their names."""
    return hashlib.sha256(path.encode()).digest()


def check_link(path: str, target: str) -> str:
    """The target, if the link stays inside the set. Raises InvalidInput."""
    depth = len(PurePosixPath(path).parts) - 1
    if target.startswith("/") or "\0" in target or not target:
        raise InvalidInput(f"the link {path!r} leads out of the folder", fix="replace the link by what it points at")
    for name in target.split("/"):
        depth += -1 if name == ".." else 0 if name in {"", "."} else 1
        if depth < 0:
            raise InvalidInput(
                f"the link {path!r} leads out of the folder", fix="replace the link by what it points at"
            )
    return target
