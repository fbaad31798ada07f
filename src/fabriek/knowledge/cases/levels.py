"""Levels of a case, as dated data: how much it asks, and within how many working days something is promised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.kernel.dated import in_force, read_rows, shipped
from fabriek.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Level:
    """`title`: language → words. `needs_document`: it is solved with a whole use-case document only."""

    name: str
    title: Mapping[str, str]
    working_days: int
    needs_document: bool
    valid_from: date
    source: str


def levels_on(day: date) -> Mapping[str, Level]:
    """By name, the lightest first."""
    return levels_of(shipped("fabriek.knowledge", "levels.toml"), day)


def levels_of(text: str, day: date) -> Mapping[str, Level]:
    """Raises InvalidInput on a slip in the file."""
    rows = read_rows(text, "level", _level)
    found = {
        name: in_force([row for row in rows if row.name == name], day)
        for name in dict.fromkeys(row.name for row in rows)
    }
    return {name: row for name, row in found.items() if row is not None}


def level_named(name: str, day: date) -> Level:
    """Raises InvalidInput on a word for none."""
    known = levels_on(day)
    if name not in known:
        raise InvalidInput(f"there is no level {name[:20]!r}", fix=f"one of {', '.join(known)}")
    return known[name]


def _level(row: dict[str, Any]) -> Level:
    title, days, needs = row["title"], row["working_days"], row.get("needs_document", False)
    if not isinstance(title, dict) or set(title) != {"en", "nl"}:
        raise ValueError("a title is there in en and nl")
    if type(days) is not int or not 1 <= days <= 250:
        raise ValueError("working_days is a whole number from 1 to 250")
    if not isinstance(needs, bool):
        raise ValueError("needs_document is true or false")  # noqa: TRY004  # of a row that an operator wrote
    return Level(str(row["name"]), dict(title), days, needs, row["valid_from"], row["source"])
