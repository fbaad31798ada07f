"""A catalogue elsewhere from which entries come, how it was when it was read last, and what of it lies here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.kernel.errors import InvalidInput

EVERY = timedelta(days=1)
"""How often a source is read."""

SOURCES_MAX = 100
NAME_CHARACTERS_MAX = 100
TROUBLE_CHARACTERS_MAX = 500
LEFT_OUT_TOLD_MAX = 20


@dataclass(frozen=True, slots=True)
class Source:
    """`organisation`: of who added it, whose the entries are here. `tried_at`: when it was read last, `good_at`: when it was read to its end.
    `trouble`: why it could not be, empty where it could; what lies here is then as it was at `good_at`. `left_out`: why some of its datasets are not
    here, a line each; `left_out_count` how many.
    """

    id: str
    address: str
    name: str
    organisation: str
    added_by: str
    added_at: datetime
    tried_at: datetime | None = None
    good_at: datetime | None = None
    trouble: str = ""
    entries: int = 0
    pages: int = 0
    left_out: tuple[str, ...] = ()
    left_out_count: int = 0


@dataclass(frozen=True, slots=True)
class Harvested:
    """One entry that came from a source: `identifier` is what it is called there, `address` a page on which it is."""

    source: str
    identifier: str
    entry: str
    address: str


def is_due(source: Source, now: datetime) -> bool:
    return source.tried_at is None or now - source.tried_at >= EVERY


def check_name(name: str) -> str:
    """Raises InvalidInput on one that is no line."""
    said = name.strip()
    if not said or len(said) > NAME_CHARACTERS_MAX or not said.isprintable():
        raise InvalidInput(
            f"a source has a name of one line, {NAME_CHARACTERS_MAX} characters at most",
            fix="--name 'Open data of the port'",
        )
    return said
