"""The tables of audit. Events are text, column by column, so that a row with any byte changed can still be read, and named."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
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
from sqlalchemy.exc import OperationalError

from fabriek.adapters.database import Database, metadata
from fabriek.audit.log import Event
from fabriek.kernel.errors import Damaged

events = Table(
    "audit_events",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
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

_ADD = insert(events).inline()
"""Built once: every act of the factory runs it."""


class SqlEvents:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, event: Event) -> None:
        self._db.execute(_ADD, {name: getattr(event, name) for name in _FIELDS})

    def pending(self, limit: int) -> Sequence[tuple[int, Event]]:
        asked = select(events).where(events.c.leaf.is_(None)).order_by(events.c.number).limit(limit)
        return [(row.number, _event(row)) for row in self._read(asked)]

    def give_leaves(self, leaves: Mapping[int, int]) -> None:
        if not leaves:
            return
        given = (
            update(events)
            .where(events.c.number == bindparam("of_number"), events.c.leaf.is_(None))
            .values(leaf=bindparam("to_leaf"))
        )
        self._db.execute(given, [{"of_number": number, "to_leaf": leaf} for number, leaf in leaves.items()])

    def of_leaves(self, start: int, stop: int) -> Sequence[tuple[int, Event]]:
        try:
            rows = self._read(
                select(events).where(events.c.leaf >= start, events.c.leaf < stop).order_by(events.c.leaf)
            )
        except Damaged:
            rows = [row for leaf in range(start, stop) for row in self._of_leaf(leaf)]
        return [(row.leaf, _event(row)) for row in rows]

    def newest(
        self, limit: int, *, before: int = 0, subject: str = "", person: str = ""
    ) -> Sequence[tuple[int, Event]]:
        asked = select(events).order_by(events.c.number.desc()).limit(limit)
        if before:
            asked = asked.where(events.c.number < before)
        if subject:
            asked = asked.where(events.c.subject == subject)
        if person:
            asked = asked.where(events.c.person == person)
        return [(row.number, _event(row)) for row in self._read(asked)]

    def last_leaf(self) -> int:
        highest = self._db.scalar(select(func.max(events.c.leaf)))
        return -1 if highest is None else int(highest)

    def _of_leaf(self, leaf: int) -> Sequence[Row[Any]]:
        try:
            return self._read(select(events).where(events.c.leaf == leaf))
        except Damaged:
            return []

    def _read(self, asked: Executable) -> Sequence[Row[Any]]:
        """Raises Damaged when a row holds bytes that are no text: SQLite stores them, and cannot read them back."""
        try:
            return self._db.rows(asked)
        except OperationalError as error:
            if "decode" not in str(error.orig):
                raise
            raise Damaged(
                "the audit log was changed where it is stored", where="audit_events", fix="fabriek audit verify"
            ) from error


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
    # SQLite keeps whatever type a meddler wrote: as text it can be hashed, and its entry then differs from what was logged.
    return Event(**{name: str(row._mapping[name]) for name in _FIELDS})  # noqa: SLF001  # SQLAlchemy's public name for it
