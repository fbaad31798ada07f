"""Damage and walks through the vault, kept; and the order in which the walk goes."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Row, String, Table, Text, delete, func, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.stored import Stored
from fabriek.vault.care.damage import Damage, Pass
from fabriek.vault.keeping.store_keys import object_keys
from fabriek.vault.store import datasets, version_objects, version_of, versions
from fabriek.vault.store_uploads import objects
from fabriek.vault.uploads import StoredObject
from fabriek.vault.versions import Version

AT_ONCE = 500

damages = Table(
    "vault_damage",
    metadata,
    # One of the two is empty: damage of an object is the same in every version that uses it.
    Column("of_version", String, primary_key=True),
    Column("of_object", String, primary_key=True),
    Column("dataset", String, nullable=False, index=True),
    Column("version", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("told_at", Instant),
)

passes = Table(
    "vault_passes",
    metadata,
    Column("id", String, primary_key=True),
    Column("begun_at", Instant, nullable=False),
    Column("bytes_expected", BigInteger, nullable=False),
    Column("position", Text, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("bytes_read", BigInteger, nullable=False),
    Column("damaged", Integer, nullable=False),
    Column("held_until", Instant),
    Column("ended_at", Instant),
)


_KEPT = ("dataset", "version", "object_id", "why", "found_at", "told_at")
"""Paths stand in sealed manifests only: the database, or a copy of it, must not tell them."""


class SqlDamages:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, damage: Damage) -> bool:
        if self._db.row(select(damages.c.dataset).where(_same(damage))) is not None:
            return False
        version, object_id = damage.place
        values = {name: getattr(damage, name) for name in _KEPT} | {"of_version": version, "of_object": object_id}
        self._db.execute(insert(damages).values(values))
        return True

    def remove(self, damage: Damage) -> None:
        self._db.execute(delete(damages).where(_same(damage)))

    def forget(self, objects: Sequence[str]) -> None:
        for start in range(0, len(objects), AT_ONCE):
            self._db.execute(delete(damages).where(damages.c.of_object.in_(objects[start : start + AT_ONCE])))

    def of_dataset(self, dataset: str) -> Sequence[Damage]:
        return self._found(select(damages).where(damages.c.dataset == dataset).order_by(damages.c.found_at))

    def of_version(self, version_id: str) -> Sequence[Damage]:
        return self.of_versions([version_id]).get(version_id, ())

    def of_versions(self, version_ids: Collection[str]) -> Mapping[str, Sequence[Damage]]:
        own = select(damages.c.of_version.label("whose"), damages).where(damages.c.of_version.in_(version_ids))
        uses = (version_objects.c.object == damages.c.of_object) & version_objects.c.version.in_(version_ids)
        used = select(version_objects.c.version.label("whose"), damages).join(version_objects, uses)
        found: dict[str, list[Damage]] = {}
        rows = [*self._db.rows(own), *self._db.rows(used)]
        for row in sorted(rows, key=lambda one: (one.found_at, one.of_version, one.of_object)):
            found.setdefault(row.whose, []).append(_damage(row))
        return found

    def all(self, *, limit: int, untold: bool = False) -> Sequence[Damage]:
        asked = select(damages).order_by(damages.c.found_at.desc()).limit(limit)
        return self._found(asked.where(damages.c.told_at.is_(None)) if untold else asked)

    def told(self, damage: Damage, at: datetime) -> None:
        self._db.execute(update(damages).where(_same(damage)).values(told_at=at))

    def _found(self, asked: Any) -> Sequence[Damage]:
        return [_damage(row) for row in self._db.rows(asked)]


class SqlPasses:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, one: Pass) -> None:
        self._db.execute(delete(passes).where(passes.c.id == one.id))
        self._db.execute(insert(passes).values(asdict(one)))

    def newest(self, *, ended: bool = False) -> Pass | None:
        asked = select(passes).order_by(passes.c.begun_at.desc(), passes.c.id.desc()).limit(1)
        row = self._db.row(asked.where(passes.c.ended_at.is_not(None)) if ended else asked)
        return None if row is None else Pass(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


class SqlWalk:
    def __init__(self, db: Database) -> None:
        self._db = db

    def dataset(self, at: str, *, beyond: bool) -> str:
        here = datasets.c.id > at if beyond else datasets.c.id >= at
        return str(self._db.scalar(select(func.min(datasets.c.id)).where(here, datasets.c.erased_at.is_(None))) or "")

    def version(self, dataset: str, number: int) -> Version | None:
        asked = select(versions).where(
            versions.c.dataset == dataset, versions.c.number >= number, versions.c.removed_at.is_(None)
        )
        row = self._db.row(asked.order_by(versions.c.number).limit(1))
        return None if row is None else version_of(row)

    def own_objects(self, version: str, parent: str, *, after: str, limit: int) -> Sequence[str]:
        asked = select(version_objects.c.object).where(
            version_objects.c.version == version, version_objects.c.object > after
        )
        asked = asked.where(~_used_by(parent)).order_by(version_objects.c.object).limit(limit)
        return [row.object for row in self._db.rows(asked)]

    def do_share(self, version: str, parent: str) -> bool:
        asked = select(version_objects.c.object).where(version_objects.c.version == version, _used_by(parent)).limit(1)
        return self._db.scalar(asked) is not None

    def arrived(self, names: Sequence[str]) -> Mapping[str, StoredObject]:
        found: dict[str, StoredObject] = {}
        for start in range(0, len(names), AT_ONCE):
            asked = select(objects.c.id, objects.c.size, objects.c.sha256)
            rows = self._db.rows(asked.where(objects.c.id.in_(names[start : start + AT_ONCE])))
            found |= {row.id: StoredObject(row.id, row.size, row.sha256) for row in rows}
        return found

    def safe_objects(self, dataset: str, *, after: str, limit: int) -> Sequence[tuple[str, Stored]]:
        asked = select(object_keys).where(object_keys.c.dataset == dataset, object_keys.c.object > after)
        rows = self._db.rows(asked.order_by(object_keys.c.object).limit(limit))
        return [(row.object, Stored(row.size, row.sha256)) for row in rows]

    def numbers_using(self, dataset: str, object_id: str) -> Sequence[int]:
        using = versions.join(version_objects, versions.c.id == version_objects.c.version)
        asked = select(versions.c.number).select_from(using)
        asked = asked.where(
            versions.c.dataset == dataset, versions.c.removed_at.is_(None), version_objects.c.object == object_id
        )
        return [row.number for row in self._db.rows(asked.order_by(versions.c.number))]

    def size_bytes(self) -> int:
        sent, sealed = (self._db.scalar(select(func.sum(column))) for column in (objects.c.size, object_keys.c.size))
        return int(sent or 0) + int(sealed or 0)

    def verified(self, version_id: str, at: datetime) -> None:
        self._db.execute(update(versions).where(versions.c.id == version_id).values(verified_at=at))


def _used_by(version: str) -> Any:
    """Whether the other version uses the object that is asked about."""
    other = version_objects.alias("other")
    same = select(other.c.object).where(other.c.version == version, other.c.object == version_objects.c.object)
    return same.correlate(version_objects).exists()


def _same(damage: Damage) -> Any:
    version, object_id = damage.place
    return (damages.c.of_version == version) & (damages.c.of_object == object_id)


def _damage(row: Row[Any]) -> Damage:
    return Damage(**{name: getattr(row, name) for name in _KEPT})
