"""The SQL of the desk: questions and their answers, experts and what they are booked for."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, Text, insert, select, update

from fabriek.adapters.database import Database, Instant, metadata
from fabriek.kernel.errors import NotFound
from fabriek.knowledge.desk.experts import Booking, BookingState, Expert
from fabriek.knowledge.desk.questions import Answer, Question

questions = Table(
    "knowledge_questions",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
)

answers = Table(
    "knowledge_answers",
    metadata,
    Column("id", String, primary_key=True),
    Column("question", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("answered_at", Instant, nullable=False),
)

experts = Table(
    "knowledge_experts", metadata, Column("person", String, primary_key=True), Column("fields", Text, nullable=False)
)

bookings = Table(
    "knowledge_bookings",
    metadata,
    Column("id", String, primary_key=True),
    Column("expert", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("person", String, nullable=False),
    Column("hours", Integer, nullable=False),
    Column("about", Text, nullable=False),
    Column("booked_at", Instant, nullable=False),
    Column("state", String, nullable=False),
)


class SqlQuestions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, question: Question) -> None:
        self._db.execute(insert(questions).values(**asdict(question)))

    def get(self, question_id: str) -> Question:
        row = self._db.row(select(questions).where(questions.c.id == question_id))
        if row is None:
            raise NotFound("there is no such question", fix="fabriek ask ls")
        return Question(row.id, row.person, row.text, row.asked_at)

    def all(self, *, limit: int) -> Sequence[Question]:
        rows = self._db.rows(select(questions).order_by(questions.c.id.desc()).limit(limit))
        return [Question(row.id, row.person, row.text, row.asked_at) for row in rows]

    def add_answer(self, answer: Answer) -> None:
        self._db.execute(insert(answers).values(**asdict(answer)))

    def answers(self, question_id: str) -> Sequence[Answer]:
        rows = self._db.rows(select(answers).where(answers.c.question == question_id).order_by(answers.c.id))
        return [Answer(row.id, row.question, row.person, row.text, row.answered_at) for row in rows]


class SqlExperts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, expert: Expert) -> None:
        if not self._db.execute(update(experts).where(experts.c.person == expert.person).values(fields=expert.fields)):
            self._db.execute(insert(experts).values(**asdict(expert)))

    def get(self, person: str) -> Expert:
        row = self._db.row(select(experts).where(experts.c.person == person))
        if row is None:
            raise NotFound("there is no such expert", fix="fabriek expert ls")
        return Expert(row.person, row.fields)

    def all(self) -> Sequence[Expert]:
        return [Expert(row.person, row.fields) for row in self._db.rows(select(experts).order_by(experts.c.person))]

    def put_booking(self, booking: Booking) -> None:
        if not self._db.execute(update(bookings).where(bookings.c.id == booking.id).values(**asdict(booking))):
            self._db.execute(insert(bookings).values(**asdict(booking)))

    def booking(self, booking_id: str) -> Booking:
        row = self._db.row(select(bookings).where(bookings.c.id == booking_id))
        if row is None:
            raise NotFound("there is no such booking", fix="fabriek expert bookings")
        return _booking(row)

    def bookings(self, person: str) -> Sequence[Booking]:
        mine = (bookings.c.expert == person) | (bookings.c.person == person)
        return [_booking(row) for row in self._db.rows(select(bookings).where(mine).order_by(bookings.c.id.desc()))]


def _booking(row: Row[Any]) -> Booking:
    return Booking(**(dict(row._mapping) | {"state": BookingState(row.state)}))  # noqa: SLF001  # a row's names
