"""Needs, offers and matches, for the client."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.matching import ListingOut, MatchOut
from fabriek.sdk.client import Client


class Matching:
    """What organisations need and offer; nobody is named before both said yes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def post(
        self, kind: str, text: str, *, skills: Sequence[str] = (), words: Sequence[str] = (), region: str = ""
    ) -> ListingOut:
        """`kind`: need or offer."""
        body = {"kind": kind, "text": text, "skills": list(skills), "words": list(words), "region": region}
        return ListingOut.model_validate(self._client.post("/api/v1/listings", json=body))

    def listings(self) -> Sequence[ListingOut]:
        return PageOut[ListingOut].model_validate(self._client.get("/api/v1/listings")).items

    def withdraw(self, listing: str) -> None:
        self._client.delete(f"/api/v1/listings/{listing}")

    def matches(self) -> Sequence[MatchOut]:
        return PageOut[MatchOut].model_validate(self._client.get("/api/v1/matches")).items

    def answer(self, match: str, *, yes: bool) -> MatchOut:
        return MatchOut.model_validate(self._client.post(f"/api/v1/matches/{match}/answer", json={"yes": yes}))
