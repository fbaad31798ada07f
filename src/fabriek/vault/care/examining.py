"""One stored object beside what was written: is it there, has it its size, are its bytes the same, does every chunk open."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabriek.kernel.errors import Damaged, NotFound
from fabriek.sealing.objects import open_stream
from fabriek.vault.ports import Blobs
from fabriek.vault.uploads import StoredObject

GONE = "it is gone from the store"
CHANGED = "its bytes are not those that were written"


@dataclass(frozen=True, slots=True)
class Examined:
    """`why` is empty where nothing is wrong, as far as was looked. `read_bytes`: None where it was not read."""

    why: str = ""
    read_bytes: int | None = None
    authenticated: bool = False


def look_at(blobs: Blobs, kept: StoredObject) -> Examined:
    """Whether it is there, with its size."""
    try:
        size = blobs.size(kept.id)
    except NotFound:
        return Examined(GONE)
    if kept.size is not None and size != kept.size:
        return Examined(f"it has {size} bytes, and {kept.size} were written")
    return Examined()


def read_through(blobs: Blobs, kept: StoredObject, key: bytes | None, context: bytes) -> Examined:
    """The same, and every byte: compared with the hash that was kept when it arrived, and opened chunk by chunk where its key is here."""
    if (found := look_at(blobs, kept)).why:
        return found
    seen = _Hashed(blobs.get(kept.id))
    try:
        for _ in seen if key is None else open_stream(seen, key, context):
            continue
    except NotFound:
        return Examined(GONE, seen.size)
    except Damaged:
        return Examined(CHANGED, seen.size)
    if kept.sha256 and seen.hexdigest() != kept.sha256:
        return Examined(CHANGED, seen.size)
    return Examined("", seen.size, authenticated=key is not None)


class _Hashed:
    """Pieces on their way through, counted and hashed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._digest, self.size = pieces, hashlib.sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._digest.update(piece)
            self.size += len(piece)
            yield piece

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
