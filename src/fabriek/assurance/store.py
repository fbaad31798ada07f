"""The SQL of assurance."""

from contextlib import AbstractContextManager

from sqlalchemy import Column, String, Table, Text, insert, select

from fabriek.adapters.database import Database, metadata

statements = Table(
    "assurance_statements", metadata, Column("job", String, primary_key=True), Column("envelope", Text, nullable=False)
)


class SqlStatements:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, job: str, envelope: str) -> None:
        self._db.execute(insert(statements).values(job=job, envelope=envelope))

    def of_job(self, job: str) -> str:
        return str(self._db.scalar(select(statements.c.envelope).where(statements.c.job == job)) or "")
