"""The SQL of notices."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, Text, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.notices.notices import Notice, Occasion

notices = Table(
    "compute_notices",
    metadata,
    Column("id", String, primary_key=True),
    Column("subject", String, nullable=False, index=True),
    Column("job", String, nullable=False),
    Column("project", String, nullable=False),
    Column("occasion", String, nullable=False),
    Column("target", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("given_up_at", Instant),
    Column("error", Text, nullable=False),
)


class SqlNotices:
    """Notices, in either database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, notice: Notice) -> None:
        # Two servers may see two elements of one array end at once: the second must not fail for it.
        with self._db.transaction(alone=f"notice:{notice.subject}"):
            if self._db.row(select(notices.c.id).where(notices.c.id == notice.id)) is None:
                self._db.execute(insert(notices).values(**asdict(notice)))

    def due(self, now: datetime, *, limit: int) -> Sequence[Notice]:
        waits = (notices.c.sent_at.is_(None), notices.c.given_up_at.is_(None), notices.c.next_at <= now)
        wanted = select(notices).where(*waits).order_by(notices.c.next_at, notices.c.id).limit(limit)
        return [_notice(row) for row in self._db.rows(wanted)]

    def save(self, notice: Notice) -> None:
        self._db.execute(update(notices).where(notices.c.id == notice.id).values(**asdict(notice)))

    def of_subject(self, subject: str) -> Sequence[Notice]:
        wanted = select(notices).where(notices.c.subject == subject).order_by(notices.c.made_at, notices.c.id)
        return [_notice(row) for row in self._db.rows(wanted)]


def _notice(row: Row[Any]) -> Notice:
    kept = dict(row._mapping)  # noqa: SLF001  # the documented way to a row's names
    return Notice(**kept | {"occasion": Occasion(row.occasion)})
