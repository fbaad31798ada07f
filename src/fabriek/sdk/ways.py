"""Names for objects to come, and the way they go: through the server, or straight to the store where the server gives addresses."""

from collections.abc import Iterator

from fabriek.schemas.vault import MintIn, MintOut
from fabriek.sdk.at_store import AtStore
from fabriek.sdk.client import Client


class Ways:
    """To one upload, by its path on the server. For many threads."""

    def __init__(self, client: Client, path: str) -> None:
        self._client, self._path = client, path
        self._store = AtStore(client, path)
        self._at_store = False

    def mint(self, count: int) -> list[str]:
        """Names that nothing has yet. Raises QuotaExhausted, WrongState, NotFound."""
        wanted = MintIn(count=count)
        answer = MintOut.model_validate(self._client.post(f"{self._path}/objects", json=wanted.model_dump()))
        self._at_store = answer.at_store
        if self._at_store:
            self._store.expect(answer.objects)
        return answer.objects

    def send(self, name: str, sealed: Iterator[bytes | memoryview], length: int) -> None:
        """One object under a name that was minted here; kept when this returns. Each piece need hold only until the next is asked for.

        Raises Unavailable: then seal it anew under another name, or send the same bytes again; NotTaken where neither would help.
        """
        if self._at_store:
            self._store.put(name, sealed, length)
        else:
            self._client.send_sealed(f"{self._path}/objects/{name}", sealed, length)
