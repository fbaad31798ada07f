"""The figures by which credits run out, lapse and end: dated rows, each with the id that a refusal names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.kernel.dated import in_force, read_rows

UNIT_EMPTY = "spending.unit_empty"
STORAGE_EMPTY = "spending.storage_empty"
DATA_SHUT = "spending.data_shut"
CLOSED = "spending.closed"
LAPSE = "spending.use_it_or_lose_it"
ENDS_SOON = "spending.ends_soon"

_FIELDS: dict[str, tuple[str, ...]] = {
    UNIT_EMPTY: (),
    STORAGE_EMPTY: (),
    DATA_SHUT: ("days",),
    CLOSED: ("days",),
    LAPSE: ("months", "below_percent", "remains_percent"),
    ENDS_SOON: ("days",),
}
_ALWAYS = {"id", "valid_from", "source"}


@dataclass(frozen=True, slots=True)
class Row:
    """One rule from a day on. `figures`: of one that counts days, the days; of one that is told several times, all of them."""

    id: str
    valid_from: date
    source: str
    days: tuple[int, ...] = ()
    months: int = 0
    below_percent: int = 0
    remains_percent: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Those in force on one day, by id. What is not there does not hold."""

    rows: dict[str, Row]

    def __contains__(self, rule: str) -> bool:
        return rule in self.rows

    def days(self, rule: str) -> int | None:
        """After how many days it bites; None where it does not hold."""
        row = self.rows.get(rule)
        return row.days[0] if row else None

    def get(self, rule: str) -> Row | None:
        return self.rows.get(rule)


def running_out_of(text: str) -> tuple[Row, ...]:
    """The rules of a TOML text such as data/running_out.toml. Raises InvalidInput."""
    return read_rows(text, "rule", _row)


def rules_on(rows: Iterable[Row], on: date) -> Rules:
    """Those in force on that day."""
    rows = tuple(rows)
    found = {rule: in_force((one for one in rows if one.id == rule), on) for rule in _FIELDS}
    return Rules({rule: row for rule, row in found.items() if row is not None})


def _row(row: dict[str, Any]) -> Row:
    rule = str(row["id"])
    if rule not in _FIELDS:
        raise ValueError(f"there is no rule {rule!r}: one of {', '.join(_FIELDS)}")
    if unknown := sorted(set(row) - _ALWAYS - set(_FIELDS[rule])):
        raise ValueError(f"{rule} has no {unknown[0]!r}")
    figures = {name: row[name] for name in _FIELDS[rule]}
    many = rule == ENDS_SOON
    days = figures.pop("days", [] if many else 0)
    listed = days if isinstance(days, list) else [days]
    if many != isinstance(days, list) or not all(type(one) is int and one >= 0 for one in [*listed, *figures.values()]):
        raise ValueError(f"{rule} is told by whole numbers from 0 on")
    if any(value > 100 for name, value in figures.items() if name.endswith("percent")):
        raise ValueError("there are 100 percent")
    kept = tuple(sorted(listed, reverse=True)) if "days" in _FIELDS[rule] else ()
    return Row(rule, row["valid_from"], row["source"], kept, **figures)
