"""Files on their way in, kept."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.vault.intake.arrivals import Arrival, Stretch
from fabriek.vault.keeping.store import holds
from fabriek.vault.store_uploads import objects as stored_objects
from fabriek.vault.store_uploads import uploads
from fabriek.vault.uploads import Progress

OVERDUE_AT_ONCE = 100
AT_ONCE = 500
HASH_CHARACTERS = 64

arrivals = Table(
    "vault_arrivals",
    metadata,
    Column("id", String, primary_key=True),
    Column("upload", String, nullable=False, index=True),
    # In plain while the upload is open, since names that collide are found by it; empty once it is a version or was given up.
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("told", Text, nullable=False),
    Column("lone", Boolean, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("given_up", Boolean, nullable=False),
    # One behind the other, 64 characters each.
    Column("blocks", Text, nullable=False),
)

stretches = Table(
    "vault_arrival_stretches",
    metadata,
    Column("arrival", String, primary_key=True),
    # The same stretch never arrives twice: of two requests that both believe to be next, the database lets one in.
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("object_id", String, nullable=False),
)


class SqlArrivals:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, arrival: Arrival) -> None:
        self._db.execute(insert(arrivals).values(_values(arrival)))

    def get(self, arrival_id: str) -> Arrival:
        row = self._db.row(select(arrivals).where(arrivals.c.id == arrival_id))
        if row is None:
            raise nothing_here()
        return _arrival(row)

    def save(self, arrival: Arrival, stretch: Stretch | None = None) -> None:
        self._db.execute(update(arrivals).where(arrivals.c.id == arrival.id).values(_values(arrival)))
        if stretch is not None:
            self._db.execute(
                insert(stretches).values({column.name: getattr(stretch, column.name) for column in stretches.columns})
            )

    def of_upload(self, upload_id: str, *, beside: str = "") -> Sequence[Arrival]:
        asked = select(arrivals).where(arrivals.c.upload == upload_id, arrivals.c.given_up.is_(False))
        if beside:
            below = func.substr(arrivals.c.path, 1, len(beside) + 1) == f"{beside}/"
            above = accumulate(beside.split("/"), lambda folder, name: f"{folder}/{name}")  # and itself
            asked = asked.where(or_(arrivals.c.path.in_(list(above)), below))
        return sorted((_arrival(row) for row in self._db.rows(asked)), key=lambda one: one.path)

    def count(self, upload_id: str) -> int:
        asked = select(func.count()).where(arrivals.c.upload == upload_id, arrivals.c.given_up.is_(False))
        return int(self._db.scalar(asked))

    def stretches(self, *arrivals: str) -> Sequence[Stretch]:
        found, ordered = list[Stretch](), sorted(arrivals)
        for start in range(0, len(ordered), AT_ONCE):
            asked = select(stretches).where(stretches.c.arrival.in_(ordered[start : start + AT_ONCE]))
            rows = self._db.rows(asked.order_by(stretches.c.arrival, stretches.c.start))
            found += [Stretch(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name for it
        return found

    def forget(self, arrival_id: str, *, objects: bool) -> None:
        if objects:
            gone = select(stretches.c.object_id).where(stretches.c.arrival == arrival_id)
            self._db.execute(delete(stored_objects).where(stored_objects.c.id.in_(gone)))
        self._db.execute(delete(stretches).where(stretches.c.arrival == arrival_id))
        self._db.execute(delete(arrivals).where(arrivals.c.id == arrival_id))

    def forget_names(self, upload_id: str) -> None:
        of_it = update(arrivals).where(arrivals.c.upload == upload_id)
        self._db.execute(of_it.values(path="", told=""))

    def overdue(self, now: datetime) -> Sequence[Arrival]:
        standing = select(holds.c.id).where(holds.c.dataset == uploads.c.dataset, holds.c.lifted_at.is_(None))
        # What is in a version, and what was given up before the hold, leaves nothing behind that it would keep.
        goes = or_(uploads.c.progress == str(Progress.COMMITTED), ~standing.exists())
        over = or_(arrivals.c.given_up.is_(True), and_(uploads.c.expires_at <= now, goes))
        asked = select(arrivals).join(uploads, uploads.c.id == arrivals.c.upload).where(over).limit(OVERDUE_AT_ONCE)
        return [_arrival(row) for row in self._db.rows(asked)]

    def on_the_way(self, person: str, now: datetime) -> int:
        open_ones = (uploads.c.person == person) & (uploads.c.progress == Progress.OPEN) & (uploads.c.expires_at > now)
        asked = (
            select(func.coalesce(func.sum(arrivals.c.size), 0))
            .join(uploads, uploads.c.id == arrivals.c.upload)
            .where(open_ones, arrivals.c.given_up.is_(False))
        )
        return int(self._db.scalar(asked))


def _values(arrival: Arrival) -> dict[str, Any]:
    return {column.name: getattr(arrival, column.name) for column in arrivals.columns} | {
        "blocks": "".join(arrival.blocks)
    }


def _arrival(row: Row[Any]) -> Arrival:
    blocks = tuple([row.blocks[at : at + HASH_CHARACTERS] for at in range(0, len(row.blocks), HASH_CHARACTERS)])
    return Arrival(**dict(row._mapping) | {"blocks": blocks})  # noqa: SLF001  # SQLAlchemy's public name for it
