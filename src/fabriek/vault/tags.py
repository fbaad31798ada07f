"""A tag: a name that people give to one version of a dataset, and may move to another. Versions never change; what a tag means may."""

import re
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput

TAG_PATTERN = r"[a-z][a-z0-9.-]{0,62}"
TAGS_MAX = 1_000
"""Of one dataset."""

_TAKEN = frozenset({"newest"})


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` stands for `version` since `set_at`."""

    dataset: str
    name: str
    version: str
    set_at: datetime
    set_by: str


def check_tag(name: str) -> str:
    """The name, if it can be one: it begins with a letter, so that it is never a number. Raises InvalidInput."""
    if not re.fullmatch(TAG_PATTERN, name) or name in _TAKEN:
        raise InvalidInput(
            f"{name[:80]!r} is not a name for a tag",
            fix="begin with a lower-case letter; then lower-case letters, digits, dots and hyphens, at most 63; not newest",
        )
    return name
