"""The SQL of auditors' links and visits."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, delete, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.auditing.links import AuditorLink, Visit

links = Table(
    "funding_auditor_links",
    metadata,
    Column("id", String, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("email", String, nullable=False),
    Column("organisation", String, nullable=False, index=True),
    Column("quarter", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

visits = Table(
    "funding_auditor_visits",
    metadata,
    Column("hash", String, primary_key=True),
    Column("link", String, nullable=False, index=True),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("minute_at", Instant, nullable=False),
    Column("looks", Integer, nullable=False),
)


class SqlAuditorLinks:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, link: AuditorLink) -> None:
        self._db.execute(insert(links).values(**asdict(link)))

    def end(self, link_id: str, at: datetime) -> None:
        self._db.execute(update(links).where(links.c.id == link_id).values(ended_at=at))
        self._db.execute(delete(visits).where(visits.c.link == link_id))

    def get(self, link_id: str) -> AuditorLink | None:
        row = self._db.row(select(links).where(links.c.id == link_id))
        return None if row is None else AuditorLink(**row._mapping)  # noqa: SLF001  # a row's names

    def with_hash(self, hashed: str) -> AuditorLink | None:
        row = self._db.row(select(links).where(links.c.hash == hashed))
        return None if row is None else AuditorLink(**row._mapping)  # noqa: SLF001  # a row's names

    def listed(self, organisation: str) -> Sequence[AuditorLink]:
        wanted = select(links).order_by(links.c.made_at.desc(), links.c.id)
        if organisation:
            wanted = wanted.where(links.c.organisation == organisation)
        return [AuditorLink(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names

    def put_visit(self, visit: Visit) -> None:
        self._db.put(visits, asdict(visit), ["hash"])

    def visit(self, hashed: str) -> Visit | None:
        row = self._db.row(select(visits).where(visits.c.hash == hashed))
        return None if row is None else Visit(**row._mapping)  # noqa: SLF001  # a row's names

    def leave(self, hashed: str) -> None:
        self._db.execute(delete(visits).where(visits.c.hash == hashed))

    def forget_visits(self, before: datetime) -> None:
        self._db.execute(delete(visits).where(visits.c.expires_at < before))
