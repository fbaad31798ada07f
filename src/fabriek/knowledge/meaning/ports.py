"""What finding by meaning needs kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Meanings(Protocol):
    """Storage of the entries' numbers. An entry that is changed or taken back loses them."""

    def unread(self, limit: int) -> Sequence[tuple[int, str]]:
        """Entries that nobody has read yet: their number, and what is to be read."""

    def keep(self, rows: Mapping[int, bytes]) -> None:
        """Number → its row. Of entries that are gone meanwhile nothing is kept."""

    def all(self) -> Sequence[tuple[int, str, bytes]]:
        """Number, who may know of it, and its row."""

    def mark(self) -> tuple[int, int]:
        """Something that changes when one of them does."""
