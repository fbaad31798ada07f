"""Fetching many files at once: each object once, each file checked against its hash, into whatever takes the bytes."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from fabriek.kernel.errors import Damaged, FabriekError, InvalidInput, Unavailable
from fabriek.sdk.ahead import ahead
from fabriek.sdk.opened import OpenedVersion
from fabriek.sealing.manifest import File, Part

FETCHED_AT_ONCE = 4
TRIES = 3
AHEAD_BYTES = 2**20
"""From this size on a file is worth a second thread."""


class Sink(Protocol):
    """Takes one file's bytes in order."""

    def write(self, piece: bytes) -> None: ...

    def close(self) -> None: ...


Sinks = Callable[[File], Sink]
"""Makes the sink of a file; made anew when the file is fetched again."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How it went with one file: `damage` is empty when every byte is what was pushed."""

    file: File
    damage: str = ""


class Nowhere:
    """A sink for those who only want to know whether the bytes are right."""

    def write(self, piece: bytes) -> None:
        """The hash has been taken; nothing else is wanted."""

    def close(self) -> None:
        """There is nothing to close."""


def fetch(opened: OpenedVersion, files: Iterable[File], sinks: Sinks) -> Iterator[Fetched]:
    """Fetches and checks every file; yields as they are done, in no order. Damage is told and does not stop the others.

    Raises what `sinks` raise, and Unavailable when the server stays away.
    """
    tasks = _tasks(files)
    stop = threading.Event()

    def run(task: "_Task") -> list[Fetched]:
        return [] if stop.is_set() else _attempts(opened, task, sinks)

    if len(tasks) <= 1:
        for task in tasks:
            yield from run(task)
        return
    with ThreadPoolExecutor(FETCHED_AT_ONCE, thread_name_prefix="fabriek-pull") as pool:
        try:
            for done in pool.map(run, tasks):
                yield from done
        finally:
            stop.set()


@dataclass(frozen=True, slots=True)
class _Task:
    """Files that are fetched together: those in one object, or one file in several."""

    files: tuple[File, ...]


def _tasks(files: Iterable[File]) -> list[_Task]:
    by_object: dict[str, list[File]] = {}
    alone = []
    for file in files:
        if len(file.parts) == 1:
            by_object.setdefault(file.parts[0].object_id, []).append(file)
        else:
            alone.append(_Task((file,)))
    return alone + [_Task(tuple(group)) for group in by_object.values()]


def _attempts(opened: OpenedVersion, task: _Task, sinks: Sinks) -> list[Fetched]:
    for attempt in range(TRIES):
        try:
            return _fetch_once(opened, task, sinks)
        except Unavailable:
            if attempt == TRIES - 1:
                raise
        except Damaged as error:
            if opened.grant.at_store and attempt == 0:
                continue  # a store that answered wrongly once may answer well now; nothing of it was kept
            return [Fetched(file, error.detail) for file in task.files]
        except InvalidInput:
            raise
        except FabriekError as error:
            if error.meaning.http < 500:
                raise
            return [Fetched(file, error.detail) for file in task.files]
    raise AssertionError("the last attempt returns or raises")


def _fetch_once(opened: OpenedVersion, task: _Task, sinks: Sinks) -> list[Fetched]:
    if len(task.files) == 1:
        file = task.files[0]
        pieces = (piece for part in file.parts for piece in opened.stream_part(part))
        return [_filled(file, sinks, ahead(pieces) if file.size >= AHEAD_BYTES else pieces)]
    return _scatter(opened, task.files, sinks)


def _filled(file: File, sinks: Sinks, pieces: Iterable[bytes]) -> Fetched:
    sink, digest = sinks(file), hashlib.sha256()
    try:
        for piece in pieces:
            digest.update(piece)
            sink.write(piece)
    finally:
        sink.close()
    return Fetched(file, "" if digest.hexdigest() == file.sha256 else "its content is not what its version says")


def _scatter(opened: OpenedVersion, files: Sequence[File], sinks: Sinks) -> list[Fetched]:
    """One object that holds many small files: read once. It is small by the rules of packing, and refused when it is not."""
    part = files[0].parts[0]
    if any(one.parts[0].key != part.key for one in files):
        raise Damaged("two files say different keys for one object", fix="push the data again", where=part.object_id)
    end = max(one.parts[0].offset + one.parts[0].length for one in files)
    whole = b"".join(opened.stream_part(Part(part.object_id, part.key, 0, end)))
    done = []
    for file in files:
        begin = file.parts[0].offset
        done.append(_filled(file, sinks, [whole[begin : begin + file.parts[0].length]]))
    return done
