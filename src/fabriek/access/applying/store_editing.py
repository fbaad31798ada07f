"""The SQL of who edits which application."""

from collections.abc import Sequence

from sqlalchemy import Column, Integer, String, Table, select

from fabriek.access.applying.editing import Editing
from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant

editings = Table(
    "access_application_edits",
    metadata,
    Column("application", String, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("edited_at", Instant),
    Column("edited_by", String, nullable=False),
)

# Rows of their own, so that a person's applications are found without reading everybody's.
editors = Table(
    "access_application_editors",
    metadata,
    Column("application", String, primary_key=True),
    Column("person", String, primary_key=True, index=True),
)


class SqlEditings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, application_id: str) -> Editing:
        row = self._db.row(select(editings).where(editings.c.application == application_id))
        people = self._db.rows(
            select(editors.c.person).where(editors.c.application == application_id).order_by(editors.c.person)
        )
        others = tuple(one.person for one in people)
        if row is None:
            return Editing(application_id, others=others)
        return Editing(application_id, row.revision, row.edited_at, row.edited_by, others)

    def put(self, editing: Editing) -> None:
        row = {
            "application": editing.application,
            "revision": editing.revision,
            "edited_at": editing.edited_at,
            "edited_by": editing.edited_by,
        }
        self._db.put(editings, row, ["application"])

    def put_editor(self, application_id: str, person: str) -> None:
        row = {"application": application_id, "person": person}
        self._db.put(editors, row, ["application", "person"])

    def shared_with(self, person: str) -> Sequence[str]:
        rows = self._db.rows(select(editors.c.application).where(editors.c.person == person))
        return [row.application for row in rows]
