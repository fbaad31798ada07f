"""What the vault needs to take files that others' clients send."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from fabriek.vault.intake.arrivals import Arrival, Stretch


class Arrivals(Protocol):
    """Storage of files on their way in. Every change joins the transaction that is open."""

    def add(self, arrival: Arrival) -> None: ...

    def get(self, arrival_id: str) -> Arrival:
        """Raises NotFound."""

    def save(self, arrival: Arrival, stretch: Stretch | None = None) -> None:
        """How it stands now, and what has arrived of it."""

    def of_upload(self, upload_id: str, *, beside: str = "") -> Sequence[Arrival]:
        """By path; those that were given up are left out. With `beside` only those that cannot stand next to this path: of the same one,
        of a folder on the way to it, and below it.
        """

    def count(self, upload_id: str) -> int:
        """Those that were given up are left out."""

    def stretches(self, *arrivals: str) -> Sequence[Stretch]:
        """Of these arrivals, by their ids; those of each in their order."""

    def forget(self, arrival_id: str, *, objects: bool) -> None:
        """The arrival and its stretches; with `objects`, also that there were objects of it. It is no error if there is none."""

    def forget_names(self, upload_id: str) -> None:
        """What its files are called and what was told of them goes; that there were any, and how large, stays."""

    def overdue(self, now: datetime) -> Sequence[Arrival]:
        """Some of those that were given up, and of those whose upload's time is over and that no hold keeps."""

    def on_the_way(self, person: str, now: datetime) -> int:
        """Bytes that a person has announced, in uploads that are open."""
