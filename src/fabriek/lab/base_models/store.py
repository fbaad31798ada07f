"""The SQL of base models."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    exists,
    insert,
    select,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.lab.base_models.models import BaseModel, Content, ModelFile, Revision, Use

base_models = Table(
    "lab_base_models",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("label", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("branches", JSON, nullable=False),
)

revisions = Table(
    "lab_base_revisions",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("commit", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("licence", String, nullable=False),
    Column("card", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("files", Integer, nullable=False),
    Column("has_code", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String, nullable=False),
)

files = Table(
    "lab_base_files",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("commit", String, primary_key=True),
    Column("path", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("is_code", Boolean, nullable=False),
)

contents = Table(
    "lab_base_contents",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("object_id", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("arrived_at", Instant, nullable=False),
)

uses = Table(
    "lab_base_uses",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("commit", String, primary_key=True),
    Column("job", String, primary_key=True, index=True),
    Column("person", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("licence", String, nullable=False),
    Column("label", String, nullable=False),
)

AMONG_MAX = 500
"""Values in one question: SQLite takes some ten thousand, and PostgreSQL's plans grow with them."""


class SqlBaseModels:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, model: BaseModel) -> None:
        self._db.put(base_models, asdict(model), ("project", "name"))

    def get(self, project: str, name: str) -> BaseModel | None:
        row = self._db.row(select(base_models).where(base_models.c.project == project, base_models.c.name == name))
        return None if row is None else _model(row)

    def of_project(self, project: str) -> Sequence[BaseModel]:
        wanted = select(base_models).where(base_models.c.project == project).order_by(base_models.c.name)
        return [_model(row) for row in self._db.rows(wanted)]

    def remove(self, model: BaseModel) -> None:
        for table in (files, revisions, base_models):
            self._db.execute(delete(table).where(table.c.project == model.project, table.c.name == model.name))

    def add_revision(self, revision: Revision, files_of: Sequence[ModelFile]) -> None:
        if self.revision(revision.project, revision.name, revision.commit) is not None:
            return
        self._db.execute(insert(revisions).values(**asdict(revision)))
        place = {"project": revision.project, "name": revision.name, "commit": revision.commit}
        self._db.execute(insert(files), [place | asdict(one) for one in files_of])

    def revision(self, project: str, name: str, commit: str) -> Revision | None:
        wanted = select(revisions).where(
            revisions.c.project == project, revisions.c.name == name, revisions.c.commit == commit
        )
        row = self._db.row(wanted)
        return None if row is None else _revision(row)

    def files(self, project: str, name: str, commit: str) -> Sequence[ModelFile]:
        wanted = (
            select(files.c.path, files.c.sha256, files.c.size, files.c.is_code)
            .where(files.c.project == project, files.c.name == name, files.c.commit == commit)
            .order_by(files.c.path)
        )
        return [ModelFile(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names


class SqlContents:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, content: Content) -> None:
        self._db.execute(insert(contents).values(**asdict(content)))

    def among(self, project: str, name: str, sha256s: Sequence[str]) -> Sequence[Content]:
        found = []
        for start in range(0, len(sha256s), AMONG_MAX):
            wanted = select(contents).where(
                contents.c.project == project,
                contents.c.name == name,
                contents.c.sha256.in_(sha256s[start : start + AMONG_MAX]),
            )
            found += [_content(row) for row in self._db.rows(wanted)]
        return found

    def unused(self, project: str, before: datetime) -> Sequence[Content]:
        used = exists().where(
            files.c.project == contents.c.project,
            files.c.name == contents.c.name,
            files.c.sha256 == contents.c.sha256,
        )
        wanted = select(contents).where(contents.c.project == project, contents.c.arrived_at < before, ~used)
        return [_content(row) for row in self._db.rows(wanted)]

    def of_model(self, project: str, name: str) -> Sequence[Content]:
        wanted = select(contents).where(contents.c.project == project, contents.c.name == name)
        return [_content(row) for row in self._db.rows(wanted)]

    def remove(self, content: Content) -> None:
        self._db.execute(
            delete(contents).where(
                contents.c.project == content.project,
                contents.c.name == content.name,
                contents.c.sha256 == content.sha256,
            )
        )


class SqlUses:
    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, use: Use) -> bool:
        key = {"project", "name", "commit", "job", "person", "day"}
        known = select(uses.c.job).where(*(uses.c[name] == value for name, value in asdict(use).items() if name in key))
        if self._db.row(known) is not None:
            return False
        # Two that read at once: on PostgreSQL the second would fail on the key, so they go one after another.
        with self._db.transaction(alone=f"base-model-use:{use.job or use.person}:{use.commit}"):
            if self._db.row(known) is not None:
                return False
            self._db.execute(insert(uses).values(**asdict(use)))
        return True

    def of_job(self, job: str) -> Sequence[Use]:
        wanted = select(uses).where(uses.c.job == job).order_by(uses.c.name, uses.c.commit)
        return [Use(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names


def _model(row: Row[Any]) -> BaseModel:
    return BaseModel(**row._mapping)  # noqa: SLF001  # a row's names


def _revision(row: Row[Any]) -> Revision:
    return Revision(**row._mapping)  # noqa: SLF001  # a row's names


def _content(row: Row[Any]) -> Content:
    return Content(**row._mapping)  # noqa: SLF001  # a row's names
