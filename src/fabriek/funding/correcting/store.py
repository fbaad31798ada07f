"""The SQL of why charges were set right."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Column, String, Table, Text, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.correcting.charges import Correction

corrections = Table(
    "funding_corrections",
    metadata,
    Column("transaction", String, primary_key=True),
    Column("corrected", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("person", String, nullable=False),
    Column("at", Instant, nullable=False),
)


class SqlCorrections:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, correction: Correction) -> None:
        self._db.execute(insert(corrections).values(**asdict(correction)))

    def of(self, corrected: str) -> Sequence[Correction]:
        wanted = select(corrections).where(corrections.c.corrected == corrected)
        wanted = wanted.order_by(corrections.c.at, corrections.c.transaction)
        return [Correction(*tuple(row)) for row in self._db.rows(wanted)]
