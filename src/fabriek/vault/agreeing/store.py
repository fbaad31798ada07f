"""Terms and who accepted them, kept."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Column, Integer, Row, String, Table, Text, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.vault.agreeing.terms import Acceptance, Terms

terms = Table(
    "vault_terms",
    metadata,
    Column("dataset", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("sha256", String, nullable=False),
    Column("questions", JSON, nullable=False),
    Column("committee", JSON, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Instant, nullable=False),
)

acceptances = Table(
    "vault_acceptances",
    metadata,
    Column("dataset", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("accepted_at", Instant, nullable=False),
)


class SqlTerms:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, made: Terms) -> None:
        values = {column.name: getattr(made, column.name) for column in terms.columns}
        lists = {"questions": list(made.questions), "committee": list(made.committee)}
        self._db.execute(insert(terms).values(values | lists))

    def numbered(self, dataset: str, number: int) -> Terms | None:
        asked = select(terms).where(terms.c.dataset == dataset).order_by(terms.c.number.desc()).limit(1)
        row = self._db.row(asked.where(terms.c.number == number) if number else asked)
        return None if row is None else _terms(row)

    def accept(self, acceptance: Acceptance) -> None:
        if acceptance.number not in self.accepted_by(acceptance.person, acceptance.dataset):
            values = {column.name: getattr(acceptance, column.name) for column in acceptances.columns}
            self._db.execute(insert(acceptances).values(values))

    def accepted_by(self, person: str, dataset: str) -> frozenset[int]:
        theirs = (acceptances.c.person == person, acceptances.c.dataset == dataset)
        return frozenset(row.number for row in self._db.rows(select(acceptances.c.number).where(*theirs)))

    def acceptances(self, dataset: str) -> Sequence[Acceptance]:
        asked = select(acceptances).where(acceptances.c.dataset == dataset)
        rows = self._db.rows(asked.order_by(acceptances.c.accepted_at.desc(), acceptances.c.person))
        return [Acceptance(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name for it


def _terms(row: Row[Any]) -> Terms:
    values = {"questions": tuple(row.questions), "committee": tuple(row.committee)}
    return Terms(**dict(row._mapping) | values)  # noqa: SLF001  # SQLAlchemy's public name for it
