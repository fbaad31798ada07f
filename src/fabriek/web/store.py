"""The answers that were given under an Idempotency-Key."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, Text, bindparam, delete, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

answers = Table(
    "web_answers",
    metadata,
    Column("scope", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("kept_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, under the person, job and key that it was given to."""

    scope: str
    fingerprint: str
    status: int
    body: str
    kept_at: datetime


# Built once: every POST asks and keeps.
_KNOWN = select(answers).where(answers.c.scope == bindparam("of"), answers.c.kept_at >= bindparam("since"))
_FORGET, _KEEP = delete(answers).where(answers.c.scope == bindparam("of")), insert(answers)


class SqlAnswers:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, scope: str, *, since: datetime) -> Answer | None:
        row = self._db.row(_KNOWN, {"of": scope, "since": since})
        return None if row is None else Answer(row.scope, row.fingerprint, row.status, row.body, row.kept_at)

    def keep(self, answer: Answer) -> None:
        """Replaces one under the same key that has run out."""
        self._db.execute(_FORGET, {"of": answer.scope})
        self._db.execute(_KEEP, asdict(answer))

    def forget(self, *, before: datetime) -> int:
        return self._db.execute(delete(answers).where(answers.c.kept_at < before))
