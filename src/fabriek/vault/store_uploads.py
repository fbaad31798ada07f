"""Uploads and the objects that they brought, kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Row,
    String,
    Table,
    and_,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists, QuotaExhausted, nothing_here
from fabriek.kernel.stored import Stored
from fabriek.vault.store import datasets, version_objects
from fabriek.vault.uploads import Progress, StoredObject, Upload

uploads = Table(
    "vault_uploads",
    metadata,
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False),
    Column("label", String, nullable=False),
    Column("person", String, nullable=False),
    Column("job", String, nullable=False, index=True),
    Column("parent", String, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("progress", String, nullable=False),
    Column("version", String, nullable=False),
)

objects = Table(
    "vault_objects",
    metadata,
    Column("id", String, primary_key=True),
    Column("upload", String, nullable=False, index=True),
    Column("size", BigInteger),
    Column("sha256", String, nullable=False),
    Column("stored_at", Instant),
    # Named by its client as part of the version to come.
    Column("used", Boolean, nullable=False, server_default=false()),
)

left_objects = Table(
    "vault_left_objects",
    metadata,
    Column("upload", String, primary_key=True),
    # Of the parent's, one that the version to come does not use. Gone once the version stands.
    Column("object", String, primary_key=True),
)


class SqlUploads:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, upload: Upload) -> None:
        self._db.execute(insert(uploads).values(_values(upload)))

    def get(self, upload_id: str) -> Upload:
        return upload_of(self._db.row(select(uploads).where(uploads.c.id == upload_id)))

    def save(self, upload: Upload) -> None:
        self._db.execute(update(uploads).where(uploads.c.id == upload.id).values(_values(upload)))

    def of_job(self, job: str) -> Upload | None:
        row = self._db.row(
            select(uploads).where(uploads.c.job == job, uploads.c.job != "").order_by(uploads.c.id.desc()).limit(1)
        )
        return None if row is None else upload_of(row)

    def open_of(self, person: str, project: str, now: datetime) -> Sequence[Upload]:
        asked = select(uploads).join(datasets, datasets.c.id == uploads.c.dataset)
        theirs = (uploads.c.person == person, datasets.c.project == project)
        is_open = (uploads.c.progress == str(Progress.OPEN), uploads.c.expires_at > now)
        return [upload_of(row) for row in self._db.rows(asked.where(*theirs, *is_open).order_by(uploads.c.id))]

    def mint(self, upload: Upload, names: Sequence[str], *, objects_max: int) -> None:
        minted = int(self._db.scalar(select(func.count()).where(objects.c.upload == upload.id)))
        if minted + len(names) > objects_max:
            raise QuotaExhausted(
                f"a version has at most {objects_max} objects",
                limit=objects_max,
                used=minted,
                fix="push fewer or larger files",
            )
        self._db.execute(insert(objects), [{"id": name, "upload": upload.id, "sha256": ""} for name in names])

    def stored(self, object_id: str, stored: Stored, at: datetime) -> bool:
        arrived = {"size": stored.size, "sha256": stored.sha256, "stored_at": at}
        is_same = and_(objects.c.size == stored.size, objects.c.sha256 == stored.sha256)
        here = update(objects).where(objects.c.id == object_id, or_(objects.c.size.is_(None), is_same))
        if self._db.execute(here.values(arrived)):
            return True
        if self._db.scalar(select(func.count()).where(objects.c.id == object_id)):
            raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")
        return False

    def objects(self, upload_id: str, among: Collection[str]) -> Mapping[str, StoredObject]:
        asked = select(objects.c.id, objects.c.size, objects.c.sha256).where(objects.c.upload == upload_id)
        return {
            row.id: StoredObject(row.id, row.size, row.sha256)
            for row in self._db.rows(asked.where(objects.c.id.in_(among)))
        }

    def held(self) -> Mapping[str, int]:
        """Project → sealed bytes of what versions that stand use; an object that many versions of its dataset use counts once."""
        is_used = select(version_objects.c.object).where(version_objects.c.object == objects.c.id).exists()
        of_upload = (
            select(objects.c.upload, func.sum(objects.c.size).label("bytes"))
            .where(is_used)
            .group_by(objects.c.upload)
            .subquery()
        )
        sent = of_upload.join(uploads, of_upload.c.upload == uploads.c.id)
        sent = sent.join(datasets, uploads.c.dataset == datasets.c.id)
        asked = select(datasets.c.project, func.sum(of_upload.c.bytes).label("bytes")).select_from(sent)
        asked = asked.where(datasets.c.erased_at.is_(None)).group_by(datasets.c.project)
        return {row.project: int(row.bytes or 0) for row in self._db.rows(asked)}

    def use(self, upload: Upload, wanted: Collection[str], left: Collection[str]) -> None:
        if wanted:
            of_it = update(objects).where(objects.c.upload == upload.id, objects.c.id.in_(wanted))
            self._db.execute(of_it.values(used=True))
        if left:
            self._db.execute(
                delete(left_objects).where(left_objects.c.upload == upload.id, left_objects.c.object.in_(left))
            )
            self._db.execute(insert(left_objects), [{"upload": upload.id, "object": name} for name in left])

    def forget_uses(self, upload: Upload) -> None:
        self._db.execute(update(objects).where(objects.c.upload == upload.id, objects.c.used).values(used=False))
        self._db.execute(delete(left_objects).where(left_objects.c.upload == upload.id))

    def settle(self, upload: Upload, version_id: str, *, on_parent: bool) -> int:
        """In the database alone: the names of a version's objects never pass through here."""
        target = ["version", "object"]
        own = select(literal(version_id), objects.c.id).where(objects.c.upload == upload.id, objects.c.used)
        self._db.execute(insert(version_objects).from_select(target, own))
        if on_parent:
            left = select(left_objects.c.object).where(left_objects.c.upload == upload.id)
            kept = select(literal(version_id), version_objects.c.object).where(
                version_objects.c.version == upload.parent, version_objects.c.object.not_in(left)
            )
            self._db.execute(insert(version_objects).from_select(target, kept))
        self._db.execute(delete(left_objects).where(left_objects.c.upload == upload.id))
        return int(self._db.scalar(select(func.count()).where(version_objects.c.version == version_id))) - 1


def _values(upload: Upload) -> dict[str, Any]:
    values = {column.name: getattr(upload, column.name) for column in uploads.columns}
    return values | {"progress": str(upload.progress)}


def upload_of(row: Row[Any] | None) -> Upload:
    if row is None:
        raise nothing_here()
    return Upload(**dict(row._mapping) | {"progress": Progress(row.progress)})  # noqa: SLF001  # SQLAlchemy's public name for it
