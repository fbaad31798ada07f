"""Taking the ledger along: for whoever may see all of it. That somebody took it stands in the audit log."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from fabriek.audit.service import Audit
from fabriek.funding.exporting.lines import Form, file_of
from fabriek.funding.giving.quarters import quarter_named
from fabriek.funding.ledger import Entry
from fabriek.funding.ports import Ledger
from fabriek.funding.reporting.seeing import require_all
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput

PAGE = 5_000
"""Entries in memory at once."""


class Exports(Protocol):
    """Entries in the order of time."""

    def pages(self, first: datetime | None, before: datetime | None, size: int) -> Iterator[Sequence[Entry]]:
        """From `first` on and before `before`, where they are given."""

    def page(self, first: datetime | None, before: datetime | None, after: str, size: int) -> Sequence[Entry]: ...


class Exporting:
    """Writes the ledger, or a quarter of it."""

    def __init__(
        self, exports: Exports, books: Ledger, audit: Audit, clock: Clock, *, zone: ZoneInfo, page: int = PAGE
    ) -> None:
        self._exports, self._books, self._audit, self._clock = exports, books, audit, clock
        self._zone, self._page = zone, page

    def export(self, form: str = "csv", quarter: str = "", *, by: Caller) -> Iterator[str]:
        """The file in pieces, of a quarter (`2026Q4`) or of all. Raises InvalidInput, NotPermitted, before the first piece: for who sees all.

        What is posted while it is written is in it as a whole or not at all; the manifest counts what is in it.
        """
        require_all(by)
        if form not in set(Form):
            raise InvalidInput(f"{form!r} is no form of an export", fix=f"one of {', '.join(Form)}")
        quarter, first, before = self._period(quarter)
        with self._books.transaction():
            self._audit.record("funding.exported", quarter or "all", by, form=form)
        about = {"quarter": quarter or "all", "written_at": self._clock.now().isoformat(), "zone": str(self._zone)}
        return file_of(self._exports.pages(first, before, self._page), Form(form), about)

    def page(self, quarter: str, after: str, size: int, *, by: Caller) -> Sequence[Entry]:
        """Entries in the order of time, from behind the one of that id on."""
        require_all(by)
        _, first, before = self._period(quarter)
        return self._exports.page(first, before, after, size)

    def _period(self, quarter: str) -> tuple[str, datetime | None, datetime | None]:
        if not quarter:
            return "", None, None
        named = quarter_named(quarter)
        return str(named), self._midnight(named.first), self._midnight(named.next.first)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)
