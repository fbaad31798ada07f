"""A store of objects in memory: what the contract of stores says, and nothing of any disk."""

import hashlib
from collections.abc import Iterable, Iterator

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
