"""Levels of a case, as dated data: how much it asks, and within how many working days something is promised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.kernel.dated import by_name, read_rows, shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.languages import Words, read_words


@dataclass(frozen=True, slots=True)
class Level:
    """`title`: language → words. `needs_document`: it is solved with a whole use-case document only."""

    name: str
    title: Words
    working_days: int
    needs_document: bool
    valid_from: date
    source: str


def levels_on(day: date) -> Mapping[str, Level]:
    """By name, the lightest first."""
    return levels_of(shipped("fabriek.knowledge", "levels.toml"), day)


def levels_of(text: str, day: date) -> Mapping[str, Level]:
    """Raises InvalidInput on a slip in the file."""
    return by_name(read_rows(text, "level", _level), day)


def level_named(name: str, day: date) -> Level:
    """Raises InvalidInput on a word for none."""
    known = levels_on(day)
    if name not in known:
        raise InvalidInput(f"there is no level {name[:20]!r}", fix=f"one of {', '.join(known)}")
    return known[name]


def _level(row: dict[str, Any]) -> Level:
    days, needs = row["working_days"], row.get("needs_document", False)
    if type(days) is not int or not 1 <= days <= 250:
        raise ValueError("working_days is a whole number from 1 to 250")
    if not isinstance(needs, bool):
        raise ValueError("needs_document is true or false")  # noqa: TRY004  # of a row that an operator wrote
    return Level(str(row["name"]), read_words(row["title"]), days, needs, row["valid_from"], row["source"])
