"""Artifacts: the files of a run or a logged model, by paths under a root that the server gave."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from fabriek.kernel.errors import InvalidInput

PATH_CHARACTERS_MAX = 1_024
UNQUOTED_MAX = 8
"""How often a path may be quoted, one quoting within the other, before it is taken for an attempt."""

_ROOT = re.compile(r"([0-9]{1,18}/(?:[0-9a-f]{32}|models/m-[0-9a-f]{32}))/artifacts(?:/(.*))?", re.DOTALL)


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
    found = _ROOT.fullmatch(plain)
    if found is None:
        raise InvalidInput("Invalid path")
    return found[1], checked(found[2] or "")


def checked(path: str) -> str:
    """The path, if it is plain and stays below where it stands, in whatever spelling it came. Raises InvalidInput.

    It is read as every layer in front of a file system might read it: unquoted as often as anything is left to unquote.
    """
    if len(path) > PATH_CHARACTERS_MAX:
        raise InvalidInput("Invalid path")
    once = path
    for _ in range(UNQUOTED_MAX):
        if _escapes(once):
            raise InvalidInput("Invalid path")
        following = unquote_plus(once)
        if following == once:
            return path.strip("/")
        once = following
    raise InvalidInput("Invalid path")


def _escapes(path: str) -> bool:
    plain = path.strip("/")
    names = re.split(r"[/\\]", plain)
    return (
        "\\" in path
        or "#" in path
        or any(ord(char) < 32 or ord(char) == 127 for char in path)
        or any(name.strip() in {".", ".."} for name in names)
        or ("" in names and plain != "")
        or re.match(r".*:$|[A-Za-z]:", names[0]) is not None
    )
