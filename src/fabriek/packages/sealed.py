"""A sealed object as a file that can be read at any place: what a reader of archives needs, without the plain bytes ever lying anywhere."""

import io
from collections.abc import Callable, Iterator

READ_AHEAD_BYTES = 2**20

Open = Callable[[int, int], Iterator[bytes]]
"""Plaintext from a position to another, in pieces."""


def as_file(open_range: Open, size: int) -> io.BufferedReader:
    return io.BufferedReader(_Sealed(open_range, size), READ_AHEAD_BYTES)


class _Sealed(io.RawIOBase):
    def __init__(self, open_range: Open, size: int) -> None:
        super().__init__()
        self._open, self._size, self._at = open_range, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # io gives a writable view
        stop = min(self._size, self._at + len(buffer))
        piece = b"".join(self._open(self._at, stop)) if stop > self._at else b""
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
