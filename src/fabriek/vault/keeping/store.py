"""Holds, erasures, rotations, organisations' own keys and seals, kept. None of these rows is ever deleted."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Column, LargeBinary, Row, String, Table, Text, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.kernel.signing import wrapped_under
from fabriek.vault.keeping.erasures import Erasure
from fabriek.vault.keeping.holds import Hold
from fabriek.vault.keeping.homes import HolderKind, OrganisationKeys
from fabriek.vault.keeping.rotations import Rotation, WrappedKey
from fabriek.vault.keeping.seals import SealRecord

holds = Table(
    "vault_holds",
    metadata,
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("lifted_by", String, nullable=False),
    Column("lifted_at", Instant),
    Column("lifted_because", Text, nullable=False),
)

erasures = Table(
    "vault_erasures",
    metadata,
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_by", String, nullable=False),
    Column("erased_at", Instant),
    Column("certificate", Text, nullable=False),
    Column("swept_at", Instant),
)

rotations = Table(
    "vault_rotations",
    metadata,
    Column("id", String, primary_key=True),
    Column("what", String, nullable=False, index=True),
    Column("target", String, nullable=False),
    Column("begun_by", String, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("rewrapped_at", Instant),
    Column("destroyed_at", Instant),
)

organisation_keys = Table(
    "vault_organisation_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("place", String, nullable=False),
    Column("mount", String, nullable=False),
    Column("name", String, nullable=False),
    Column("ca", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
)

seals = Table(
    "vault_seals",
    metadata,
    Column("id", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("sealed_by", String, nullable=False),
    Column("sealed_at", Instant, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("opened_at", Instant),
)


class SqlHolds:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, hold: Hold) -> None:
        self._db.execute(insert(holds).values(asdict(hold)))

    def of_dataset(self, dataset: str) -> Sequence[Hold]:
        rows = self._db.rows(select(holds).where(holds.c.dataset == dataset).order_by(holds.c.id))
        return [Hold(**_said(row)) for row in rows]

    def standing_on(self, datasets: Collection[str]) -> frozenset[str]:
        asked = select(holds.c.dataset).where(holds.c.dataset.in_(datasets), holds.c.lifted_at.is_(None)).distinct()
        return frozenset(row.dataset for row in self._db.rows(asked))

    def save(self, hold: Hold) -> None:
        self._db.execute(update(holds).where(holds.c.id == hold.id).values(asdict(hold)))


class SqlErasures:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, erasure: Erasure) -> None:
        self._db.execute(insert(erasures).values(asdict(erasure)))

    def get(self, erasure_id: str) -> Erasure:
        row = self._db.row(select(erasures).where(erasures.c.id == erasure_id))
        if row is None:
            raise nothing_here()
        return Erasure(**_said(row))

    def save(self, erasure: Erasure) -> None:
        self._db.execute(update(erasures).where(erasures.c.id == erasure.id).values(asdict(erasure)))

    def of_dataset(self, dataset: str) -> Erasure | None:
        asked = select(erasures).where(erasures.c.dataset == dataset, erasures.c.erased_at.is_not(None))
        row = self._db.row(asked)
        return None if row is None else Erasure(**_said(row))

    def to_sweep(self) -> Sequence[Erasure]:
        asked = select(erasures).where(erasures.c.erased_at.is_not(None), erasures.c.swept_at.is_(None))
        return [Erasure(**_said(row)) for row in self._db.rows(asked.order_by(erasures.c.id))]


class SqlRotations:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, rotation: Rotation) -> None:
        self._db.execute(insert(rotations).values(asdict(rotation)))

    def save(self, rotation: Rotation) -> None:
        self._db.execute(update(rotations).where(rotations.c.id == rotation.id).values(asdict(rotation)))

    def unfinished(self, what: str = "") -> Sequence[Rotation]:
        asked = select(rotations).where(rotations.c.destroyed_at.is_(None)).order_by(rotations.c.id)
        return [
            Rotation(**_said(row)) for row in self._db.rows(asked.where(rotations.c.what == what) if what else asked)
        ]

    def newest(self, what: str) -> Rotation | None:
        asked = select(rotations).where(rotations.c.what == what).order_by(rotations.c.id.desc()).limit(1)
        row = self._db.row(asked)
        return None if row is None else Rotation(**_said(row))


class SqlOrganisationKeys:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, keys: OrganisationKeys) -> None:
        self._db.execute(insert(organisation_keys).values(asdict(keys) | {"kind": str(keys.kind)}))

    def newest(self, organisation: str) -> OrganisationKeys | None:
        table = organisation_keys
        asked = select(table).where(table.c.organisation == organisation).order_by(table.c.id.desc()).limit(1)
        row = self._db.row(asked)
        return None if row is None else _organisation_keys(row)

    def save(self, keys: OrganisationKeys) -> None:
        table = organisation_keys
        self._db.execute(update(table).where(table.c.id == keys.id).values(withdrawn_at=keys.withdrawn_at))

    def not_under(self, master: str) -> Sequence[WrappedKey]:
        found = [_organisation_keys(row) for row in self._db.rows(select(organisation_keys))]
        return [
            WrappedKey((one.id,), one.context, one.wrapped) for one in found if wrapped_under(one.wrapped) != master
        ]

    def rewrap(self, key: WrappedKey, fresh: bytes) -> None:
        table = organisation_keys
        same = (table.c.id == key.place[0]) & (table.c.wrapped == key.wrapped)
        self._db.execute(update(table).where(same).values(wrapped=fresh))


class SqlSeals:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, record: SealRecord) -> None:
        self._db.execute(insert(seals).values(asdict(record)))

    def standing(self) -> SealRecord | None:
        row = self._db.row(select(seals).where(seals.c.opened_at.is_(None)))
        return None if row is None else SealRecord(**_said(row))

    def save(self, record: SealRecord) -> None:
        self._db.execute(update(seals).where(seals.c.id == record.id).values(asdict(record)))


def _said(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


def _organisation_keys(row: Row[Any]) -> OrganisationKeys:
    said = _said(row)
    assert set(said) == {one.name for one in fields(OrganisationKeys)}, "the table holds what the noun has"
    changed = {"kind": HolderKind(said["kind"]), "sealed": bytes(said["sealed"]), "wrapped": bytes(said["wrapped"])}
    return OrganisationKeys(**said | changed)
