"""The SQL of served models and their keys. No prompt and no answer has a column here."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Row, String, Table, UniqueConstraint, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.serving.keys import Budget, Period, ServingKey, Unit
from fabriek.compute.serving.served import Kind, Served
from fabriek.kernel.errors import NotFound

served_models = Table(
    "serving_models",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("name", String, nullable=False),
    Column("model", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("model_id", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("label", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("job", String, nullable=False),
    Column("person", String, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("project", "name"),
)

keys = Table(
    "serving_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("served", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("hint", String, nullable=False),
    Column("name", String, nullable=False),
    Column("person", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("unit", String, nullable=False),
    Column("period", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_from", Date, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("used_at", Instant),
    Column("ended_at", Instant),
    Column("ended_why", String, nullable=False),
    Column("payer", String, nullable=False, server_default=""),
    Column("tokens_settled", BigInteger, nullable=False, server_default="0"),
    Index("serving_keys_by_holder", "project", "person"),
)


class SqlServedModels:
    """Served models, in either database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, served: Served) -> None:
        self._db.put(served_models, asdict(served), ("id",))

    def get(self, served_id: str) -> Served:
        row = self._db.row(select(served_models).where(served_models.c.id == served_id))
        if row is None:
            raise NotFound("there is no such served model", fix="fabriek model served")
        return _served(row)

    def named(self, project: str, name: str) -> Served | None:
        row = self._db.row(
            select(served_models).where(served_models.c.project == project, served_models.c.name == name)
        )
        return None if row is None else _served(row)

    def of_project(self, project: str) -> Sequence[Served]:
        wanted = select(served_models).where(served_models.c.project == project).order_by(served_models.c.name)
        return [_served(row) for row in self._db.rows(wanted)]


class SqlServingKeys:
    """Their keys."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, key: ServingKey) -> None:
        kept = {name: value for name, value in asdict(key).items() if name != "budget"}
        self._db.put(keys, kept | asdict(key.budget), ("id",))

    def get(self, key_id: str) -> ServingKey:
        row = self._db.row(select(keys).where(keys.c.id == key_id))
        if row is None:
            raise NotFound("there is no such key", fix="fabriek model key ls SERVED")
        return _key(row)

    def hashed(self, hash_: str) -> ServingKey | None:
        row = self._db.row(select(keys).where(keys.c.hash == hash_))
        return None if row is None else _key(row)

    def of_served(self, served: str) -> Sequence[ServingKey]:
        return [
            _key(row) for row in self._db.rows(select(keys).where(keys.c.served == served).order_by(keys.c.id.desc()))
        ]

    def to_settle(self) -> Sequence[str]:
        counted = keys.c.tokens_in + keys.c.tokens_out
        wanted = select(keys.c.id).where(keys.c.payer != "", counted > keys.c.tokens_settled).order_by(keys.c.id)
        return [row.id for row in self._db.rows(wanted)]

    def holders(self) -> Sequence[tuple[str, str]]:
        wanted = select(keys.c.project, keys.c.person).where(keys.c.ended_at.is_(None)).distinct()
        return [(row.project, row.person) for row in self._db.rows(wanted)]

    def of_holder(self, project: str, person: str) -> Sequence[ServingKey]:
        theirs = (keys.c.project == project) & (keys.c.person == person) & keys.c.ended_at.is_(None)
        return [_key(row) for row in self._db.rows(select(keys).where(theirs))]


def _served(row: Row[Any]) -> Served:
    plain = dict(row._mapping)  # noqa: SLF001  # a row's names
    return Served(**plain | {"kind": Kind(plain["kind"])})


def _key(row: Row[Any]) -> ServingKey:
    plain = dict(row._mapping)  # noqa: SLF001  # a row's names
    budget = Budget(plain.pop("amount"), Unit(plain.pop("unit")), Period(plain.pop("period")))
    return ServingKey(budget=budget, **plain)
