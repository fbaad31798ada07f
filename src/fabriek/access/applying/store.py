"""The SQL of applications."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import JSON, Column, Row, String, Table, insert, select, update

from fabriek.access.applying.applications import Application, ApplicationState, Check
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound

applications = Table(
    "access_applications",
    metadata,
    Column("id", String, primary_key=True),
    Column("call", String, nullable=False),
    Column("person", String, nullable=False, index=True),
    Column("organisation", String, nullable=False, index=True),
    Column("answers", JSON, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("submitted_at", Instant),
    Column("decided_at", Instant),
    Column("checks", JSON, nullable=False),
    Column("project", String, nullable=False),
)


class SqlApplications:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, application: Application) -> None:
        self._db.execute(insert(applications).values(**_application_values(application)))

    def get(self, application_id: str) -> Application:
        row = self._db.row(select(applications).where(applications.c.id == application_id))
        if row is None:
            raise NotFound("there is no such application", fix="fabriek apply ls")
        return _application(row)

    def save(self, application: Application) -> None:
        self._db.execute(
            update(applications).where(applications.c.id == application.id).values(**_application_values(application))
        )

    def of_organisation(self, organisation: str) -> Sequence[Application]:
        wanted = select(applications).order_by(applications.c.id.desc())
        if organisation:
            wanted = wanted.where(applications.c.organisation == organisation)
        return [_application(row) for row in self._db.rows(wanted)]

    def in_states(self, states: Sequence[ApplicationState]) -> Sequence[Application]:
        wanted = select(applications).where(applications.c.state.in_([str(one) for one in states]))
        return [_application(row) for row in self._db.rows(wanted.order_by(applications.c.id))]


def _application_values(application: Application) -> dict[str, Any]:
    return asdict(application) | {
        "answers": dict(application.answers),
        "checks": [asdict(one) for one in application.checks],
    }


def _application(row: Row[Any]) -> Application:
    checks = tuple(Check(**one) for one in row.checks)
    return Application(
        row.id, row.call, row.person, row.organisation, row.answers, row.made_at, ApplicationState(row.state), row.submitted_at,
        row.decided_at, checks, row.project,
    )  # fmt: skip
