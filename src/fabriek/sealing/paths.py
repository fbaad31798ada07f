"""Paths inside a version: relative, plain, and never leading out of it."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from fabriek.kernel.errors import InvalidInput

NAME_BYTES_MAX = 255
PATH_BYTES_MAX = 4_096
_ODD = frozenset({"", ".", ".."})


def check_path(path: str) -> str:
    """The path, if it may stand in a version. Raises InvalidInput on an absolute, empty, over-long one, or one with `..` or a NUL."""
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


def check_paths(paths: Sequence[str]) -> None:
    """Each by itself, none twice, and none both a file and a folder. Raises InvalidInput."""
    seen = {check_path(path) for path in paths}
    if len(seen) < len(paths):
        raise InvalidInput("a path stands twice in the version", fix="push the folder again")
    for folder in folders_of(seen):
        if folder in seen:
            raise InvalidInput(f"{folder!r} is both a file and a folder", fix="push the folder again")


def folders_of(paths: Iterable[str]) -> set[str]:
    """Every folder that these files lie in, at any depth; each is looked at once, however many files it holds."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


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
