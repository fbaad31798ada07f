"""Catalogues elsewhere, for the client."""

from collections.abc import Sequence

from fabriek.schemas.harvest import SourceIn, SourceOut, SourcesOut
from fabriek.sdk.client import Client


class Harvest:
    """Entries of other catalogues are found here and opened there. For operators."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, address: str, *, name: str = "") -> SourceOut:
        """address: of DCAT in JSON-LD or Turtle, over https. Raises InvalidInput, NotPermitted, AlreadyExists."""
        body = SourceIn(address=address, name=name).model_dump()
        return SourceOut.model_validate(self._client.post("/api/v1/harvest-sources", json=body))

    def list(self) -> Sequence[SourceOut]:
        """In the order in which they were added."""
        return SourcesOut.model_validate(self._client.get("/api/v1/harvest-sources")).items

    def run(self, source: str) -> SourceOut:
        """Reads it now; `trouble` says what went wrong. What was here stays then."""
        return SourceOut.model_validate(self._client.post(f"/api/v1/harvest-sources/{source}/run"))

    def remove(self, source: str) -> None:
        """With all entries that came from it."""
        self._client.delete(f"/api/v1/harvest-sources/{source}")
