"""The SQL of cases."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Date, Integer, Row, String, Table, Text, and_, insert, or_, select
from sqlalchemy.exc import IntegrityError

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists, nothing_here
from fabriek.knowledge.cases.cases import Case, CaseState, Step
from fabriek.knowledge.cases.documents import Document

cases = Table(
    "knowledge_cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("organisation", String, nullable=False, index=True),
    Column("project", String, nullable=False, index=True),
    Column("question", String, nullable=False),
    Column("title", String, nullable=False),
    Column("level", String, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", String, nullable=False),
    Column("handler", String, nullable=False, index=True),
    Column("waiting_since", Date),
)

steps = Table(
    "knowledge_case_steps",
    metadata,
    Column("case", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", String, nullable=False),
    Column("words", Text, nullable=False),
)

documents = Table(
    "knowledge_case_documents",
    metadata,
    Column("case", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("text", Text, nullable=False),
)


class SqlCases:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, case: Case) -> None:
        self._db.put(cases, asdict(case), ["id"])

    def get(self, case_id: str) -> Case:
        row = self._db.row(select(cases).where(cases.c.id == case_id))
        if row is None:
            raise nothing_here()
        return _case(row)

    def all(self, *, limit: int) -> Sequence[Case]:
        over = cases.c.state == CaseState.CLOSED
        return [
            _case(row) for row in self._db.rows(select(cases).order_by(over, cases.c.due_on, cases.c.id).limit(limit))
        ]

    def known_to(self, person: str, projects: Collection[str], organisation: str) -> Sequence[Case]:
        theirs = [cases.c.person == person, cases.c.handler == person, cases.c.project.in_(projects)]
        if organisation:
            theirs.append(and_(cases.c.organisation == organisation, cases.c.project == ""))
        over = cases.c.state == CaseState.CLOSED
        found = self._db.rows(select(cases).where(or_(*theirs)).order_by(over, cases.c.due_on, cases.c.id))
        return [_case(row) for row in found]

    def add_step(self, step: Step) -> None:
        self._db.execute(insert(steps).values(**asdict(step)))

    def steps(self, case_id: str) -> Sequence[Step]:
        rows = self._db.rows(select(steps).where(steps.c.case == case_id).order_by(steps.c.number))
        return [Step(**row._mapping) for row in rows]  # noqa: SLF001  # a row's names


class SqlDocuments:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, document: Document) -> None:
        try:
            self._db.execute(insert(documents).values(**asdict(document)))
        except IntegrityError:
            raise AlreadyExists("there is a version of that number already", fix="read it, and write again") from None

    def versions(self, case_id: str) -> Sequence[Document]:
        rows = self._db.rows(select(documents).where(documents.c.case == case_id).order_by(documents.c.number.desc()))
        return [Document(**row._mapping) for row in rows]  # noqa: SLF001


def _case(row: Row[Any]) -> Case:
    return Case(**(dict(row._mapping) | {"state": CaseState(row.state)}))  # noqa: SLF001  # a row's names
