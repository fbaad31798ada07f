"""What the catalogue needs from the outside world."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.knowledge.catalogue.entries import Entry, EntryKind


class Entries(Protocol):
    """Storage of entries; whatever indexes them sees every change."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, entry: Entry) -> None:
        """Keeps it, in place of one with its id."""

    def remove(self, entry_id: str) -> None: ...

    def get(self, entry_id: str) -> Entry:
        """Raises NotFound."""

    def of_subject(self, subject: str) -> Entry | None: ...

    def of_subjects(self, subjects: Sequence[str]) -> Sequence[Entry]:
        """In the order of the subjects, without those that have no entry."""

    def of_kinds(self, kinds: Sequence[EntryKind], *, project: str) -> Sequence[Entry]:
        """Of these kinds in this project; empty: of none, which are the factory's own."""

    def of_the_world(self, *, start: int, limit: int) -> tuple[Sequence[Entry], int]:
        """Those that the world may know of, oldest first; and how many there are in all."""
