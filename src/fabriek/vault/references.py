"""How people name data: `name`, `name@3`, `name@tag`, `project/name@3`; and how programs do: by id."""

import re
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput

_PATTERN = re.compile(
    r"(?:(?P<project>[a-z0-9][a-z0-9-]{0,62})/)?(?P<name>[a-z0-9][a-z0-9-]{0,62})(?:@(?:(?P<number>[1-9][0-9]{0,8})|(?P<tag>[a-z][a-z0-9.-]{0,62})))?"
)
_ID = re.compile(r"(ds|ver)_[0-9a-z]{1,26}")


@dataclass(frozen=True, slots=True)
class Named:
    """A dataset by name, in its home project (empty: the one acted in); number 0 without a tag means the newest version."""

    name: str
    project: str = ""
    number: int = 0
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A version as a statement of origin names it."""

    dataset: str
    name: str
    version: str
    number: int
    label: str
    content_hash: str


def read_reference(text: str) -> Named:
    """Raises InvalidInput. An id is not one of these; see `is_id`."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise InvalidInput(f"{text[:80]!r} does not name data", fix="write NAME, NAME@3, NAME@TAG or PROJECT/NAME@3")
    return Named(found["name"], found["project"] or "", int(found["number"] or 0), _tag(found["tag"]))


def _tag(found: str | None) -> str:
    """`newest` is what no tag can be called: it is the same as naming none."""
    return "" if found in {None, "newest"} else str(found)


def is_id(text: str, kind: str) -> bool:
    """kind: `ds` or `ver`. Names have no underscore, so an id is never one."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] == kind
