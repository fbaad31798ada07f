"""The SQL of sharing: what shares and owners used lately."""

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import Column, Float, String, Table, delete, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.sharing.remembering import Mean

recent_use = Table(
    "compute_recent_use",
    metadata,
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("part", Float, nullable=False),
    Column("at", Instant, nullable=False),
)


class SqlMeans:
    """What shares and owners used lately."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> Iterable[Mean]:
        return [Mean(row.kind, row.name, row.part, row.at) for row in self._db.rows(select(recent_use))]

    def replace(self, means: Iterable[Mean]) -> None:
        self._db.execute(delete(recent_use))
        if rows := [asdict(one) for one in means]:
            self._db.execute(insert(recent_use), rows)
