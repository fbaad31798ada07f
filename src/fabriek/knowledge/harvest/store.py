"""The SQL of sources and of what came from each."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, Text, delete, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound
from fabriek.knowledge.harvest.sources import Harvested, Source

sources = Table(
    "knowledge_sources",
    metadata,
    # What was left out is lines.
    Column("id", String, primary_key=True),
    Column("address", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("added_by", String, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("tried_at", Instant),
    Column("good_at", Instant),
    Column("trouble", Text, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("left_out", Text, nullable=False),
    Column("left_out_count", Integer, nullable=False),
)

harvested = Table(
    "knowledge_harvested",
    metadata,
    Column("source", String, primary_key=True),
    Column("identifier", String, primary_key=True),
    Column("entry", String, nullable=False, unique=True),
    Column("address", String, nullable=False),
)

AT_ONCE = 500


class SqlSources:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, source: Source) -> None:
        self._db.put(sources, asdict(source) | {"left_out": "\n".join(source.left_out)}, ["id"])

    def get(self, source_id: str) -> Source:
        row = self._db.row(select(sources).where(sources.c.id == source_id))
        if row is None:
            raise NotFound("there is no such source", fix="fabriek catalogue harvest ls")
        return _source(row)

    def all(self) -> Sequence[Source]:
        return [_source(row) for row in self._db.rows(select(sources).order_by(sources.c.added_at, sources.c.id))]

    def remove(self, source_id: str) -> None:
        self._db.execute(delete(harvested).where(harvested.c.source == source_id))
        self._db.execute(delete(sources).where(sources.c.id == source_id))

    def harvested(self, source_id: str) -> Mapping[str, Harvested]:
        rows = self._db.rows(select(harvested).where(harvested.c.source == source_id))
        return {row.identifier: _harvested(row) for row in rows}


class SqlHarvests:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, one: Harvested) -> None:
        self._db.put(harvested, asdict(one), ["source", "identifier"])

    def forget(self, source_id: str, identifiers: Collection[str]) -> None:
        listed = sorted(identifiers)
        for at in range(0, len(listed), AT_ONCE):
            some = harvested.c.identifier.in_(listed[at : at + AT_ONCE])
            self._db.execute(delete(harvested).where(harvested.c.source == source_id, some))

    def of_entry(self, entry_id: str) -> Harvested | None:
        row = self._db.row(select(harvested).where(harvested.c.entry == entry_id))
        return None if row is None else _harvested(row)


def _source(row: Row[Any]) -> Source:
    return Source(**{**row._mapping, "left_out": tuple(row.left_out.splitlines())})  # noqa: SLF001  # the public name of a row as a mapping


def _harvested(row: Row[Any]) -> Harvested:
    return Harvested(row.source, row.identifier, row.entry, row.address)
