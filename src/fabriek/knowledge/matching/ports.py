"""What matching needs from the outside world."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from fabriek.knowledge.matching.listings import Listing, ListingKind, Match


class Listings(Protocol):
    """Storage of listings and matches. Every method joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, listing: Listing) -> None: ...

    def get(self, listing_id: str) -> Listing:
        """Raises NotFound."""

    def of_organisation(self, organisation: str) -> Sequence[Listing]:
        """Newest first, those that were withdrawn too."""

    def open(self, kind: ListingKind) -> Sequence[Listing]:
        """Those of that kind that were not withdrawn."""

    def put_match(self, match: Match) -> None: ...

    def match(self, match_id: str) -> Match:
        """Raises NotFound."""

    def matches_of(self, listings: Collection[str]) -> Sequence[Match]:
        """Newest first."""
