"""What a version holds: files, where their bytes are, and the keys that open them. How that is written down is `pages`' matter."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fabriek.sealing.paths import check_link, check_next, rank

BLOCK_BYTES: Final = 64 * 2**20
"""A file of more bytes has a digest over its blocks of this size, so that each can be read, sent and checked by itself."""

_BLOCKS: Final = b"fabriek/blocks\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a file's bytes: `length` bytes from `offset` in the plaintext of an object, which its own key opens.

    Without an object it is a hole: `length` zero bytes that lie nowhere.
    """

    object_id: str
    key: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class File:
    """One file, or a link inside the set. A link has a target and no parts.

    `sha256` is of the whole plaintext; of a file of more than BLOCK_BYTES it is `digest_of` its `blocks`, the SHA-256 of each.
    """

    path: str
    mode: int
    size: int
    sha256: str
    parts: tuple[Part, ...] = ()
    link: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one version in the order of their paths, all of them in memory: for what is small by its nature."""

    files: tuple[File, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files)

    def objects(self) -> frozenset[str]:
        return frozenset(part.object_id for file in self.files for part in file.parts if part.object_id)


def make_manifest(files: Iterable[File]) -> Manifest:
    """Raises InvalidInput on a path that is not allowed or stands twice."""
    ordered = tuple(sorted(files, key=lambda file: rank(file.path)))
    before = ""
    for file in ordered:
        check_next(before, file.path)
        if file.link:
            check_link(file.path, file.link)
        before = file.path
    return Manifest(ordered)


def block_count(size: int) -> int:
    """How many blocks have a hash of their own: none where one hash is of the whole file."""
    return -(-size // BLOCK_BYTES) if size > BLOCK_BYTES else 0


def block_length(size: int, number: int) -> int:
    """Bytes of one block; the last may be shorter."""
    return min(BLOCK_BYTES, size - number * BLOCK_BYTES)


def digest_of(blocks: Sequence[str]) -> str:
    """What stands for the SHA-256 of a file in several blocks: SHA-256 over a line and the hashes of all of them, 32 bytes each."""
    digest = hashlib.sha256(_BLOCKS)
    for block in blocks:
        digest.update(bytes.fromhex(block))
    return digest.hexdigest()


@lru_cache(maxsize=64)
def zeros_sha256(length: int) -> str:
    """The SHA-256 of so many zero bytes, at most a block."""
    digest, piece = hashlib.sha256(), bytes(2**20)
    for _ in range(length // len(piece)):
        digest.update(piece)
    digest.update(piece[: length % len(piece)])
    return digest.hexdigest()
