"""The Merkle tree of RFC 6962, section 2.1, over SHA-256."""

import hashlib
from collections.abc import Iterable

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree reduced to its right edge: the roots of its full subtrees, largest first. Enough to grow it and to know its root."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, subtree: bytes, *, leaves: int = 1) -> None:
        """Appends the root of a full subtree of `leaves` leaves, a power of two that divides the size so far."""
        assert self.size % leaves == 0, "a subtree out of its place"
        below = self.size // leaves
        while below % 2:
            subtree = node_hash(self._peaks.pop(), subtree)
            below //= 2
        self._peaks.append(subtree)
        self.size += leaves

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    frontier = Frontier()
    for one in hashes:
        frontier.add(one)
    return frontier.root()
