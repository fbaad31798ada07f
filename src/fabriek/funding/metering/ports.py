"""What metering needs kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from fabriek.funding.metering.readings import Reading, Storage


class Readings(Protocol):
    """Storage of readings: each stands once, by its key."""

    def get(self, key: str) -> Reading | None: ...

    def add(self, reading: Reading) -> None: ...

    def of_project(self, project: str, *, limit: int) -> Sequence[Reading]:
        """Newest first."""


class Storages(Protocol):
    """Storage of how far each project's sealed bytes are booked."""

    def get(self, project: str) -> Storage | None: ...

    def put(self, storage: Storage) -> None: ...

    def levels(self) -> Mapping[str, int]:
        """Project → bytes at its last reading, where there were any."""

    def last_read(self) -> datetime | None:
        """The newest instant at which any project was read."""


class Debts(Protocol):
    """What the ledger knows of who owes."""

    def owing(self) -> Sequence[str]:
        """Projects of which an allocation owes anything."""
