"""The SQL of jobs that ran at other sites."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    Row,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.elsewhere.foreign import Dump, ForeignJob, ForeignKey, Mapped, Refused
from fabriek.funding.reports import ForeignTotal
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import NotFound

KEYS_AT_ONCE = 250
KEY, JOB = (tuple(one.name for one in fields(noun)) for noun in (ForeignKey, ForeignJob))

foreign_jobs = Table(
    "funding_foreign_jobs",
    metadata,
    Column("key", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("cluster", String, nullable=False),
    Column("job", String, nullable=False),
    Column("task", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("project", String, nullable=False, index=True),
    Column("purpose", String, nullable=False),
    Column("account", String, nullable=False),
    Column("state", String, nullable=False),
    Column("elapsed_seconds", BigInteger, nullable=False),
    Column("gpus", Integer, nullable=False),
    Column("cpus", Integer, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("is_claimed", Boolean, nullable=False),
    Column("resource", String, nullable=False),
    Column("used_micro", BigInteger, nullable=False),
    Column("over_micro", BigInteger, nullable=False),
    Column("transaction", String, nullable=False),
    Column("dump", String, nullable=False),
    Column("at", Instant, nullable=False),
)

dumps = Table(
    "funding_dumps",
    metadata,
    Column("id", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("file", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("person", String, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("accounts", JSON, nullable=False),
    Column("closed_at", Instant),
    Column("lines_in", BigInteger, nullable=False),
    Column("booked", BigInteger, nullable=False),
    Column("corrected", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
)

quarantine = Table(
    "funding_quarantine",
    metadata,
    Column("dump", String, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("reason", Text, nullable=False),
)


class SqlForeignJobs:
    def __init__(self, db: Database) -> None:
        self._db = db

    def known(self, keys: Iterable[ForeignKey]) -> Mapping[ForeignKey, ForeignJob]:
        names = sorted({str(key) for key in keys})
        found: dict[ForeignKey, ForeignJob] = {}
        for start in range(0, len(names), KEYS_AT_ONCE):
            wanted = foreign_jobs.c.key.in_(names[start : start + KEYS_AT_ONCE])
            rows = self._db.rows(select(foreign_jobs).where(wanted))
            found |= {job.key: job for job in map(_job, rows)}
        return found

    def add(self, new: Sequence[ForeignJob]) -> None:
        if new:
            self._db.execute(insert(foreign_jobs), [_fields(job) for job in new])

    def save(self, job: ForeignJob) -> None:
        self._db.execute(update(foreign_jobs).where(foreign_jobs.c.key == str(job.key)).values(**_fields(job)))

    def totals(self, project: str) -> Sequence[ForeignTotal]:
        c = foreign_jobs.c
        wanted = select(
            c.project, c.site, c.resource, func.count(), func.sum(c.used_micro), func.sum(c.over_micro)
        ).group_by(c.project, c.site, c.resource)
        if project:
            wanted = wanted.where(c.project == project)
        rows = self._db.rows(wanted.order_by(c.project, c.site, c.resource))
        return [
            ForeignTotal(row[0], row[1], Resource(row[2]), row[3], int(row[4]), int(row[5])) for row in map(tuple, rows)
        ]


class SqlDumps:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, dump: Dump) -> None:
        self._db.execute(insert(dumps).values(**asdict(dump)))

    def get(self, dump_id: str) -> Dump:
        row = self._db.row(select(dumps).where(dumps.c.id == dump_id))
        if row is None:
            raise NotFound("there is no such import", fix="fabriek usage imports")
        return _dump(row)

    def save(self, dump: Dump) -> None:
        self._db.execute(update(dumps).where(dumps.c.id == dump.id).values(**asdict(dump)))

    def newest(self, limit: int) -> Sequence[Dump]:
        return [_dump(row) for row in self._db.rows(select(dumps).order_by(dumps.c.id.desc()).limit(limit))]

    def quarantine(self, dump_id: str, lines: Sequence[Refused]) -> None:
        fresh = {one.line: one.reason for one in reversed(lines)}
        c = quarantine.c
        for row in self._db.rows(select(c.line).where(c.dump == dump_id, c.line.in_(list(fresh)))):
            del fresh[row.line]  # told twice: the first reason stays
        if fresh:
            rows = [{"dump": dump_id, "line": line, "reason": reason} for line, reason in fresh.items()]
            self._db.execute(insert(quarantine), rows)

    def quarantined(self, dump_id: str, *, limit: int, after: int) -> Sequence[Refused]:
        c = quarantine.c
        wanted = select(c.line, c.reason).where(c.dump == dump_id, c.line > after).order_by(c.line).limit(limit)
        return [Refused(row.line, row.reason) for row in self._db.rows(wanted)]


def _fields(job: ForeignJob) -> dict[str, Any]:
    # Not by asdict, which copies deeply and took a third of an import.
    fields_of_job = {name: getattr(job, name) for name in JOB}
    return {**{name: getattr(job.key, name) for name in KEY}, **fields_of_job, "key": str(job.key)}


def _job(row: Row[Any]) -> ForeignJob:
    fields = dict(row._mapping)  # noqa: SLF001  # a row's names
    key = {name: fields.pop(name) for name in ("site", "cluster", "job", "task", "started_at")}
    return ForeignJob(**fields | {"key": ForeignKey(**key), "resource": Resource(fields["resource"])})


def _dump(row: Row[Any]) -> Dump:
    fields = dict(row._mapping)  # noqa: SLF001  # a row's names
    return Dump(**fields | {"accounts": tuple(Mapped(**one) for one in fields["accounts"])})
