"""The SQL of duties: reports, extensions, texts of thanks, reminders."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, Row, String, Table, Text, func, insert, select, update

from fabriek.access.applying.store import applications
from fabriek.access.reviewing.telling import Told
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.allocations import Allocation
from fabriek.funding.duties.acknowledgements import Acknowledgement
from fabriek.funding.duties.reports import Report, ReportState
from fabriek.funding.ledger import Kind, account
from fabriek.funding.resources import Resource
from fabriek.funding.store import KEYS_AT_ONCE, allocations, entries
from fabriek.kernel.errors import AlreadyExists

reports = Table(
    "funding_reports",
    metadata,
    Column("allocation", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("edited_at", Instant),
    Column("filed_at", Instant),
    Column("filed_by", String, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("again_on", Date),
)

extensions = Table(
    "funding_extensions",
    metadata,
    Column("allocation", String, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("on", Date, nullable=False),
    Column("by", String, nullable=False),
    Column("ends_on", Date, nullable=False),
)

acknowledgements = Table(
    "funding_acknowledgements",
    metadata,
    Column("share", String, primary_key=True),
    Column("nl", Text, nullable=False),
    Column("en", Text, nullable=False),
)

reminders = Table(
    "funding_reminders",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("application", String, nullable=False),
    Column("what", String, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("given_up", Boolean, nullable=False),
)


class SqlReports:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def get(self, allocation: str, kind: str) -> Report:
        row = self._db.row(select(reports).where(reports.c.allocation == allocation, reports.c.kind == kind))
        return Report(allocation, kind) if row is None else _report(row)

    def among(self, allocations: Collection[str]) -> Mapping[tuple[str, str], Report]:
        wanted, found = sorted(allocations), dict[tuple[str, str], Report]()
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            some = select(reports).where(reports.c.allocation.in_(wanted[start : start + KEYS_AT_ONCE]))
            found |= {(row.allocation, row.kind): _report(row) for row in self._db.rows(some)}
        return found

    def put(self, report: Report) -> None:
        self._db.put(reports, asdict(report) | {"answers": dict(report.answers)}, ["allocation", "kind"])

    def filed(self) -> Sequence[Report]:
        wanted = select(reports).where(reports.c.state == str(ReportState.FILED))
        return [_report(row) for row in self._db.rows(wanted.order_by(reports.c.filed_at, reports.c.allocation))]

    def begun_before(self, day: date, *, applicant: str, projects: Collection[str]) -> Sequence[Allocation]:
        theirs = select(applications.c.id).where(applications.c.person == applicant)
        asked, some = [allocations.c.application.in_(theirs)], sorted(projects)
        asked += [
            allocations.c.project.in_(some[start : start + KEYS_AT_ONCE]) for start in range(0, len(some), KEYS_AT_ONCE)
        ]
        found: dict[str, Allocation] = {}
        for one in asked:
            for row in self._db.rows(select(allocations).where(one, allocations.c.starts_on < day)):
                found[row.id] = Allocation(**_named(row))
        return [found[one] for one in sorted(found)]


class SqlExtensions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def extended_on(self, allocation: str, rule: str) -> date | None:
        found: date | None = self._db.scalar(
            select(extensions.c.on).where(extensions.c.allocation == allocation, extensions.c.rule == rule)
        )
        return found

    def add(self, allocation: str, rule: str, on: date, by: str, ends_on: date) -> None:
        if self.extended_on(allocation, rule) is not None:
            raise AlreadyExists("this award was extended before", fix="fabriek project credits")
        row = {"allocation": allocation, "rule": rule, "on": on, "by": by, "ends_on": ends_on}
        self._db.execute(insert(extensions).values(**row))

    def awarded(self, allocation: str) -> Mapping[Resource, int]:
        wanted = (
            select(entries.c.resource, func.sum(entries.c.amount_micro).label("amount"))
            .where(entries.c.account == account(Kind.ALLOCATION, allocation), entries.c.memo == "award")
            .group_by(entries.c.resource)
        )
        return {Resource(row.resource): int(row.amount) for row in self._db.rows(wanted)}


class SqlThanked:
    def __init__(self, db: Database) -> None:
        self._db = db

    def text_of(self, share: str) -> Acknowledgement | None:
        row = self._db.row(select(acknowledgements).where(acknowledgements.c.share == share))
        return None if row is None else Acknowledgement(row.share, row.nl, row.en)

    def put_text(self, text: Acknowledgement) -> None:
        self._db.put(acknowledgements, asdict(text), ["share"])

    def used(self, allocations: Sequence[str], since: datetime, until: datetime) -> Mapping[Resource, int]:
        names = [account(Kind.USAGE, one) for one in allocations]
        wanted = (
            select(entries.c.resource, func.sum(entries.c.amount_micro).label("amount"))
            .where(entries.c.account.in_(names), entries.c.at >= since, entries.c.at < until)
            .group_by(entries.c.resource)
        )
        return {Resource(row.resource): int(row.amount) for row in self._db.rows(wanted)}


class SqlReminders:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, told: Told) -> bool:
        if self._db.row(select(reminders.c.id).where(reminders.c.id == told.id)) is not None:
            return False
        self._db.execute(insert(reminders).values(**asdict(told)))
        return True

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Told]:
        waits = (reminders.c.sent_at.is_(None), reminders.c.given_up.is_(False), reminders.c.next_at <= now)
        wanted = select(reminders).where(*waits).order_by(reminders.c.next_at, reminders.c.id).limit(limit)
        return [Told(**_named(row)) for row in self._db.rows(wanted)]

    def save(self, told: Told) -> None:
        self._db.execute(update(reminders).where(reminders.c.id == told.id).values(**asdict(told)))


def _report(row: Row[Any]) -> Report:
    return Report(**(_named(row) | {"state": ReportState(row.state)}))


def _named(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  # a row's names
