"""A version read in place: any part of any file, in any order, without a copy of the rest."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from fabriek.kernel.errors import Damaged, FabriekError, NotFound, NotPermitted
from fabriek.sdk.blocks import KEPT_BLOCK_BYTES, Blocks
from fabriek.sdk.opened import OpenedVersion
from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.objects import Opener

KEPT_BYTES_MAX = 64 * 2**20
"""Plaintext that is kept in memory for one version."""

AHEAD_BYTES_MIN, AHEAD_BYTES_MAX = 2**20, 4 * 2**20
"""Fetched ahead of who reads a file from front to back: more, the longer they do."""

STEPS_APART_MAX = 2**20
"""Between the end of one read and the start of the next that goes on from it: the kernel's own come in no strict order."""

FETCHED_AHEAD_AT_ONCE = 2

OPENERS_MAX = 128
"""Objects whose head is kept, up to 64 KiB each. A version has a million: whoever goes through all of it would keep all of them."""

STEPS_MAX = 4_096
"""Files that somebody is in the middle of: the oldest are forgotten, and fetched ahead of no more until they are read on."""

ENDED = "grant.ended"


@dataclass(frozen=True, slots=True)
class _Step:
    """Of who reads a file from front to back: where the next read is to begin, how far it was fetched, how much comes next."""

    follows: int
    reached: int
    length: int


