"""The SQL of what is proposed of projects, and of their contacts for data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Row, String, Table, Text, delete, insert, select, update

from fabriek.access.joining.steering import WAITS, Change
from fabriek.access.projects import Project
from fabriek.access.store import projects
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

changes = Table(
    "access_project_changes",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("what", String, nullable=False),
    Column("value", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("outcome", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided_at", Instant),
)

contacts = Table(
    "access_data_contacts",
    metadata,
    Column("project", String, primary_key=True),
    Column("person", String, nullable=False),
)


class SqlChanges:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, change: Change) -> None:
        self._db.execute(delete(changes).where(changes.c.id == change.id))
        self._db.execute(insert(changes).values(**asdict(change)))

    def get(self, change_id: str) -> Change | None:
        row = self._db.row(select(changes).where(changes.c.id == change_id))
        return None if row is None else _change(row)

    def waiting(self, project: str = "") -> Sequence[Change]:
        asked = select(changes).where(changes.c.outcome == WAITS).order_by(changes.c.proposed_at, changes.c.id)
        return [_change(row) for row in self._db.rows(asked.where(changes.c.project == project) if project else asked)]

    def apply(self, project: Project) -> None:
        kept = {"title": project.title, "purpose": str(project.purpose), "label_ceiling": project.label_ceiling}
        self._db.execute(update(projects).where(projects.c.id == project.id).values(**kept))

    def contact_of(self, project: str) -> str:
        row = self._db.row(select(contacts).where(contacts.c.project == project))
        return "" if row is None else str(row.person)

    def set_contact(self, project: str, person: str) -> None:
        self._db.execute(delete(contacts).where(contacts.c.project == project))
        self._db.execute(insert(contacts).values(project=project, person=person))


def _change(row: Row[Any]) -> Change:
    return Change(
        row.id, row.project, row.what, row.value, row.why, row.proposed_by, row.proposed_at, row.outcome, row.decided_by, row.decided_at
    )  # fmt: skip
