"""Fetching many files at once: each object once, each file checked against its hash, into whatever takes the bytes."""

import hashlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, Unavailable
from fabriek.sdk.opened import OpenedVersion
from fabriek.sealing.digests import BLOCK_BYTES, Digest, zeros_hash
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.packing import PACK_BYTES, parts_by_block

FETCHED_AT_ONCE = 4
TRIES = 3
GATHERED_MAX = 4_096
"""Small files that are looked through for such as lie in one object: those of one pack follow each other closely."""

SPAN_BYTES_MAX = 2 * 2**20
"""Up to here a stretch of an object is asked for; of more, the whole object."""

_OTHER: Final = "its content is not what its version says"


class Sink(Protocol):
    """Takes one file's bytes, each run of them where it belongs, perhaps from several threads. What never comes is zeros."""

    def write(self, offset: int, piece: bytes | memoryview) -> None: ...

    def close(self) -> None: ...


Sinks = Callable[[File], Sink]
"""Makes the sink of a file; made anew when a small file is fetched again."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it went with one file: `damage` is empty when every byte is what was pushed."""

    file: File
    damage: str = ""


class Nowhere:
    """A sink for those who only want to know whether the bytes are right."""

    def write(self, offset: int, piece: bytes | memoryview) -> None:
        """The hash has been taken; nothing else is wanted."""

    def close(self) -> None:
        """There is nothing to close."""


def fetch(opened: OpenedVersion, files: Iterable[File], sinks: Sinks) -> Iterator[Fetched]:
    """Fetches and checks every file but links; yields as they are done, in no order. Damage is told and does not stop the others.

    Holds a bounded number of files, however many there are. Raises what `sinks` raise, and Unavailable when the server stays away.
    """
    stop = threading.Event()
    waiting: deque[Future[list[Fetched]]] = deque()
    with ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="fabriek-pull") as pool:
        try:
            for task in _tasks(opened, files, sinks):
                waiting.append(pool.submit(_unless, stop, task))
                while len(waiting) > 2 * FETCHED_AT_ONCE:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            stop.set()


Task = Callable[[], list[Fetched]]


def _unless(stop: threading.Event, task: Task) -> list[Fetched]:
    return [] if stop.is_set() else task()


def _tasks(opened: OpenedVersion, files: Iterable[File], sinks: Sinks) -> Iterator[Task]:
    """Small files in one object together, large ones block by block."""
    groups: OrderedDict[str, list[File]] = OrderedDict()
    gathered = 0
    for file in files:
        if file.link:
            continue
        opened.expect(file)
        if len(file.parts) > 1 or file.size > PACK_BYTES or (file.parts and not file.parts[0].object_id):
            yield from _Large(opened, file, sinks).tasks()
            continue
        groups.setdefault(file.parts[0].object_id if file.parts else "", []).append(file)
        gathered += 1
        while gathered > GATHERED_MAX:
            _, group = groups.popitem(last=False)
            gathered -= len(group)
            yield _small(opened, group, sinks)
    for group in groups.values():
        yield _small(opened, group, sinks)


def _small(opened: OpenedVersion, files: Sequence[File], sinks: Sinks) -> Task:
    return lambda: _attempts(lambda: _scatter(opened, files, sinks), files, again=opened.grant.at_store)


def _attempts(act: Task, files: Sequence[File], *, again: bool) -> list[Fetched]:
    """again: damage is believed when it is met twice."""
    for attempt in range(TRIES):
        try:
            return act()
        except Unavailable:
            if attempt == TRIES - 1:
                raise
        except Damaged as error:
            if again and attempt == 0:
                continue  # a store that answered wrongly once may answer well now; what it said first is written over
            return [Fetched(file, error.detail) for file in files]
        except InvalidInput:
            raise
        except FabriekError as error:
            if error.meaning.http < 500:
                raise
            return [Fetched(file, error.detail) for file in files]
    raise AssertionError("the last attempt returns or raises")


