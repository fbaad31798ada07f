"""Datasets and versions, kept. The vault's other tables are in store_uploads, store_sharing and store_tags, and in each room's own store."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists, nothing_here
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.keeping.homes import KeyHome
from fabriek.vault.versions import Record, Version, read_record

NAMES_AT_ONCE = 5_000
"""In one question: databases take so many thousand values and no more, and one page of a manifest may name a million objects."""

datasets = Table(
    "vault_datasets",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("name", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("label", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String, nullable=False),
    Column("sources", Text, nullable=False),
    Column("job", String, nullable=False, index=True),
    Column("sequence", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("is_published", Boolean, nullable=False),
    Column("key_home", String, nullable=False, server_default="installation"),
    Column("keep_until", Date),
    Column("erase_after", Date),
    Column("erased_at", Instant),
    UniqueConstraint("project", "name"),
)

versions = Table(
    "vault_versions",
    metadata,
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String, nullable=False),
    Column("record", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    # A removed version keeps its row, so that its number is never given again and the log speaks of something.
    Column("removed_at", Instant),
    Column("verified_at", Instant),
    UniqueConstraint("dataset", "number"),
)

version_objects = Table(
    "vault_version_objects",
    metadata,
    Column("version", String, primary_key=True),
    Column("object", String, primary_key=True),
    # What a collector asks: is this object used by any version at all?
    Index("vault_version_objects_by_object", "object"),
)


class SqlDatasets:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, dataset: Dataset) -> None:
        # Asked first: on PostgreSQL a broken constraint would spoil the whole transaction. Callers are alone with the project.
        if self._db.row(_named(dataset.project, dataset.name)) is not None:
            raise AlreadyExists(
                f"the project has a dataset {dataset.name} already",
                fix="choose another name, or push a new version of it",
            )
        try:
            self._db.execute(insert(datasets).values(_values(dataset)))
        except IntegrityError:
            raise AlreadyExists(f"the project has a dataset {dataset.name} already", fix="try again") from None

    def get(self, dataset_id: str) -> Dataset:
        return _dataset(self._db.row(select(datasets).where(datasets.c.id == dataset_id)))

    def among(self, ids: Collection[str]) -> Mapping[str, Dataset]:
        found = {}
        for some in in_parts(ids):
            for row in self._db.rows(select(datasets).where(datasets.c.id.in_(some))):
                found[row.id] = _dataset(row)
        return found

    def named(self, project: str, name: str) -> Dataset:
        return _dataset(self._db.row(_named(project, name)))

    def of_project(self, project: str, kind: Kind, *, limit: int, after: str) -> Sequence[Dataset]:
        asked = (
            select(datasets)
            .where(datasets.c.project == project, datasets.c.kind == str(kind), datasets.c.name > after)
            .order_by(datasets.c.name)
            .limit(limit)
        )
        return [_dataset(row) for row in self._db.rows(asked)]

    def save(self, dataset: Dataset) -> None:
        self._db.execute(update(datasets).where(datasets.c.id == dataset.id).values(_values(dataset)))

    def to_erase(self, today: date) -> Sequence[Dataset]:
        asked = select(datasets).where(datasets.c.erase_after < today, datasets.c.erased_at.is_(None))
        return [_dataset(row) for row in self._db.rows(asked.order_by(datasets.c.id))]

    def labels(self) -> frozenset[str]:
        return frozenset(row.label for row in self._db.rows(select(datasets.c.label).distinct()))

    def from_job(self, job: str) -> Sequence[Dataset]:
        asked = select(datasets).where(datasets.c.job == job, datasets.c.job != "").order_by(datasets.c.created_at)
        return [_dataset(row) for row in self._db.rows(asked)]

    def from_jobs(self, jobs: Collection[str]) -> Sequence[Dataset]:
        parts = (select(datasets).where(datasets.c.job.in_(some), datasets.c.job != "") for some in in_parts(jobs))
        return [_dataset(row) for asked in parts for row in self._db.rows(asked)]


class SqlVersions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, version: Version, objects: Collection[str]) -> None:
        taken = select(versions.c.id).where(versions.c.dataset == version.dataset, versions.c.number == version.number)
        if self._db.scalar(taken) is not None:
            raise AlreadyExists("the dataset has a version of that number", fix="push again")
        values = {
            "id": version.id,
            "dataset": version.dataset,
            "number": version.number,
            "created_at": version.created_at,
            "created_by": version.created_by,
        }
        self._db.execute(insert(versions).values(values | _changing(version)))
        if objects:
            rows = [{"version": version.id, "object": name} for name in sorted(objects)]
            self._db.execute(insert(version_objects), rows)

    def get(self, version_id: str) -> Version:
        return version_of(self._db.row(_standing().where(versions.c.id == version_id)))

    def numbered(self, dataset: str, number: int) -> Version:
        asked = _standing().where(versions.c.dataset == dataset).order_by(versions.c.number.desc()).limit(1)
        return version_of(self._db.row(asked.where(versions.c.number == number) if number else asked))

    def newest_of(self, of: Collection[str]) -> Mapping[str, Version]:
        newest = select(versions.c.dataset, func.max(versions.c.number).label("number"))
        newest = newest.where(versions.c.dataset.in_(of), versions.c.removed_at.is_(None)).group_by(versions.c.dataset)
        last = newest.subquery()
        asked = select(versions).join(
            last, (versions.c.dataset == last.c.dataset) & (versions.c.number == last.c.number)
        )
        return {row.dataset: version_of(row) for row in self._db.rows(asked)}

    def of_dataset(self, dataset: str) -> Sequence[Version]:
        asked = _standing().where(versions.c.dataset == dataset).order_by(versions.c.number.desc())
        return [version_of(row) for row in self._db.rows(asked)]

    def save(self, version: Version) -> None:
        self._db.execute(update(versions).where(versions.c.id == version.id).values(_changing(version)))
        if version.removed_at is not None:
            self._db.execute(delete(version_objects).where(version_objects.c.version == version.id))

    def labels(self) -> frozenset[str]:
        """Every label in a record of a version that stands. Raises Damaged on what is not a record."""
        return frozenset(read_record(row.record).label for row in self._db.rows(_standing()))

    def last_number(self, dataset: str) -> int:
        return int(self._db.scalar(select(func.max(versions.c.number)).where(versions.c.dataset == dataset)) or 0)

    def uses(self, version_id: str, object_id: str) -> bool:
        asked = select(version_objects.c.object).where(
            version_objects.c.version == version_id, version_objects.c.object == object_id
        )
        return self._db.scalar(asked) is not None

    def among(self, version_id: str, names: Collection[str]) -> frozenset[str]:
        wanted, found = list(names), set[str]()
        asked = select(version_objects.c.object).where(version_objects.c.version == version_id)
        for start in range(0, len(wanted), NAMES_AT_ONCE):
            some = version_objects.c.object.in_(wanted[start : start + NAMES_AT_ONCE])
            found.update(row.object for row in self._db.rows(asked.where(some)))
        return frozenset(found)

    def count_objects(self, version_id: str) -> int:
        return int(self._db.scalar(select(func.count()).where(version_objects.c.version == version_id)))

    def objects(self, version_id: str) -> frozenset[str]:
        asked = select(version_objects.c.object).where(version_objects.c.version == version_id)
        return frozenset(row.object for row in self._db.rows(asked))


def in_parts(names: Collection[str]) -> Iterator[Sequence[str]]:
    """As many at a time as one question takes."""
    ordered = sorted(names)
    for start in range(0, len(ordered), NAMES_AT_ONCE):
        yield ordered[start : start + NAMES_AT_ONCE]


def _standing() -> Any:
    return select(versions).where(versions.c.removed_at.is_(None))


def _named(project: str, name: str) -> Any:
    return select(datasets).where(datasets.c.project == project, datasets.c.name == name)


def _values(dataset: Dataset) -> dict[str, Any]:
    values = {column.name: getattr(dataset, column.name) for column in datasets.columns}
    return values | {
        "kind": str(dataset.kind), "sources": " ".join(dataset.sources), "key_home": str(dataset.key_home),
    }  # fmt: skip


def _dataset(row: Row[Any] | None) -> Dataset:
    if row is None:
        raise nothing_here()
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return Dataset(
        **values | {"kind": Kind(row.kind), "sources": tuple(row.sources.split()), "key_home": KeyHome(row.key_home)}
    )


def _changing(version: Version) -> dict[str, Any]:
    return {
        "record": version.record.text,
        "signature": version.record.signature,
        "epoch": version.epoch,
        "wrapped_key": version.wrapped_key,
        "removed_at": version.removed_at,
    }


def version_of(row: Row[Any] | None) -> Version:
    if row is None:
        raise nothing_here()
    record = Record(row.record, bytes(row.signature))
    return Version(
        row.id, row.dataset, row.number, row.created_at, row.created_by, record, row.epoch, bytes(row.wrapped_key),
        verified_at=row.verified_at,
    )  # fmt: skip
