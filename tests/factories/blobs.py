"""A store of objects in memory: what the contract of stores says, and nothing of any disk."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound
from fabriek.kernel.stored import Stored


class MemoryBlobs:
    """`objects` is open to tests that play the vandal."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, name: str, chunks: Iterable[bytes], *, bytes_max: int | None = None) -> Stored:
        taken = bytearray()
        for chunk in chunks:
            taken += chunk
            if bytes_max is not None and len(taken) > bytes_max:
                raise InvalidInput(f"an object holds at most {bytes_max} bytes", fix="send it in parts")
        if self.objects.setdefault(name, bytes(taken)) != taken:
            raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")
        return Stored(len(taken), hashlib.sha256(taken).hexdigest())

    def get(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        self.size(name)
        if piece := self.objects[name][start:stop]:
            yield piece

    def size(self, name: str) -> int:
        if name not in self.objects:
            raise NotFound(f"the store has no object {name}", fix="fabriek doctor")
        return len(self.objects[name])

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)

    def names(self) -> Iterator[str]:
        yield from list(self.objects)


class MemoryAddresses:
    """The twin of addresses over the twin of a store. An address is `memory:NUMBER`, and `put` and `get` are what a client does with it."""

    def __init__(self, blobs: MemoryBlobs, clock: Clock) -> None:
        self._blobs, self._clock = blobs, clock
        self._given: dict[str, tuple[str, str, datetime]] = {}
        self.arrived: dict[str, tuple[bytes, datetime]] = {}

    def to_get(self, names: Sequence[str], lasts: timedelta) -> Sequence[str]:
        return [self._give("GET", name, lasts) for name in names]

    def to_put(self, names: Sequence[str], lasts: timedelta) -> Sequence[str]:
        return [self._give("PUT", name, lasts) for name in names]

    def take(self, name: str, size: int) -> None:
        standing = self._blobs.objects.get(name)
        if standing is None:
            if name not in self.arrived:
                raise NotFound("the object has not arrived at the store", fix="send it again")
            if len(self.arrived[name][0]) != size:
                raise InvalidInput("of the object something else arrived", fix="send it again")
            standing = self._blobs.objects.setdefault(name, self.arrived[name][0])
        if len(standing) != size:
            raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")
        self.arrived.pop(name, None)

    def clear(self, before: datetime) -> int:
        old = [name for name, (_, at) in self.arrived.items() if at < before]
        for name in old:
            del self.arrived[name]
        return len(old)

    def put(self, address: str, body: bytes) -> int:
        """The HTTP status."""
        act, name, until = self._given[address]
        if act != "PUT" or self._clock.now() >= until:
            return 403
        self.arrived[name] = (body, self._clock.now())
        return 200

    def get(self, address: str) -> tuple[int, bytes]:
        """The HTTP status and the body."""
        act, name, until = self._given[address]
        if act != "GET" or self._clock.now() >= until:
            return 403, b""
        return (200, self._blobs.objects[name]) if name in self._blobs.objects else (404, b"")

    def _give(self, act: str, name: str, lasts: timedelta) -> str:
        address = f"memory:{len(self._given)}"
        self._given[address] = (act, name, self._clock.now() + lasts)
        return address
