"""The SQL of readings, of how far storage is booked, and of who owes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, String, Table, func, insert, literal, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.metering.readings import Reading, Storage
from fabriek.funding.resources import Resource
from fabriek.funding.store import allocations, balances
from fabriek.kernel.purposes import Purpose

readings = Table(
    "funding_readings",
    metadata,
    Column("key", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("resource", String, nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("owed_micro", BigInteger, nullable=False),
    Column("over_micro", BigInteger, nullable=False),
    Column("transaction", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("booked_at", Instant, nullable=False),
    Index("funding_readings_of_project", "project", "at"),
)

storages = Table(
    "funding_storages",
    metadata,
    Column("project", String, primary_key=True),
    Column("level_bytes", BigInteger, nullable=False),
    Column("rest", BigInteger, nullable=False),
    Column("read_at", Instant, nullable=False),
)


class SqlReadings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> Reading | None:
        row = self._db.row(select(readings).where(readings.c.key == key))
        return None if row is None else _reading(dict(row._mapping))  # noqa: SLF001  # a row's names

    def add(self, reading: Reading) -> None:
        self._db.execute(insert(readings).values(**asdict(reading)))

    def of_project(self, project: str, *, limit: int) -> Sequence[Reading]:
        wanted = select(readings).where(readings.c.project == project)
        wanted = wanted.order_by(readings.c.at.desc(), readings.c.key).limit(limit)
        return [_reading(dict(row._mapping)) for row in self._db.rows(wanted)]  # noqa: SLF001


class SqlStorages:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, project: str) -> Storage | None:
        row = self._db.row(select(storages).where(storages.c.project == project))
        return None if row is None else Storage(row.project, row.level_bytes, row.rest, row.read_at)

    def put(self, storage: Storage) -> None:
        self._db.put(storages, asdict(storage), ("project",))

    def levels(self) -> Mapping[str, int]:
        wanted = select(storages.c.project, storages.c.level_bytes).where(storages.c.level_bytes > 0)
        return {row.project: row.level_bytes for row in self._db.rows(wanted)}

    def last_read(self) -> datetime | None:
        row = self._db.row(select(func.max(storages.c.read_at).label("at")))
        return None if row is None else row.at


class SqlDebts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def owing(self) -> Sequence[str]:
        owed = literal("debt:") + allocations.c.id == balances.c.account
        wanted = select(allocations.c.project).select_from(balances.join(allocations, owed)).distinct()
        wanted = wanted.where(balances.c.account.like("debt:%"), balances.c.amount_micro < 0)
        return [row.project for row in self._db.rows(wanted.order_by(allocations.c.project))]


def _reading(plain: dict[str, object]) -> Reading:
    words = {"purpose": Purpose(str(plain["purpose"])), "resource": Resource(str(plain["resource"]))}
    return Reading(**plain | words)  # type: ignore[arg-type]  # the columns are the fields
