"""The SQL of packages."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists, NotFound
from fabriek.packages.files import Approval, File
from fabriek.packages.findings import Finding, Weight
from fabriek.packages.names import Pinned
from fabriek.packages.requests import Request, State
from fabriek.packages.shelf import no_such_file

files = Table(
    "packages_files",
    metadata,
    Column("name", String, primary_key=True),
    Column("package", String, nullable=False, index=True),
    Column("version", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("object_id", String, nullable=False),
    Column("tags", String, nullable=False),
    Column("requires_python", String, nullable=False),
    Column("licence", String, nullable=False),
    Column("summary", Text, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("added_by", String, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_for", Text, nullable=False),
)

# Apart from the files: a list of hundreds must not carry a megabyte for each.
texts = Table(
    "packages_metadata",
    metadata,
    Column("file", String, primary_key=True),
    Column("raw", LargeBinary, nullable=False),
)

approvals = Table(
    "packages_approvals",
    metadata,
    Column("file", String, nullable=False),
    Column("project", String, nullable=False, index=True),
    Column("request", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("despite", Text, nullable=False),
    UniqueConstraint("file", "project"),
)

requests = Table(
    "packages_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("package", String, nullable=False),
    Column("version", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("files", JSON, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided_at", Instant),
    Column("decision", Text, nullable=False),
)


class SqlFiles:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, file: File, raw_metadata: bytes) -> None:
        if self._db.row(select(files.c.name).where(files.c.name == file.name)) is not None:
            raise AlreadyExists(f"{file.name} is kept already", fix=f"fabriek package show {file.package}")
        self._db.execute(insert(files).values(**_file_row(file)))
        self._db.execute(insert(texts).values(file=file.name, raw=raw_metadata))

    def get(self, name: str) -> File:
        row = self._db.row(select(files).where(files.c.name == name))
        if row is None:
            raise no_such_file()
        return _file(row)

    def metadata(self, name: str) -> bytes:
        found = self._db.scalar(select(texts.c.raw).where(texts.c.file == name))
        if found is None:
            raise no_such_file()
        return bytes(found)

    def save(self, file: File) -> None:
        self._db.execute(update(files).where(files.c.name == file.name).values(**_file_row(file)))

    def of_package(self, package: str) -> Sequence[File]:
        wanted = select(files).order_by(files.c.package, files.c.name)
        return [_file(row) for row in self._db.rows(wanted.where(files.c.package == package) if package else wanted)]

    def withdrawn(self) -> Sequence[str]:
        wanted = select(files.c.name).where(files.c.withdrawn_at.is_not(None)).order_by(files.c.name)
        return [row[0] for row in self._db.rows(wanted)]


class SqlApprovals:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, approval: Approval) -> None:
        there = (approvals.c.file == approval.file) & (approvals.c.project == approval.project)
        if self._db.row(select(approvals.c.file).where(there)) is None:
            self._db.execute(insert(approvals).values(**asdict(approval)))

    def of_files(self, files: Collection[str]) -> Sequence[Approval]:
        if not files:
            return []
        wanted = (
            select(approvals).where(approvals.c.file.in_(list(files))).order_by(approvals.c.at, approvals.c.project)
        )
        return [_approval(row) for row in self._db.rows(wanted)]

    def packages(self, projects: Collection[str]) -> Sequence[str]:
        there = approvals.c.project.in_(list(projects)) & files.c.withdrawn_at.is_(None)
        joined = select(files.c.package).join(approvals, approvals.c.file == files.c.name).where(there)
        return [row[0] for row in self._db.rows(joined.distinct().order_by(files.c.package))]

    def names(self) -> Collection[str]:
        joined = select(files.c.package).join(approvals, approvals.c.file == files.c.name).distinct()
        return {row[0] for row in self._db.rows(joined)}


class SqlRequests:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, request: Request) -> None:
        row = _request_row(request)
        if not self._db.execute(update(requests).where(requests.c.id == request.id).values(**row)):
            self._db.execute(insert(requests).values(**row))

    def get(self, request_id: str) -> Request:
        row = self._db.row(select(requests).where(requests.c.id == request_id))
        if row is None:
            raise NotFound("there is no such request", fix="fabriek package requests")
        return _request(row)

    def of_project(self, project: str) -> Sequence[Request]:
        wanted = select(requests).order_by(requests.c.id.desc())
        return [
            _request(row) for row in self._db.rows(wanted.where(requests.c.project == project) if project else wanted)
        ]

    def open_for(self, project: str, package: Pinned) -> Request | None:
        same = (
            (requests.c.project == project)
            & (requests.c.package == package.name)
            & (requests.c.version == package.version)
        )
        row = self._db.row(select(requests).where(same, requests.c.state.in_([State.ASKED, State.SCANNED])))
        return None if row is None else _request(row)

    def in_state(self, state: State) -> Sequence[Request]:
        return [
            _request(row)
            for row in self._db.rows(select(requests).where(requests.c.state == state).order_by(requests.c.id))
        ]


def _file_row(file: File) -> dict[str, Any]:
    return {name: value for name, value in asdict(file).items() if name != "findings"} | {
        "findings": [[one.rule, str(one.weight), one.says] for one in file.findings]
    }


def _file(row: Row[Any]) -> File:
    found = tuple(Finding(rule, Weight(weight), says) for rule, weight, says in row.findings)
    return File(**(dict(row._mapping) | {"findings": found}))  # noqa: SLF001  # a row's names


def _approval(row: Row[Any]) -> Approval:
    return Approval(**row._mapping)  # noqa: SLF001  # a row's names


def _request_row(request: Request) -> dict[str, Any]:
    return asdict(request) | {
        "package": request.package.name,
        "version": request.package.version,
        "files": list(request.files),
    }


def _request(row: Row[Any]) -> Request:
    fields = dict(row._mapping)  # noqa: SLF001  # a row's names
    package = Pinned(fields.pop("package"), fields.pop("version"))
    return Request(**(fields | {"package": package, "state": State(row.state), "files": tuple(row.files)}))
