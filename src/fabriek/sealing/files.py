"""Sealing and opening from file to file, on as many threads as there are processors: every chunk has its place beforehand.

Each thread has its own cipher and two buffers that it keeps; reading, sealing and writing all release the interpreter's lock.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fabriek.kernel.errors import Damaged
from fabriek.sealing.objects import (
    CHUNK_BYTES,
    HEAD_BYTES,
    SALT_BYTES,
    SEALED_CHUNK_BYTES,
    Cipher,
    plain_size,
    sealed_size,
)

THREADS_MAX: Final = 4
RUN_CHUNKS: Final = 16
"""Chunks that a thread takes at a time: 256 KiB in and as much out stay in the processor's cache."""

CONTIGUOUS_RUNS: Final = 16
"""Runs that lie one after another and go to one thread, so that each reads and writes 4 MiB in order."""

Step = Callable[[Cipher, int, int, memoryview, memoryview], None]
"""(cipher, first chunk, chunk behind the last, room to read into, room to write from)."""


def seal_file(plain: int, sealed: int, key: bytes, context: bytes, salt: bytes, *, threads: int = 0) -> int:
    """Seals an open file into another, which is empty; both are descriptors. Returns the size of the object in bytes.

    The plaintext must not change meanwhile: it is read at its size at the beginning. Raises Damaged when it became shorter.
    """
    size = os.fstat(plain).st_size
    _write_all(sealed, memoryview(salt + Cipher(key, salt, context).commitment), 0)

    def step(cipher: Cipher, first: int, stop: int, taken: memoryview, made: memoryview) -> None:
        begin, end = first * CHUNK_BYTES, min(stop * CHUNK_BYTES, size)
        _read_all(plain, taken[: end - begin], begin)
        place = HEAD_BYTES + first * SEALED_CHUNK_BYTES
        filled = cipher.seal_into(first, taken[: end - begin], made)
        _write_all(sealed, made[:filled], place)

    last = size // CHUNK_BYTES
    _in_threads(step, -(-size // CHUNK_BYTES), lambda: Cipher(key, salt, context), threads)
    if size % CHUNK_BYTES == 0:
        _write_all(
            sealed, memoryview(Cipher(key, salt, context).seal_last(last)), HEAD_BYTES + last * SEALED_CHUNK_BYTES
        )
    return sealed_size(size)


def open_file(sealed: int, plain: int, key: bytes, context: bytes, *, threads: int = 0) -> int:
    """Opens an object in an open file into another, which is empty. Returns the size of the plaintext in bytes.

    Raises Damaged: then what was written is to be thrown away; every byte of it is authentic, but not all of them are there.
    """
    whole = os.fstat(sealed).st_size
    size = plain_size(whole)
    head = os.pread(sealed, HEAD_BYTES, 0)
    salt = head[:SALT_BYTES]
    Cipher(key, salt, context).check(head)

    def step(cipher: Cipher, first: int, stop: int, taken: memoryview, made: memoryview) -> None:
        begin = HEAD_BYTES + first * SEALED_CHUNK_BYTES
        end = min(HEAD_BYTES + stop * SEALED_CHUNK_BYTES, whole)
        _read_all(sealed, taken[: end - begin], begin)
        filled = cipher.open_into(first, taken[: end - begin], made)
        _write_all(plain, made[:filled], first * CHUNK_BYTES)

    _in_threads(step, size // CHUNK_BYTES + 1, lambda: Cipher(key, salt, context), threads)
    return size


def _in_threads(step: Step, chunks: int, cipher: Callable[[], Cipher], threads: int) -> None:
    """Every chunk once. The first error stops the others at their next run."""
    stopped = threading.Event()
    span = RUN_CHUNKS * CONTIGUOUS_RUNS
    count = max(1, min(threads or os.cpu_count() or 1, THREADS_MAX, -(-chunks // span)))

    def work(number: int) -> None:
        own, taken, made = (
            cipher(),
            bytearray(RUN_CHUNKS * SEALED_CHUNK_BYTES),
            bytearray(RUN_CHUNKS * SEALED_CHUNK_BYTES),
        )
        for begin in range(number * span, chunks, count * span):
            for first in range(begin, min(begin + span, chunks), RUN_CHUNKS):
                if stopped.is_set():
                    return
                step(own, first, min(first + RUN_CHUNKS, chunks), memoryview(taken), memoryview(made))

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException:
            stopped.set()
            raise

    if count == 1:
        work(0)
        return
    with ThreadPoolExecutor(count, thread_name_prefix="fabriek-seal") as pool:
        for _ in pool.map(guarded, range(count)):
            pass


def _read_all(descriptor: int, room: memoryview, offset: int) -> None:
    while room:
        count = os.preadv(descriptor, [room], offset)
        if count == 0:
            raise Damaged(
                "the file became shorter while it was read", fix="try again when nothing writes to it", where="end"
            )
        room, offset = room[count:], offset + count


def _write_all(descriptor: int, piece: memoryview, offset: int) -> None:
    while piece:
        count = os.pwrite(descriptor, piece, offset)
        piece, offset = piece[count:], offset + count
