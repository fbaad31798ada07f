"""Opened blocks of objects, kept in a bounded memory: each is fetched once, however many ask for it at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import pairwise

from fabriek.sealing.objects import CHUNK_BYTES

KEPT_BLOCK_BYTES = 4 * CHUNK_BYTES
"""Plaintext of one block: whole chunks, few enough that a small read fetches little, many enough that a large one asks seldom."""

Load = Callable[[int, int], bytes]
"""(first, stop) → the plaintext of these blocks of one object, fewer bytes only at its end. Raises what goes wrong."""


class Blocks:
    """Least recently used ones go first. For many threads."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max, self._bytes = bytes_max, 0
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._coming: dict[tuple[str, int], Future[bytes]] = {}
        self._lock = threading.Lock()

    def kept(self, object_id: str, first: int, stop: int) -> list[bytes] | None:
        """Blocks first ≤ number < stop where all of them are here, without waiting."""
        with self._lock:
            found = [self._touch((object_id, number)) for number in range(first, stop)]
        return None if None in found else [block for block in found if block is not None]

    def get(self, object_id: str, first: int, stop: int, load: Load) -> list[bytes]:
        """Blocks first ≤ number < stop; those that are neither here nor coming are loaded, a run of them at once."""
        found: dict[int, bytes] = {}
        coming: dict[int, Future[bytes]] = {}
        ours: dict[int, Future[bytes]] = {}
        with self._lock:
            for number in range(first, stop):
                name = (object_id, number)
                block = self._touch(name)
                if block is not None:
                    found[number] = block
                elif name in self._coming:
                    coming[number] = self._coming[name]
                else:
                    ours[number] = self._coming[name] = Future()
        self._fill(object_id, ours, load)
        found |= {number: future.result() for number, future in (ours | coming).items()}
        return [found[number] for number in range(first, stop)]

    def close(self) -> None:
        """Drops all, and keeps nothing that comes later."""
        with self._lock:
            self._bytes_max = 0
            self._kept.clear()
            self._bytes = 0

    def _fill(self, object_id: str, ours: dict[int, "Future[bytes]"], load: Load) -> None:
        """Every future gets its block, or the error that kept it away."""
        for first, stop in _runs(list(ours)):
            try:
                opened = load(first, stop)
            except BaseException as error:
                self._fail(object_id, ours, error)
                raise
            for number in range(first, stop):
                start = (number - first) * KEPT_BLOCK_BYTES
                block = opened if stop - first == 1 else opened[start : start + KEPT_BLOCK_BYTES]
                self._keep((object_id, number), block)
                ours[number].set_result(block)

    def _fail(self, object_id: str, ours: dict[int, "Future[bytes]"], error: BaseException) -> None:
        with self._lock:
            for number, future in ours.items():
                if not future.done():
                    del self._coming[object_id, number]
                    future.set_exception(error)

    def _keep(self, name: tuple[str, int], block: bytes) -> None:
        with self._lock:
            del self._coming[name]
            self._kept[name] = block
            self._bytes += len(block)
            while self._bytes > self._bytes_max:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped)

    def _touch(self, name: tuple[str, int]) -> bytes | None:
        block = self._kept.get(name)
        if block is not None:
            self._kept.move_to_end(name)
        return block


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, stop) of each run in numbers that rise."""
    if not numbers:
        return
    first = numbers[0]
    for one, following in pairwise(numbers):
        if following != one + 1:
            yield first, one + 1
            first = following
    yield first, numbers[-1] + 1
