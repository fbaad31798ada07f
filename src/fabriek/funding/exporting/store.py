"""The SQL of taking the ledger along: entries in the order of time, a page at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select

from fabriek.adapters.database import Database
from fabriek.funding.ledger import Entry
from fabriek.funding.resources import Resource
from fabriek.funding.store import entries


class SqlExports:
    def __init__(self, db: Database) -> None:
        self._db = db

    def pages(self, first: datetime | None, before: datetime | None, size: int) -> Iterator[Sequence[Entry]]:
        """The entries of a posting have one instant, so that no period cuts one; each page is a question of its own, and holds nothing open."""
        last: Entry | None = None
        while True:
            page = self._page(first, before, last, size)
            if page:
                yield page
                last = page[-1]
            if len(page) < size:
                return

    def page(self, first: datetime | None, before: datetime | None, after: str, size: int) -> Sequence[Entry]:
        """One page, from behind the entry of that id on; from the beginning where there is none."""
        row = self._db.row(select(entries).where(entries.c.id == after)) if after else None
        return self._page(first, before, _entry(row) if row is not None else None, size)

    def _page(self, first: datetime | None, before: datetime | None, last: Entry | None, size: int) -> Sequence[Entry]:
        wanted = select(entries).order_by(entries.c.at, entries.c.id).limit(size)
        if first is not None:
            wanted = wanted.where(entries.c.at >= first)
        if before is not None:
            wanted = wanted.where(entries.c.at < before)
        if last is not None:
            same = and_(entries.c.at == last.at, entries.c.id > last.id)
            wanted = wanted.where(entries.c.at >= last.at, or_(entries.c.at > last.at, same))
        return [_entry(row) for row in self._db.rows(wanted)]


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.id, row.transaction, row.account, Resource(row.resource), row.amount_micro, row.at, row.memo, row.job
    )
