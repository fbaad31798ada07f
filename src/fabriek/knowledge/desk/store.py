"""The SQL of the desk: questions and their answers, experts and what they are booked for."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Column, Date, Integer, Row, String, Table, Text, func, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
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
    Column("accepted", String, nullable=False, server_default=""),
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
    "knowledge_experts",
    metadata,
    Column("person", String, primary_key=True),
    Column("fields", Text, nullable=False),
    Column("skills", Text, nullable=False, server_default=""),
    Column("languages", Text, nullable=False, server_default=""),
    Column("hours_a_week", Integer, nullable=False, server_default="8"),
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
    Column("week", Date, nullable=False, index=True),
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
        return _question(row)

    def all(self, *, limit: int) -> Sequence[Question]:
        rows = self._db.rows(select(questions).order_by(questions.c.id.desc()).limit(limit))
        return [_question(row) for row in rows]

    def accept(self, question_id: str, answer_id: str) -> None:
        self._db.execute(update(questions).where(questions.c.id == question_id).values(accepted=answer_id))

    def add_answer(self, answer: Answer) -> None:
        self._db.execute(insert(answers).values(**asdict(answer)))

    def answers(self, question_id: str) -> Sequence[Answer]:
        rows = self._db.rows(select(answers).where(answers.c.question == question_id).order_by(answers.c.id))
        return [Answer(row.id, row.question, row.person, row.text, row.answered_at) for row in rows]


class SqlExperts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, expert: Expert) -> None:
        lists = {"skills": " ".join(expert.skills), "languages": " ".join(expert.languages)}
        self._db.put(experts, asdict(expert) | lists, ["person"])

    def get(self, person: str) -> Expert:
        row = self._db.row(select(experts).where(experts.c.person == person))
        if row is None:
            raise NotFound("there is no such expert", fix="fabriek expert ls")
        return _expert(row)

    def all(self) -> Sequence[Expert]:
        return [_expert(row) for row in self._db.rows(select(experts).order_by(experts.c.person))]

    def put_booking(self, booking: Booking) -> None:
        self._db.put(bookings, asdict(booking), ["id"])

    def booking(self, booking_id: str) -> Booking:
        row = self._db.row(select(bookings).where(bookings.c.id == booking_id))
        if row is None:
            raise NotFound("there is no such booking", fix="fabriek expert bookings")
        return _booking(row)

    def bookings(self, person: str) -> Sequence[Booking]:
        mine = (bookings.c.expert == person) | (bookings.c.person == person)
        return [_booking(row) for row in self._db.rows(select(bookings).where(mine).order_by(bookings.c.id.desc()))]

    def hours_in(self, week: date) -> Mapping[str, int]:
        counted = (
            select(bookings.c.expert, func.sum(bookings.c.hours).label("hours"))
            .where(bookings.c.week == week, bookings.c.state != BookingState.CANCELLED)
            .group_by(bookings.c.expert)
        )
        return {row.expert: int(row.hours) for row in self._db.rows(counted)}


def _question(row: Row[Any]) -> Question:
    return Question(row.id, row.person, row.text, row.asked_at, row.accepted)


def _expert(row: Row[Any]) -> Expert:
    return Expert(row.person, row.fields, tuple(row.skills.split()), tuple(row.languages.split()), row.hours_a_week)


def _booking(row: Row[Any]) -> Booking:
    return Booking(**(dict(row._mapping) | {"state": BookingState(row.state)}))  # noqa: SLF001  # a row's names
