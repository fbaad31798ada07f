"""Notes on a run: what people want to remember of it, in Markdown, each with who wrote it and when."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotPermitted, QuotaExhausted
from fabriek.kernel.ids import Ids
from fabriek.lab.finding import one_of
from fabriek.lab.service import Lab

CHARACTERS_MAX = 20_000
NOTES_MAX = 500
"""Of one run."""

OWN_NOTE_TAG = "mlflow.note.content"
"""Where MLflow's clients write a run's description. It belongs to the run, and to nobody in particular."""


@dataclass(frozen=True, slots=True)
class Note:
    """`changed_at` is None for one that stands as it was first written."""

    id: str
    project: str
    run: str
    person: str
    text: str
    written_at: datetime
    changed_at: datetime | None = None


class KeptNotes(Protocol):
    """Storage of notes. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, note: Note) -> None: ...

    def get(self, run: str, note: str) -> Note:
        """Raises NotFound."""

    def save(self, note: Note) -> None: ...

    def remove(self, note: str) -> None: ...

    def of_run(self, run: str) -> Sequence[Note]:
        """Oldest first."""


def check_text(text: str) -> str:
    """Raises InvalidInput on nothing, or too much."""
    if not text.strip():
        raise InvalidInput("a note says something", fix="write it, or remove it")
    if len(text) > CHARACTERS_MAX:
        raise InvalidInput(f"a note has at most {CHARACTERS_MAX:,} characters", fix="write two")
    return text.replace("\r\n", "\n").strip()


class Notes:
    """Who may see a run reads its notes; who may write in the lab writes one, and changes none but their own."""

    def __init__(self, notes: KeptNotes, lab: Lab, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._notes, self._lab, self._audit, self._clock, self._ids = notes, lab, audit, clock, ids

    def of_run(self, project: str, run: str, *, by: Caller) -> Sequence[Note]:
        """Oldest first. Raises NotFound for a run that is not the caller's to know."""
        one_of(self._lab, project, run, by=by)
        return self._notes.of_run(run)

    def write(self, project: str, run: str, text: str, *, by: Caller) -> Note:
        require(by, "lab.write", project=project)
        one_of(self._lab, project, run, by=by)
        note = Note(self._ids.new("note"), project, run, by.person, check_text(text), self._clock.now())
        with self._notes.transaction(alone=f"notes:{run}"):
            if len(self._notes.of_run(run)) >= NOTES_MAX:
                raise QuotaExhausted(f"a run has at most {NOTES_MAX} notes", limit=NOTES_MAX, fix="remove one of yours")
            self._notes.add(note)
            self._audit.record("run.note_written", note.id, by, project=project)
        return note

    def change(self, project: str, run: str, note: str, text: str, *, by: Caller) -> Note:
        """Raises NotPermitted for another's."""
        with self._notes.transaction():
            changed = replace(self._own(project, run, note, by), text=check_text(text), changed_at=self._clock.now())
            self._notes.save(changed)
            self._audit.record("run.note_changed", note, by, project=project)
        return changed

    def remove(self, project: str, run: str, note: str, *, by: Caller) -> None:
        """Raises NotPermitted for another's."""
        with self._notes.transaction():
            self._notes.remove(self._own(project, run, note, by).id)
            self._audit.record("run.note_removed", note, by, project=project)

    def _own(self, project: str, run: str, note: str, by: Caller) -> Note:
        require(by, "lab.write", project=project)
        one_of(self._lab, project, run, by=by)
        found = self._notes.get(run, note)
        if found.person != by.person:
            raise NotPermitted("a note is changed by who wrote it", rule="note.author", fix="write one of your own")
        return found
