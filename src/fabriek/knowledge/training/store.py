"""The SQL of lessons, seats and certificates."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Boolean, Column, Date, Index, Integer, Row, String, Table, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound
from fabriek.knowledge.training.courses import Certificate, Lesson, Seat, SeatState

lessons = Table(
    "knowledge_lessons",
    metadata,
    Column("id", String, primary_key=True),
    Column("course", String, nullable=False),
    Column("on", Date, nullable=False, index=True),
    Column("place", String, nullable=False),
    Column("language", String, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("teacher", String, nullable=False),
    Column("cancelled", Boolean, nullable=False),
)

seats = Table(
    "knowledge_seats",
    metadata,
    Column("lesson", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("asked_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Index("knowledge_seats_person", "person"),
)

certificates = Table(
    "knowledge_certificates",
    metadata,
    Column("id", String, primary_key=True),
    Column("course", String, nullable=False),
    Column("person", String, nullable=False),
    Column("lesson", String, nullable=False),
    Column("given_by", String, nullable=False),
    Column("given_on", Date, nullable=False),
    Column("until", Date, nullable=False),
    Index("knowledge_certificates_person", "person", "course"),
)


class SqlLessons:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, lesson: Lesson) -> None:
        self._db.put(lessons, asdict(lesson), ["id"])

    def get(self, lesson_id: str) -> Lesson:
        row = self._db.row(select(lessons).where(lessons.c.id == lesson_id))
        if row is None:
            raise NotFound("there is no such lesson", fix="fabriek training ls")
        return Lesson(**row._mapping)  # noqa: SLF001  # a row's names

    def since(self, day: date, *, course: str = "") -> Sequence[Lesson]:
        wanted = select(lessons).where(lessons.c.on >= day, lessons.c.cancelled.is_(False))
        wanted = wanted.where(lessons.c.course == course) if course else wanted
        return [Lesson(**row._mapping) for row in self._db.rows(wanted.order_by(lessons.c.on, lessons.c.id))]  # noqa: SLF001

    def put_seat(self, seat: Seat) -> None:
        self._db.put(seats, asdict(seat), ["lesson", "person"])

    def seats(self, lesson_id: str) -> Sequence[Seat]:
        wanted = select(seats).where(seats.c.lesson == lesson_id).order_by(seats.c.asked_at, seats.c.person)
        return [_seat(row) for row in self._db.rows(wanted)]

    def seats_of(self, person: str) -> Sequence[Seat]:
        wanted = select(seats).where(seats.c.person == person).order_by(seats.c.asked_at.desc())
        return [_seat(row) for row in self._db.rows(wanted)]


class SqlCertificates:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, certificate: Certificate) -> None:
        self._db.execute(insert(certificates).values(**asdict(certificate)))

    def of_person(self, person: str, *, course: str = "") -> Sequence[Certificate]:
        wanted = select(certificates).where(certificates.c.person == person)
        wanted = wanted.where(certificates.c.course == course) if course else wanted
        rows = self._db.rows(wanted.order_by(certificates.c.given_on.desc(), certificates.c.id.desc()))
        return [Certificate(**row._mapping) for row in rows]  # noqa: SLF001


def _seat(row: Row[Any]) -> Seat:
    return Seat(row.lesson, row.person, row.asked_at, SeatState(row.state))
