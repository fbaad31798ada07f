"""The SQL of classes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, Date, Integer, Row, String, Table, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from fabriek.access.joining.classes import Class, ClassState, Place, PlaceState
from fabriek.adapters.database import Database, metadata
from fabriek.kernel.errors import AlreadyExists, nothing_here

classes = Table(
    "access_classes",
    metadata,
    Column("id", String, primary_key=True),
    Column("slug", String, nullable=False, unique=True),
    Column("title", String, nullable=False),
    Column("project", String, nullable=False, index=True),
    Column("teacher", String, nullable=False),
    Column("allocation", String, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("gpu_micro_each", BigInteger, nullable=False),
    Column("cpu_micro_each", BigInteger, nullable=False),
    Column("state", String, nullable=False, index=True),
)

places = Table(
    "access_places",
    metadata,
    Column("course", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("allocation", String, nullable=False),
    Column("state", String, nullable=False),
)


class SqlClasses:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, course: Class) -> None:
        try:
            self._db.execute(insert(classes).values(**asdict(course)))
        except IntegrityError:
            raise AlreadyExists(f"there is a class {course.slug} already", fix="give it another name") from None

    def save(self, course: Class) -> None:
        self._db.execute(update(classes).where(classes.c.id == course.id).values(**asdict(course)))

    def named(self, name: str) -> Class:
        row = self._db.row(select(classes).where(or_(classes.c.id == name, classes.c.slug == name)))
        if row is None:
            raise nothing_here()
        return _class(row)

    def of_projects(self, projects: Sequence[str]) -> Sequence[Class]:
        wanted = select(classes).where(classes.c.project.in_(projects)).order_by(classes.c.id.desc())
        return [_class(row) for row in self._db.rows(wanted)]

    def places_of(self, person: str) -> Sequence[Place]:
        wanted = select(places).where(places.c.person == person, places.c.state == PlaceState.ACTIVE)
        return [_place(row) for row in self._db.rows(wanted.order_by(places.c.course))]

    def not_closed(self) -> Sequence[Class]:
        wanted = select(classes).where(classes.c.state != ClassState.CLOSED).order_by(classes.c.id)
        return [_class(row) for row in self._db.rows(wanted)]

    def put_place(self, place: Place) -> None:
        same = (places.c.course == place.course, places.c.number == place.number)
        if not self._db.execute(update(places).where(*same).values(state=place.state)):
            self._db.execute(insert(places).values(**asdict(place)))

    def places(self, course: str) -> Sequence[Place]:
        rows = self._db.rows(select(places).where(places.c.course == course).order_by(places.c.number))
        return [_place(row) for row in rows]


def _place(row: Row[Any]) -> Place:
    return Place(row.course, row.number, row.person, row.project, row.allocation, PlaceState(row.state))


def _class(row: Row[Any]) -> Class:
    return Class(
        row.id, row.slug, row.title, row.project, row.teacher, row.allocation, row.starts_on, row.ends_on, row.gpu_micro_each,
        row.cpu_micro_each, ClassState(row.state),
    )  # fmt: skip
