"""What keeping searches needs from the outside world."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.knowledge.saved_searches.searches import SavedSearch


class Searches(Protocol):
    """Storage of searches that are kept."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, search: SavedSearch) -> None:
        """Keeps it, in place of one with its id."""

    def remove(self, search_id: str) -> None: ...

    def of(self, person: str) -> Sequence[SavedSearch]:
        """By name."""
