"""The SQL of reviews of access, and of what stands still."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    Integer,
    Row,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from fabriek.access.joining.reminders import Reminder
from fabriek.access.joining.reviews import Decision, Item, Review, Suspended
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

quarters = Table(
    "access_quarters",
    metadata,
    Column("quarter", String, primary_key=True),
    Column("begun_at", Instant, nullable=False),
)

reviews = Table(
    "access_reviews",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("quarter", String, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("closed_at", Instant),
    UniqueConstraint("project", "quarter"),
)

items = Table(
    "access_review_items",
    metadata,
    Column("review", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("role", String, primary_key=True),
    Column("decision", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided_at", Instant),
)

suspended = Table(
    "access_suspended",
    metadata,
    Column("project", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("role", String, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("review", String, nullable=False),
)

reminders = Table(
    "access_review_reminders",
    metadata,
    Column("review", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("days_before", Integer, primary_key=True, autoincrement=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("given_up", Boolean, nullable=False),
)


class SqlReviews:
    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, quarter: str, now: datetime) -> bool:
        if self._db.row(select(quarters).where(quarters.c.quarter == quarter)) is not None:
            return False
        before = int(self._db.scalar(select(func.count()).select_from(quarters)))
        self._db.execute(insert(quarters).values(quarter=quarter, begun_at=now))
        return before > 0

    def add(self, review: Review, items_of_it: Sequence[Item]) -> None:
        self._db.execute(insert(reviews).values(**asdict(review)))
        for one in items_of_it:
            self._db.execute(insert(items).values(**asdict(one)))

    def save(self, review: Review) -> None:
        self._db.execute(update(reviews).where(reviews.c.id == review.id).values(**asdict(review)))

    def open_ones(self) -> Sequence[Review]:
        waiting = select(reviews).where(reviews.c.closed_at.is_(None)).order_by(reviews.c.id)
        return [_review(row) for row in self._db.rows(waiting)]

    def newest(self, project: str) -> Review | None:
        found = select(reviews).where(reviews.c.project == project).order_by(reviews.c.quarter.desc())
        row = self._db.row(found.limit(1))
        return None if row is None else _review(row)

    def items(self, review: str) -> Sequence[Item]:
        found = select(items).where(items.c.review == review).order_by(items.c.person, items.c.role)
        return [
            Item(row.review, row.person, row.role, Decision(row.decision), row.decided_by, row.decided_at)
            for row in self._db.rows(found)
        ]

    def decide(self, item: Item) -> None:
        self._db.put(items, asdict(item), ["review", "person", "role"])


class SqlReminders:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, reminder: Reminder) -> bool:
        if self._db.row(select(reminders.c.review).where(*_same(reminder))) is not None:
            return False
        self._db.execute(insert(reminders).values(**asdict(reminder)))
        return True

    def of_review(self, review: str) -> Sequence[Reminder]:
        found = (
            select(reminders).where(reminders.c.review == review).order_by(reminders.c.person, reminders.c.days_before)
        )
        return [_reminder(row) for row in self._db.rows(found)]

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Reminder]:
        waits = (reminders.c.sent_at.is_(None), reminders.c.given_up.is_(False), reminders.c.next_at <= now)
        found = select(reminders).where(*waits).order_by(reminders.c.next_at, reminders.c.review, reminders.c.person)
        return [_reminder(row) for row in self._db.rows(found.limit(limit))]

    def save(self, reminder: Reminder) -> None:
        self._db.execute(update(reminders).where(*_same(reminder)).values(**asdict(reminder)))


class SqlSuspended:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, one: Suspended) -> None:
        self._db.put(suspended, asdict(one), ["project", "person", "role"])

    def take(self, project: str, person: str, role: str) -> None:
        same = (suspended.c.project == project, suspended.c.person == person, suspended.c.role == role)
        self._db.execute(delete(suspended).where(*same))

    def of(self, project: str) -> Sequence[Suspended]:
        found = select(suspended).where(suspended.c.project == project).order_by(suspended.c.person)
        return [Suspended(row.project, row.person, row.role, row.since, row.review) for row in self._db.rows(found)]


def _same(one: Reminder) -> tuple[ColumnElement[bool], ...]:
    return (
        reminders.c.review == one.review, reminders.c.person == one.person, reminders.c.days_before == one.days_before
    )  # fmt: skip


def _reminder(row: Row[Any]) -> Reminder:
    return Reminder(
        row.review, row.person, row.days_before, row.made_at, row.next_at, row.tries, row.sent_at, row.given_up
    )


def _review(row: Row[Any]) -> Review:
    return Review(row.id, row.project, row.quarter, row.opened_on, row.due_on, row.closed_at)
