"""Names for objects to come, and their way: through the server, or straight to the store where the server gives addresses."""

from collections.abc import Iterator

from fabriek.schemas.vault import MintIn, MintOut
from fabriek.sdk.at_store import AtStore
from fabriek.sdk.client import Client

MINTED_AT_ONCE = 10_000


class Sending:
    """To one upload, by its path on the server. For many threads."""

    def __init__(self, client: Client, path: str) -> None:
        self._client, self._path = client, path
        self._store = AtStore(client, path)
        self._at_store = False

    def mint(self, count: int) -> list[str]:
        """Names that nothing has yet. Raises QuotaExhausted, WrongState, NotFound."""
        names: list[str] = []
        while len(names) < count:
            wanted = MintIn(count=min(count - len(names), MINTED_AT_ONCE))
            answer = MintOut.model_validate(self._client.post(f"{self._path}/objects", json=wanted.model_dump()))
            self._at_store = answer.at_store
            names += answer.objects
        if self._at_store:
            self._store.expect(names)
        return names

    def send(self, name: str, sealed: Iterator[bytes], length: int) -> None:
        """One object under a name that was minted here; kept when this returns. Raises Unavailable: then seal it anew, under another."""
        if self._at_store:
            self._store.put(name, sealed, length)
        else:
            self._client.send_sealed(f"{self._path}/objects/{name}", sealed, length)