class Reading:
    """Reads through a grant; `renew` opens the same version anew when that has run out. For many threads.

    Every byte is authenticated before it is handed out. Raises Damaged on what is not what was pushed, NotPermitted when it may not be
    read any more, Unavailable when the server is away.
    """

    def __init__(
        self,
        opened: OpenedVersion,
        renew: Callable[[], OpenedVersion] | None = None,
        *,
        kept_bytes_max: int = KEPT_BYTES_MAX,
    ) -> None:
        self.opened, self._renew = opened, renew
        self.book = Book(opened.book.root, self._read_part)
        self._blocks = Blocks(kept_bytes_max)
        self._openers: dict[str, list[Opener]] = {}  # what was used last stands last
        self._steps: dict[str, _Step] = {}
        self._ahead = ThreadPoolExecutor(FETCHED_AHEAD_AT_ONCE, thread_name_prefix="fabriek-ahead")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Forgets what was opened, and gives the grant back."""
        self.forget()
        self.opened.close()

    def forget(self) -> None:
        """Drops every byte that was kept, and keeps none from now on."""
        self._ahead.shutdown(wait=False, cancel_futures=True)
        self._blocks.close()
        self.book.forget()
        with self._lock:
            self._openers = {}

    def file(self, path: str) -> File:
        """Raises NotFound."""
        file = self.book.find(path)
        if file is None:
            raise NotFound(f"the version has no file {path!r}", fix="fabriek data show NAME lists its files")
        return file

    def read(self, file: File, start: int, stop: int) -> bytes:
        """The file's bytes start ≤ position < stop, fewer only at its end; fetches the chunks they lie in, and some ahead."""
        stop = min(stop, file.size)
        if start >= stop:
            return b""
        self._look_ahead(file, start, stop)
        return b"".join(
            self._get(part, begin, end) if part.object_id else bytes(end - begin)
            for part, begin, end in _pieces(file, start, stop)
        )

    def kept(self, file: File, start: int, stop: int) -> bytes | None:
        """The same bytes where all of them are here already; never waits."""
        stop = min(stop, file.size)
        if start >= stop:
            return b""
        found = []
        for part, begin, end in _pieces(file, start, stop):
            if not part.object_id:
                found.append(bytes(end - begin))
                continue
            first = begin // KEPT_BLOCK_BYTES
            blocks = self._blocks.kept(part.object_id, first, _behind(end))
            if blocks is None:
                return None
            found.append(_cut(blocks, begin - first * KEPT_BLOCK_BYTES, end - begin))
        self._look_ahead(file, start, stop)
        return found[0] if len(found) == 1 else b"".join(found)

    def _get(self, part: Part, begin: int, end: int) -> bytes:
        """Plaintext of the part's object. Raises Damaged where the object is shorter than its version says."""
        first = begin // KEPT_BLOCK_BYTES
        blocks = self._blocks.get(part.object_id, first, _behind(end), partial(self._load, part))
        piece = _cut(blocks, begin - first * KEPT_BLOCK_BYTES, end - begin)
        if len(piece) < end - begin:
            raise Damaged("an object is shorter than its version says", fix="fabriek data verify", where=part.object_id)
        return piece

    def _look_ahead(self, file: File, start: int, stop: int) -> None:
        """Has the next stretch fetched where the file is being read from front to back."""
        step = self._steps.get(file.path)
        if step is None:
            self.opened.expect(file)
        if step is None or abs(start - step.follows) > STEPS_APART_MAX:
            self._note(file, _Step(stop, stop, AHEAD_BYTES_MIN) if stop < file.size else None)
            return
        reached, length = max(step.reached, stop), step.length
        if reached >= file.size:
            self._note(file, None)
        elif reached - stop > length // 2:
            self._note(file, _Step(stop, reached, length))
        else:
            end = min(reached + length, file.size)
            self._note(file, _Step(stop, end, min(2 * length, AHEAD_BYTES_MAX)))
            with suppress(RuntimeError):  # it is being closed
                self._ahead.submit(self._fetch, file, reached, end)

    def _note(self, file: File, step: _Step | None) -> None:
        """None: who reads the file has come to its end."""
        with self._lock:
            self._steps.pop(file.path, None)
            if step is not None:
                self._steps[file.path] = step
                while len(self._steps) > STEPS_MAX:
                    del self._steps[next(iter(self._steps))]

    def _fetch(self, file: File, start: int, stop: int) -> None:
        with suppress(FabriekError):  # who reads there will meet it too, and say so
            for part, begin, end in _pieces(file, start, stop):
                if part.object_id:
                    self._get(part, begin, end)

    def _load(self, part: Part, first: int, stop: int) -> bytes:
        return self._granted(lambda: self.opened.again(lambda: self._open(part, first, stop)))

    def _read_part(self, part: Part) -> bytes:
        return self._granted(lambda: self.opened.read_part(part))

    def _granted(self, read: Callable[[], bytes]) -> bytes:
        """Once more under a fresh grant where the one we had has ended."""
        try:
            return read()
        except NotPermitted as error:
            if self._renew is None or error.fields.get("rule") != ENDED:
                raise
            self._open_anew()
            return read()

    def _open(self, part: Part, first: int, stop: int) -> bytes:
        """An opener serves one thread at a time, and is kept: its head and its end need not be fetched again."""
        with self._lock:
            openers, granted = self._openers, self.opened
            idle = openers.pop(part.object_id, [])
            opener = idle.pop() if idle else None
            if idle:
                openers[part.object_id] = idle
        if opener is None:
            opener = granted.opener(part)
        opened = opener.read(first * KEPT_BLOCK_BYTES, (stop - first) * KEPT_BLOCK_BYTES)
        with self._lock:
            # Those of a grant that has ended meanwhile, and of what was forgotten, go with `openers`.
            openers[part.object_id] = [*openers.pop(part.object_id, []), opener]
            while len(openers) > OPENERS_MAX:
                del openers[next(iter(openers))]
        return opened

    def _open_anew(self) -> None:
        assert self._renew is not None, "asked only where it can be renewed"
        ended = self.opened
        with self._lock:
            if self.opened is ended:
                self.opened = self._renew()
                self._openers = {}


def _pieces(file: File, start: int, stop: int) -> list[tuple[Part, int, int]]:
    """(part, begin, end) in the plaintext of the parts' objects that make up these bytes of the file."""
    found, position = [], 0
    for part in file.parts:
        begin, end = max(start, position), min(stop, position + part.length)
        if begin < end:
            found.append((part, part.offset + begin - position, part.offset + end - position))
        position += part.length
    return found


def _behind(end: int) -> int:
    """The number of the block behind the one that holds the last byte."""
    return (end - 1) // KEPT_BLOCK_BYTES + 1


def _cut(blocks: list[bytes], start: int, count: int) -> bytes:
    if len(blocks) == 1:
        return blocks[0][start : start + count]
    last = start + count - KEPT_BLOCK_BYTES * (len(blocks) - 1)
    return b"".join([memoryview(blocks[0])[start:], *blocks[1:-1], memoryview(blocks[-1])[:last]])
