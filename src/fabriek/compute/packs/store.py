"""The SQL of packs. What is never asked for alone stands in one JSON column: a pack is read whole."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Row, String, Table, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.packs.packs import Pack, PackedInput, Returned, State
from fabriek.kernel.errors import NotFound
from fabriek.kernel.purposes import Purpose

packs = Table(
    "compute_packs",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("state", String, nullable=False),
    Column("packed_at", Instant, nullable=False),
    Column("facts", JSON, nullable=False),
)


class SqlPacks:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, pack: Pack) -> None:
        self._db.execute(insert(packs).values(**_fields(pack)))

    def get(self, pack_id: str) -> Pack:
        row = self._db.row(select(packs).where(packs.c.id == pack_id))
        if row is None:
            raise NotFound("there is no such pack", fix="fabriek pack ls")
        return _pack(row)

    def save(self, pack: Pack) -> None:
        self._db.execute(update(packs).where(packs.c.id == pack.id).values(**_fields(pack)))

    def of_project(self, project: str, *, limit: int) -> Sequence[Pack]:
        wanted = select(packs).where(packs.c.project == project).order_by(packs.c.id.desc()).limit(limit)
        return [_pack(row) for row in self._db.rows(wanted)]


def _fields(pack: Pack) -> dict[str, Any]:
    facts = asdict(pack)
    fields = {name: facts.pop(name) for name in ("id", "project", "person", "state", "packed_at")}
    if pack.returned is not None:
        facts["returned"]["at"] = pack.returned.at.isoformat()
    return {**fields, "facts": facts}


def _pack(row: Row[Any]) -> Pack:
    facts = dict(row.facts)
    returned = facts.pop("returned")
    if returned is not None:
        returned = Returned(**returned | {"at": datetime.fromisoformat(returned["at"])})
    facts["inputs"] = tuple(PackedInput(**one) for one in facts["inputs"])
    facts["argv"], facts["purpose"] = tuple(facts["argv"]), Purpose(facts["purpose"])
    return Pack(
        id=row.id,
        project=row.project,
        person=row.person,
        state=State(row.state),
        packed_at=row.packed_at,
        returned=returned,
        **facts,
    )
