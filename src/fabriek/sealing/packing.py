"""How bytes become objects: small files packed together, large ones cut into blocks, and what is there already found by what it is."""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from typing import Final

from fabriek.sealing.digests import BLOCK_BYTES, block_count, block_length
from fabriek.sealing.manifest import File, Part

PART_BYTES: Final = BLOCK_BYTES
"""The most plaintext in one object: what a client may have to send again after a broken line."""

SMALL_BYTES: Final = 2**20
PACK_BYTES: Final = 8 * 2**20
PACK_BYTES_MIN: Final = 6 * 2**20
"""From here on a pack ends where it can end at the same place next time."""

HELD_MAX: Final = 200_000


class Held:
    """Contents that are in the store already → where. Of at most HELD_MAX contents: further ones may be sent twice, and cost no more memory.

    A content is a whole small file, or one block of a larger one. For many threads: one may learn a parent while others place what is sent.
    """

    def __init__(self, most: int = HELD_MAX) -> None:
        self._most = most
        self._objects: list[tuple[str, bytes]] = []
        self._numbers: dict[str, int] = {}
        self._places: dict[bytes, tuple[tuple[int, int, int], ...]] = {}
        # An object's number and its place in the list are one: taken apart, two objects get one number, and a file points at another's bytes.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._places)

    def learn(self, sha256: str, length: int, parts: tuple[Part, ...], *, is_block: bool = False) -> None:
        """parts: in their order, `length` bytes in all. is_block: of a larger file, whose hash is another than of a whole one."""
        name = _name(sha256, length, is_block)
        with self._lock:
            if len(self._places) < self._most and name not in self._places:
                self._places[name] = tuple([self._place(part) for part in parts])

    def learn_file(self, file: File) -> None:
        """Its content, or that of each of its blocks."""
        if not file.blocks:
            if file.size and not file.link:
                self.learn(file.sha256, file.size, file.parts)
            return
        for number, parts in enumerate(parts_by_block(file)):
            self.learn(file.blocks[number], block_length(file.size, number), parts, is_block=True)

    def find(self, sha256: str, length: int, *, is_block: bool = False) -> tuple[Part, ...] | None:
        name = _name(sha256, length, is_block)
        with self._lock:
            places = self._places.get(name)
            if places is None:
                return None
            return tuple(
                [
                    Part(*(self._objects[number] if number >= 0 else ("", b"")), offset, size)
                    for number, offset, size in places
                ]
            )

    def _place(self, part: Part) -> tuple[int, int, int]:
        """With the lock."""
        if not part.object_id:
            return -1, 0, part.length
        number = self._numbers.setdefault(part.object_id, len(self._objects))
        if number == len(self._objects):
            self._objects.append((part.object_id, part.key))
        return number, part.offset, part.length


def parts_by_block(file: File) -> Iterator[tuple[Part, ...]]:
    """The parts of each block of a file, cut where they reach into the next."""
    left = iter(file.parts)
    part = next(left, None)
    for number in range(max(1, block_count(file.size))):
        wanted, found = block_length(file.size, number), list[Part]()
        while wanted and part is not None:
            length = min(wanted, part.length)
            offset = part.offset if part.object_id else 0
            found.append(Part(part.object_id, part.key, offset, length))
            wanted -= length
            rest = part.length - length
            part = (
                Part(part.object_id, part.key, offset + length if part.object_id else 0, rest)
                if rest
                else next(left, None)
            )
        yield tuple(found)


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The same bytes in as few parts as can be: holes that touch are one."""
    made: list[Part] = []
    for part in parts:
        if made and not part.object_id and not made[-1].object_id:
            made[-1] = Part("", b"", 0, made[-1].length + part.length)
        else:
            made.append(part)
    return tuple(made)


def _name(sha256: str, length: int, is_block: bool) -> bytes:  # noqa: FBT001
    return bytes.fromhex(sha256) + length.to_bytes(8, "big") + bytes([is_block])


def tag_of(pieces: Iterable[tuple[str, int]]) -> str:
    """What an object holds: of each piece its SHA-256 and length."""
    digest = hashlib.sha256()
    for sha256, length in pieces:
        digest.update(f"{sha256} {length}\n".encode())
    return digest.hexdigest()
