"""What keeping the envelope needs from the outside world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from fabriek.compute.powering.acts import Taken
from fabriek.compute.powering.messages import Message
from fabriek.compute.powering.quarters import Quarter
from fabriek.compute.powering.readings import Reading


class Acts(Protocol):
    """Storage of what the ladder did."""

    def add(self, taken: Taken) -> None: ...

    def save(self, taken: Taken) -> None: ...

    def standing(self) -> Sequence[Taken]:
        """Those that are not over, oldest first."""

    def since(self, at: datetime) -> Sequence[Taken]:
        """Those that were taken from this instant on, oldest first."""


class Messages(Protocol):
    """Storage of the grid operator's messages, by the id that it gave them."""

    def add(self, message: Message) -> None: ...

    def save(self, message: Message) -> None: ...

    def find(self, message_id: str) -> Message | None: ...

    def latest(self, *, limit: int) -> Sequence[Message]:
        """Newest first."""


class Readings(Protocol):
    """Storage of what meters said."""

    def add(self, reading: Reading) -> None: ...

    def at(self, meter: str, at: datetime) -> Reading | None: ...

    def within(self, begin: datetime, end: datetime) -> Sequence[Reading]:
        """Of every meter, oldest first, both instants included."""


class Quarters(Protocol):
    """Storage of the record, a row for each quarter of an hour."""

    def put(self, quarter: Quarter) -> None:
        """Adds it, or replaces that of its instant."""

    def last(self) -> Quarter | None: ...

    def within(self, begin: datetime, end: datetime) -> Sequence[Quarter]:
        """Oldest first."""
