"""Notes on runs, in SQL."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, delete, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound
from fabriek.lab.notes import Note

notes = Table(
    "lab_notes",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("run", String, nullable=False),
    Column("person", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("changed_at", Instant),
    Index("lab_notes_of_run", "run", "written_at"),
)


class SqlNotes:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, note: Note) -> None:
        self._db.execute(insert(notes).values(**asdict(note)))

    def get(self, run: str, note: str) -> Note:
        row = self._db.row(select(notes).where(notes.c.id == note, notes.c.run == run))
        if row is None:
            raise NotFound("there is no such note", fix="look at the run again")
        return _note(row)

    def save(self, note: Note) -> None:
        self._db.execute(update(notes).where(notes.c.id == note.id).values(**asdict(note)))

    def remove(self, note: str) -> None:
        self._db.execute(delete(notes).where(notes.c.id == note))

    def of_run(self, run: str) -> Sequence[Note]:
        wanted = select(notes).where(notes.c.run == run).order_by(notes.c.written_at, notes.c.id)
        return [_note(row) for row in self._db.rows(wanted)]


def _note(row: Row[Any]) -> Note:
    return Note(row.id, row.project, row.run, row.person, row.text, row.written_at, row.changed_at)
