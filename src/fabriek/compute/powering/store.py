"""The SQL of powering: acts of the ladder, the grid operator's messages, readings of meters, the record of quarters."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    insert,
    select,
    text,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.powering.acts import Taken
from fabriek.compute.powering.ladder import Step
from fabriek.compute.powering.messages import Late, Message, Said, Standing
from fabriek.compute.powering.quarters import From, Quarter
from fabriek.compute.powering.readings import Reading

acts = Table(
    "compute_power_acts",
    metadata,
    Column("id", String, primary_key=True),
    Column("job", String, nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("step", String, nullable=False),
    Column("limit_at", Instant, nullable=False),
    Column("allowed_watts", BigInteger, nullable=False),
    Column("planned_watts", BigInteger, nullable=False),
    Column("metered", Boolean, nullable=False),
    Column("watts", BigInteger, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("ended_at", Instant),
    Column("failed", Boolean, nullable=False),
    # Each step on an attempt stands once, whoever else thinks of it at that moment.
    Index(
        "compute_power_one_act", "job", "attempt", "step", unique=True, sqlite_where=text("ended_at is null"),
        postgresql_where=text("ended_at is null"),
    ),
)  # fmt: skip

messages = Table(
    "compute_power_messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("announced_at", Instant, nullable=False),
    Column("begins_at", Instant),
    Column("ends_at", Instant),
    Column("watts", BigInteger),
    Column("replaces", String, nullable=False),
    Column("withdraws", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False, index=True),
    Column("sent_by", String, nullable=False),
    Column("standing", String, nullable=False),
    Column("late", String, nullable=False),
    Column("limit", String, nullable=False),
    Column("confirmation", String, nullable=False),
    Column("confirmed_at", Instant, nullable=False),
    Column("confirmed_by", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("followed_by", String, nullable=False),
)

readings = Table(
    "compute_power_readings",
    metadata,
    Column("meter", String, primary_key=True),
    Column("at", Instant, primary_key=True, index=True),
    Column("watts", BigInteger),
    Column("counter_wh", BigInteger),
    Column("received_at", Instant, nullable=False),
)

quarters = Table(
    "compute_power_quarters",
    metadata,
    Column("at", Instant, primary_key=True),
    Column("counted_until", Instant, nullable=False),
    Column("known_seconds", Float, nullable=False),
    Column("planned_joules", Float, nullable=False),
    Column("estimated_joules", Float, nullable=False),
    Column("allowed_watts", BigInteger),
    Column("drawn_watts", BigInteger),
    Column("drawn_from", String, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("warned", Boolean, nullable=False),
)


class SqlPowerActs:
    """What the ladder did."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, taken: Taken) -> None:
        self._db.execute(insert(acts).values(**asdict(taken)))

    def save(self, taken: Taken) -> None:
        self._db.execute(update(acts).where(acts.c.id == taken.id).values(**asdict(taken)))

    def standing(self) -> Sequence[Taken]:
        return [_taken(row) for row in self._db.rows(select(acts).where(acts.c.ended_at.is_(None)).order_by(acts.c.id))]

    def since(self, at: datetime) -> Sequence[Taken]:
        return [_taken(row) for row in self._db.rows(select(acts).where(acts.c.at >= at).order_by(acts.c.id))]


class SqlPowerMessages:
    """What grid operators sent."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, message: Message) -> None:
        self._db.execute(insert(messages).values(**_values(message)))

    def save(self, message: Message) -> None:
        self._db.execute(update(messages).where(messages.c.id == message.said.id).values(**_values(message)))

    def find(self, message_id: str) -> Message | None:
        row = self._db.row(select(messages).where(messages.c.id == message_id))
        return None if row is None else _message(row)

    def latest(self, *, limit: int) -> Sequence[Message]:
        newest = select(messages).order_by(messages.c.received_at.desc(), messages.c.id.desc()).limit(limit)
        return [_message(row) for row in self._db.rows(newest)]


class SqlPowerReadings:
    """What meters said."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, reading: Reading) -> None:
        self._db.execute(insert(readings).values(**asdict(reading)))

    def at(self, meter: str, at: datetime) -> Reading | None:
        row = self._db.row(select(readings).where(readings.c.meter == meter, readings.c.at == at))
        return None if row is None else _reading(row)

    def within(self, begin: datetime, end: datetime) -> Sequence[Reading]:
        c = readings.c
        asked = select(readings).where(c.at >= begin, c.at <= end).order_by(c.at, c.meter)
        return [_reading(row) for row in self._db.rows(asked)]


class SqlPowerQuarters:
    """The record."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, quarter: Quarter) -> None:
        values = asdict(quarter) | {"drawn_from": str(quarter.drawn_from)}
        if not self._db.execute(update(quarters).where(quarters.c.at == quarter.at).values(**values)):
            self._db.execute(insert(quarters).values(**values))

    def last(self) -> Quarter | None:
        row = self._db.row(select(quarters).order_by(quarters.c.at.desc()).limit(1))
        return None if row is None else _quarter(row)

    def within(self, begin: datetime, end: datetime) -> Sequence[Quarter]:
        asked = select(quarters).where(quarters.c.at >= begin, quarters.c.at < end).order_by(quarters.c.at)
        return [_quarter(row) for row in self._db.rows(asked)]


def _taken(row: Row[Any]) -> Taken:
    return Taken(**dict(row._mapping) | {"step": Step(row.step)})  # noqa: SLF001  # the documented way to a row's names


def _values(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = asdict(message)
    said: dict[str, Any] = plain.pop("said")
    return plain | said | {"digest": message.said.digest, "standing": str(message.standing), "late": str(message.late)}


def _message(row: Row[Any]) -> Message:
    said = Said(row.id, row.announced_at, row.begins_at, row.ends_at, row.watts, row.replaces, row.withdraws)
    return Message(
        said, row.received_at, row.sent_by, Standing(row.standing), Late(row.late), row.limit, row.confirmation, row.confirmed_at,
        row.confirmed_by, row.answer, row.followed_by,
    )  # fmt: skip


def _reading(row: Row[Any]) -> Reading:
    return Reading(row.meter, row.at, row.watts, row.counter_wh, row.received_at)


def _quarter(row: Row[Any]) -> Quarter:
    return Quarter(**dict(row._mapping) | {"drawn_from": From(row.drawn_from)})  # noqa: SLF001  # the documented way to a row's names
