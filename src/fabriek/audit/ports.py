"""What audit needs from the outside world."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.audit.log import Event


class Events(Protocol):
    """Storage of events. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, event: Event) -> None:
        """Appends one, not yet numbered."""

    def pending(self, limit: int) -> Sequence[tuple[int, Event]]:
        """(number, event) of committed events that have no leaf, oldest first. Raises Damaged when one cannot be read."""

    def give_leaves(self, leaves: Mapping[int, int]) -> None:
        """Number → leaf. A leaf is given once."""

    def of_leaves(self, start: int, stop: int) -> Sequence[tuple[int, Event]]:
        """(leaf, event) with start ≤ leaf < stop, in order. What was deleted, or cannot be read, is missing."""

    def newest(
        self, limit: int, *, before: int = 0, subject: str = "", person: str = ""
    ) -> Sequence[tuple[int, Event]]:
        """(number, event), newest first, with number < before unless that is 0; narrowed to a subject or a person."""

    def last_leaf(self) -> int:
        """The highest leaf that was given; -1 before the first."""


class Trees(Protocol):
    """Storage of the tree: tiles of hashes, and the newest checkpoint."""

    def tile(self, level: int, index: int) -> bytes:
        """Up to 256 hashes of 32 bytes; empty when there is no such tile."""

    def keep_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Keeps a tile, in place of a narrower one."""

    def checkpoint(self) -> str:
        """The newest signed note; empty before the first."""

    def keep_checkpoint(self, note: str) -> None: ...
