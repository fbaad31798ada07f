"""The SQL of proofs."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import JSON, Column, Date, Row, String, Table, delete, insert, select, update

from fabriek.access.joining.proofs import Proof
from fabriek.access.store import organisations
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

proofs = Table(
    "access_proofs",
    metadata,
    Column("organisation", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("shown_by", String, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Column("due_on", Date),
)


class SqlProofs:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, proof: Proof) -> None:
        self._db.execute(delete(proofs).where(proofs.c.organisation == proof.organisation))
        self._db.execute(insert(proofs).values(**asdict(proof)))

    def note_number(self, organisation: str, number: str) -> None:
        self._db.execute(update(organisations).where(organisations.c.id == organisation).values(kvk=number))

    def of_organisation(self, organisation: str) -> Proof | None:
        row = self._db.row(select(proofs).where(proofs.c.organisation == organisation))
        return None if row is None else _proof(row)

    def due_before(self, day: date) -> Sequence[Proof]:
        over = select(proofs).where(proofs.c.due_on < day).order_by(proofs.c.due_on, proofs.c.organisation)
        return [_proof(row) for row in self._db.rows(over)]


def _proof(row: Row[Any]) -> Proof:
    return Proof(row.organisation, row.kind, dict(row.fields), row.shown_by, row.shown_at, row.due_on)
