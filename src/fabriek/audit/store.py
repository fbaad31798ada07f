"""The tables of audit. Events are text, column by column, so that a row with any byte changed can still be read, and named."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.audit.log import Event

events = Table(
    "audit_events",
    metadata,
    Column("row", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    # Given by the sequencer, after the commit: at commit time nobody can know which of two open transactions comes first.
    Column("leaf", BigInteger, unique=True),
    Column("id", String, nullable=False, unique=True),
    Column("at", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("person", String, nullable=False, index=True),
    Column("organisation", String, nullable=False),
    Column("job", String, nullable=False),
    Column("request", String, nullable=False),
    Column("facts", Text, nullable=False),
)

tiles = Table(
    "audit_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

checkpoints = Table("audit_checkpoint", metadata, Column("note", Text, primary_key=True))
"""One row: the newest. Older ones are kept by those who must not trust us."""

_FIELDS = ("id", "at", "action", "subject", "person", "organisation", "job", "request", "facts")


class SqlEvents:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, event: Event) -> None:
        self._db.execute(insert(events).values({name: getattr(event, name) for name in _FIELDS}))

    def pending(self, limit: int) -> Sequence[tuple[int, Event]]:
        asked = select(events).where(events.c.leaf.is_(None)).order_by(events.c.row).limit(limit)
        return [(row.row, _event(row)) for row in self._db.rows(asked)]

    def give_leaves(self, leaves: Mapping[int, int]) -> None:
        if not leaves:
            return
        given = (
            update(events)
            .where(events.c.row == bindparam("of_row"), events.c.leaf.is_(None))
            .values(leaf=bindparam("to_leaf"))
        )
        self._db.execute(given, [{"of_row": row, "to_leaf": leaf} for row, leaf in leaves.items()])

    def of_leaves(self, start: int, stop: int) -> Sequence[tuple[int, Event]]:
        asked = select(events).where(events.c.leaf >= start, events.c.leaf < stop).order_by(events.c.leaf)
        return [(row.leaf, _event(row)) for row in self._db.rows(asked)]

    def newest(
        self, limit: int, *, before: int = 0, subject: str = "", person: str = ""
    ) -> Sequence[tuple[int, Event]]:
        asked = select(events).order_by(events.c.row.desc()).limit(limit)
        if before:
            asked = asked.where(events.c.row < before)
        if subject:
            asked = asked.where(events.c.subject == subject)
        if person:
            asked = asked.where(events.c.person == person)
        return [(row.row, _event(row)) for row in self._db.rows(asked)]

    def count(self) -> tuple[int, int]:
        row = self._db.row(
            select(func.count(events.c.leaf).label("numbered"), func.count(events.c.row).label("everything"))
        )
        assert row is not None
        return row.numbered, row.everything - row.numbered


class SqlTrees:
    def __init__(self, db: Database) -> None:
        self._db = db

    def tile(self, level: int, index: int) -> bytes:
        found = self._db.scalar(select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.index == index))
        return bytes(found) if found is not None else b""

    def keep_tile(self, level: int, index: int, hashes: bytes) -> None:
        there = update(tiles).where(tiles.c.level == level, tiles.c.index == index).values(hashes=hashes)
        if self._db.execute(there) == 0:
            self._db.execute(insert(tiles).values(level=level, index=index, hashes=hashes))

    def checkpoint(self) -> str:
        return str(self._db.scalar(select(checkpoints.c.note)) or "")

    def keep_checkpoint(self, note: str) -> None:
        self._db.execute(delete(checkpoints))
        self._db.execute(insert(checkpoints).values(note=note))


def _event(row: Row[Any]) -> Event:
    return Event(**{name: row._mapping[name] for name in _FIELDS})  # noqa: SLF001  # SQLAlchemy's public name for it
