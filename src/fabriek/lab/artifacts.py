"""Artifacts: the files of a run or a logged model, by paths under a root that the server gave."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from fabriek.kernel.errors import InvalidInput

PATH_CHARACTERS_MAX = 1_024


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file. `root` is `EXPERIMENT/RUN` or `EXPERIMENT/models/MODEL`; `object_id` is in the project's room of the vault."""

    project: str
    root: str
    path: str
    object_id: str
    size: int
    sha256: str


def split(path: str) -> tuple[str, str]:
    """A path of the dialect → (root, path below it). Raises InvalidInput on one that does not lie below a root, or leads upwards."""
    plain = checked(path)
    found = re.fullmatch(r"(\d{1,18}/(?:[0-9a-f]{32}|models/m-[0-9a-f]{32}))/artifacts(?:/(.*))?", plain)
    if found is None:
        raise InvalidInput("Invalid path")
    return found[1], checked(found[2] or "")


def checked(path: str) -> str:
    """The path, if it is plain and stays below where it stands, in whatever spelling it came. Raises InvalidInput."""
    once = path
    for _ in range(3):
        if _escapes(once):
            raise InvalidInput("Invalid path")
        once = unquote(once)
    return path.strip("/")


def _escapes(path: str) -> bool:
    names = re.split(r"[/\\]", path.strip("/"))
    return (
        len(path) > PATH_CHARACTERS_MAX
        or "\\" in path
        or any(ord(char) < 32 for char in path)
        or any(name in {".", ".."} for name in names)
        or ("" in names and path.strip("/") != "")
        or ":" in names[0]
    )
