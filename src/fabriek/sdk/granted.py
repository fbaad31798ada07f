"""Sealed objects of a grant, on either way: through the server, or straight from the store where the server gives addresses."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from fabriek.schemas.vault import GrantOut
from fabriek.sdk.at_store import AtStore
from fabriek.sdk.client import Client


class Granted(Protocol):
    """What a version's objects are read through. For many threads. Nothing of it is authenticated yet."""

    def expect(self, names: Sequence[str]) -> None:
        """What will be read, in about this order."""

    def whole(self, object_id: str) -> bytes: ...

    def stream(self, object_id: str, piece_bytes: int) -> Iterator[bytes | memoryview]:
        """From the start in pieces; raises Unavailable where it breaks off."""

    def at(self, object_id: str, offset: int, count: int) -> bytes: ...

    def head(self, object_id: str, count: int) -> tuple[int, bytes]:
        """(the object's size, its first bytes)."""


def granted(client: Client, grant: GrantOut) -> Granted:
    path = f"/api/v1/grants/{grant.grant}"
    return AtStore(client, path) if grant.at_store else ThroughServer(client, path)


class ThroughServer:
    """Where the installation keeps its objects in a folder, or does not let clients near its store."""

    def __init__(self, client: Client, path: str) -> None:
        self._client, self._path = client, path

    def expect(self, names: Sequence[str]) -> None:
        """The server needs no warning."""

    def whole(self, object_id: str) -> bytes:
        return self._client.get_bytes(self._of(object_id))

    def stream(self, object_id: str, piece_bytes: int) -> Iterator[bytes | memoryview]:
        return self._client.fetch_sealed(self._of(object_id), piece_bytes=piece_bytes)

    def at(self, object_id: str, offset: int, count: int) -> bytes:
        return self._client.fetch_range(self._of(object_id), offset, count)[0]

    def head(self, object_id: str, count: int) -> tuple[int, bytes]:
        head, size = self._client.fetch_range(self._of(object_id), 0, count)
        return size, head

    def _of(self, object_id: str) -> str:
        return f"{self._path}/objects/{object_id}"
