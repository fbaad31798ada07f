"""What reporting needs kept, and asked of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from fabriek.funding.ledger import Entry
from fabriek.funding.reporting.periods import Period
from fabriek.funding.reporting.report import Gathered
from fabriek.funding.reporting.rows import Place
from fabriek.funding.resources import Resource


@dataclass(frozen=True, slots=True)
class Look:
    """The lines behind a figure of one share. `words`: of the place's dimension. without: organisations whose lines are left out."""

    share: str
    period: Period
    place: Place
    words: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sum:
    """Of lines, as the ledger has them."""

    amount: int
    lines: int


class Figures(Protocol):
    """Questions about the ledger."""

    def gathered(self, period: Period) -> Gathered: ...

    def sum_of(self, look: Look) -> Sum: ...

    def lines_of(self, look: Look, *, after: str, limit: int) -> Sequence[Entry]:
        """By the time they were booked, from the line after `after` (its id) on."""

    def daily_use(
        self, allocations: Sequence[str], days: Sequence[tuple[date, datetime]], until: datetime
    ) -> Mapping[Resource, Mapping[date, int]]:
        """days: each with its first instant, in order; the last ends at `until`."""
