"""What stands for a file's content. Of a small file its SHA-256; a large one is taken in blocks, so that each can be read, sent and checked by
itself, and a block in pieces, so that a hole of any length costs nothing.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

BLOCK_BYTES: Final = 64 * 2**20
"""A file of more bytes has several blocks."""

PIECE_BYTES: Final = 2**20
_BLOCKS, _BLOCK = b"fabriek/blocks\n", b"fabriek/block\n"


class Digest:
    """Takes the bytes of one block in their order. Of a file in one block it gives the SHA-256 of all bytes, else one over those of its pieces."""

    def __init__(self, size: int) -> None:
        """size: of the whole file, in bytes."""
        self._whole = hashlib.sha256() if size <= BLOCK_BYTES else None
        self._pieces = hashlib.sha256(_BLOCK)
        self._piece, self._taken = hashlib.sha256(), 0

    def update(self, taken: bytes | memoryview) -> None:
        if self._whole is not None:
            self._whole.update(taken)
            return
        view = memoryview(taken)
        while view:
            count = min(len(view), PIECE_BYTES - self._taken)
            self._piece.update(view[:count])
            self._taken += count
            view = view[count:]
            if self._taken == PIECE_BYTES:
                self._end_piece()

    def zeros(self, count: int) -> None:
        """So many zero bytes: whole pieces of them are known."""
        while count > 0:
            if self._whole is None and self._taken == 0 and count >= PIECE_BYTES:
                self._pieces.update(_zero_piece())
                count -= PIECE_BYTES
                continue
            some = min(count, PIECE_BYTES - self._taken if self._whole is None else PIECE_BYTES)
            self.update(memoryview(_ZEROS)[:some])
            count -= some

    def hexdigest(self) -> str:
        """Of all that was taken; nothing more may come."""
        if self._whole is not None:
            return self._whole.hexdigest()
        if self._taken:
            self._end_piece()
        return self._pieces.hexdigest()

    def copy(self) -> "Digest":
        """One that goes on from here by itself."""
        made = Digest.__new__(Digest)
        made._whole = self._whole.copy() if self._whole is not None else None  # noqa: SLF001  # its own
        made._pieces, made._piece, made._taken = self._pieces.copy(), self._piece.copy(), self._taken  # noqa: SLF001  # its own
        return made

    def _end_piece(self) -> None:
        self._pieces.update(self._piece.digest())
        self._piece, self._taken = hashlib.sha256(), 0


class FileDigest:
    """Takes all the bytes of one file in their order, through as many blocks as it has."""

    def __init__(self, size: int) -> None:
        """size: of the file, in bytes."""
        self._size, self._blocks = size, list[str]()
        self._digest, self._left = Digest(size), block_length(size, 0)

    def update(self, taken: bytes | memoryview) -> None:
        view = memoryview(taken)
        while view:
            some = view[: self._left]
            self._digest.update(some)
            self._left -= len(some)
            view = view[len(some) :]
            if self._left == 0 and self._size > BLOCK_BYTES:
                self._blocks.append(self._digest.hexdigest())
                self._digest, self._left = Digest(self._size), block_length(self._size, len(self._blocks))
            elif self._left == 0:
                break

    def hashes(self) -> tuple[str, tuple[str, ...]]:
        """(what stands for the file, the hashes of its blocks where it has several), once all of it was taken."""
        blocks = tuple(self._blocks)
        return (digest_of(blocks), blocks) if blocks else (self._digest.hexdigest(), ())

    def copy(self) -> "FileDigest":
        """One that goes on from here by itself."""
        made = FileDigest.__new__(FileDigest)
        made._size, made._blocks = self._size, self._blocks.copy()  # noqa: SLF001  # its own
        made._digest, made._left = self._digest.copy(), self._left  # noqa: SLF001  # its own
        return made


def block_count(size: int) -> int:
    """How many blocks have a hash of their own: none where one hash is of the whole file."""
    return -(-size // BLOCK_BYTES) if size > BLOCK_BYTES else 0


def block_length(size: int, number: int) -> int:
    """Bytes of one block; the last may be shorter."""
    return min(BLOCK_BYTES, size - number * BLOCK_BYTES)


def digest_of(blocks: Sequence[str]) -> str:
    """What stands for a file in several blocks: SHA-256 over a line and the hashes of all of them, 32 bytes each."""
    digest = hashlib.sha256(_BLOCKS)
    for block in blocks:
        digest.update(bytes.fromhex(block))
    return digest.hexdigest()


def zeros_hash(size: int, number: int) -> str:
    """The hash of a block of zeros in a file of that size."""
    return _zeros_hash(block_length(size, number), size > BLOCK_BYTES)


@lru_cache(maxsize=64)
def _zeros_hash(length: int, is_block: bool) -> str:  # noqa: FBT001  # a key of the cache
    digest = Digest(BLOCK_BYTES + 1 if is_block else 0)
    digest.zeros(length)
    return digest.hexdigest()


_ZEROS: Final = bytes(PIECE_BYTES)


@lru_cache(maxsize=1)
def _zero_piece() -> bytes:
    return hashlib.sha256(_ZEROS).digest()