def _scatter(opened: OpenedVersion, files: Sequence[File], sinks: Sinks) -> list[Fetched]:
    """Files of one object, or files that are empty. It is read once, or the stretch of it that they lie in."""
    if not files[0].parts:
        return [_filled(file, sinks, b"") for file in files]
    part = files[0].parts[0]
    if any(one.parts[0].key != part.key for one in files):
        raise Damaged("two files say different keys for one object", fix="push the data again", where=part.object_id)
    begin = min(one.parts[0].offset for one in files)
    end = max(one.parts[0].offset + one.parts[0].length for one in files)
    if end - begin > BLOCK_BYTES:
        raise Damaged("an object is larger than its version may say", fix="push the data again", where=part.object_id)
    stretch = Part(part.object_id, part.key, begin, end - begin)
    # From the start on, the whole is one request; a stretch in the middle needs head and end of the object, too.
    alone = begin > 0 and stretch.length <= SPAN_BYTES_MAX
    whole = memoryview(opened.read_part(stretch) if alone else b"".join(opened.stream_part(stretch)))
    return [
        _filled(file, sinks, whole[file.parts[0].offset - begin : file.parts[0].offset - begin + file.size])
        for file in files
    ]


def _filled(file: File, sinks: Sinks, content: bytes | memoryview) -> Fetched:
    sink = sinks(file)
    try:
        sink.write(0, content)
    finally:
        sink.close()
    return Fetched(file, "" if hashlib.sha256(content).hexdigest() == file.sha256 else _OTHER)


class _Large:
    """One file that is fetched block by block, several at once."""

    def __init__(self, opened: OpenedVersion, file: File, sinks: Sinks) -> None:
        self._opened, self._file, self._sinks = opened, file, sinks
        self._hashes = file.blocks or (file.sha256,)
        self._left, self._damage = len(self._hashes), ""
        self._lock = threading.Lock()

    def tasks(self) -> Iterator[Task]:
        """One for each block that holds data, and at least one. Holes are believed: their hash is known."""
        sink = self._sinks(self._file)
        holes = 0
        last: Task | None = None
        for number, parts in enumerate(parts_by_block(self._file)):
            if any(part.object_id for part in parts):
                if last is not None:
                    yield last
                last = self._task(number, parts, sink)
            else:
                holes += 1
                if self._hashes[number] != zeros_hash(self._file.size, number):
                    self._damage = _OTHER
        with self._lock:
            self._left -= holes
            is_done = self._left == 0
        if last is not None and not is_done:
            yield last
        else:
            sink.close()
            yield lambda: [Fetched(self._file, self._damage)]

    def _task(self, number: int, parts: Sequence[Part], sink: Sink) -> Task:
        again = self._opened.grant.at_store
        return lambda: self._done(_attempts(lambda: self._fetch(number, parts, sink), [self._file], again=again), sink)

    def _done(self, fetched: list[Fetched], sink: Sink) -> list[Fetched]:
        with self._lock:
            self._damage = self._damage or fetched[0].damage
            self._left -= 1
            if self._left:
                return []
        sink.close()
        return [Fetched(self._file, self._damage)]

    def _fetch(self, number: int, parts: Sequence[Part], sink: Sink) -> list[Fetched]:
        digest, at = Digest(self._file.size), number * BLOCK_BYTES
        in_one = sum(bool(part.object_id) for part in parts) == 1
        for part in parts:
            if not part.object_id:
                digest.zeros(part.length)
                at += part.length
                continue
            pieces: Iterator[bytes | memoryview] = (
                self._opened.views_of_part(part) if in_one and part.offset == 0 else self._opened.range(part)
            )
            for piece in pieces:
                digest.update(piece)
                sink.write(at, piece)
                at += len(piece)
        return [Fetched(self._file, "" if digest.hexdigest() == self._hashes[number] else _OTHER)]
