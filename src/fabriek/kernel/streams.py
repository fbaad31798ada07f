"""Streams of bytes on their way to the store."""

import hashlib
from collections.abc import Iterable, Iterator

from fabriek.kernel.errors import InvalidInput


class Counted:
    """A stream that counts and hashes what passes. Raises InvalidInput where it becomes longer than `bytes_max`; 0: it never does."""

    def __init__(self, chunks: Iterable[bytes], bytes_max: int = 0) -> None:
        self._chunks, self._bytes_max = chunks, bytes_max
        self.size = 0
        self.sha256 = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            if 0 < self._bytes_max < self.size:
                raise InvalidInput(f"a file here has at most {self._bytes_max:,} bytes", fix="send a smaller one")
            self.sha256.update(chunk)
            yield chunk
