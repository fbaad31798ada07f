"""What the vault needs to take files that others' clients send."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from fabriek.vault.arrivals import Arrival, Run


class Arrivals(Protocol):
    """Storage of files on their way in. Every change joins the transaction that is open."""

    def add(self, arrival: Arrival) -> None: ...

    def get(self, arrival_id: str) -> Arrival:
        """Raises NotFound."""

    def save(self, arrival: Arrival, run: Run | None = None) -> None:
        """How it stands now, and what has arrived of it."""

    def of_upload(self, upload_id: str) -> Sequence[Arrival]:
        """By path; those that were given up are left out."""

    def runs(self, arrival_id: str) -> Sequence[Run]:
        """In their order."""

    def forget(self, arrival_id: str, *, objects: bool) -> None:
        """The arrival and its runs; with `objects`, also that there were objects of it. It is no error if there is none."""

    def overdue(self, now: datetime) -> Sequence[Arrival]:
        """Some of those that were given up, and of those whose upload's time is over."""

    def on_the_way(self, person: str, now: datetime) -> int:
        """Bytes that a person has announced, in uploads that are open."""
