"""Quarters of a year: what is entitled, carried over and reported is counted by them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fabriek.kernel.errors import InvalidInput

_MONTHS = 3


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """`2026Q4`. Both days count."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}Q{self.number}"

    @property
    def first(self) -> date:
        return date(self.year, self.number * _MONTHS - 2, 1)

    @property
    def last(self) -> date:
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Quarter":
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    @property
    def previous(self) -> "Quarter":
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    @property
    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def quarter_of(day: date) -> Quarter:
    return Quarter(day.year, (day.month - 1) // _MONTHS + 1)


def quarter_named(text: str) -> Quarter:
    """Raises InvalidInput."""
    match = re.fullmatch(r"([0-9]{4})-?[Qq]([1-4])", text.strip())
    if match is None or not 2 <= int(match[1]) <= 9998:
        raise InvalidInput(f"{text!r} is not a quarter", fix="write it like 2026Q4")
    return Quarter(int(match[1]), int(match[2]))
