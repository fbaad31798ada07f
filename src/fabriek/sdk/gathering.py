"""From a folder to the files of a version: each is read once, what the store holds already is not sent, and what is new becomes objects.

Files come out in the order of their paths, each with its place; the way there is a stream. A bounded number of them waits for objects under way.
"""

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from fabriek.sdk.folders import Met, Survey, changed, mode_of, opened, read_whole, standing
from fabriek.sdk.hashes import Hashes, is_settled
from fabriek.sdk.hashing import Block
from fabriek.sdk.holes import runs
from fabriek.sdk.journal import Journal
from fabriek.sdk.sending import Placed, Sender, filled
from fabriek.sealing.digests import BLOCK_BYTES, block_count, block_length, digest_of, zeros_hash
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.packing import (
    PACK_BYTES,
    PACK_BYTES_MIN,
    SMALL_BYTES,
    Held,
    joined,
    parts_by_block,
    tag_of,
)

SENT_AT_ONCE = 4
UNDER_WAY_MAX = SENT_AT_ONCE + 2
"""Objects that are being sent or are about to: of small files each holds 8 MiB."""

WAITING_MAX = 16_384
"""Files that wait for their objects. Then a pack is sent though it is not full."""

ROW_BYTES: Final = 100
"""Of a file in a page, about: what it costs to look through the parent for a content that has moved."""


Progress = Callable[[int], None]
"""Told how many bytes more are done."""


@dataclass(slots=True)
class _Waiting:
    """A file on its way. `file` once it has its place."""

    met: Met
    mode: int
    sha256: str = ""
    settled: bool = False
    file: File | None = None
    blocks: list[str] = field(default_factory=list)
    parts: list[tuple[Part, ...]] = field(default_factory=list)
    missing: int = 0


@dataclass(slots=True)
class _Pack:
    """Small files for one object. A file that is known by its hash alone has no bytes here: they are read if they are needed."""

    files: list[_Waiting] = field(default_factory=list)
    contents: list[bytes | None] = field(default_factory=list)
    size: int = 0


class Gathering:
    """One push of one folder. `known_as`: what the parent has at a path, asked path by path in their order; `learn`: all contents that it has,
    asked once it is worth it; `count`: how many files.
    """

    def __init__(
        self,
        sender: Sender,
        hashes: Hashes,
        journal: Journal,
        progress: Progress,
        *,
        known_as: Callable[[str], File | None] = lambda _: None,
        learn: Callable[[Held], None] | None = None,
        count: int = 0,
    ) -> None:
        self._sender, self._hashes, self._journal, self._progress = sender, hashes, journal, progress
        self._known_as, self._learn = known_as, learn
        self._worth_bytes = count * ROW_BYTES
        self._held, self._knows_parent = Held(), False
        self._coming: dict[tuple[str, int], list[_Waiting]] = {}
        self._sizes: set[int] = set()
        self._waiting: deque[_Waiting] = deque()
        self._pack = _Pack()
        self._turn = threading.Condition()
        self._under_way = 0
        self._error: BaseException | None = None
        self._pool = ThreadPoolExecutor(SENT_AT_ONCE, thread_name_prefix="fabriek-push")
        self.sent_bytes = 0

    def files(self, survey: Survey) -> Generator[File, None, None]:
        """Every file with its place. Raises Changed where one was touched meanwhile, and what goes wrong in sending."""
        self._root = survey.root
        try:
            for met in survey.met():
                self._take(met)
                if len(self._waiting) > WAITING_MAX:
                    self._close_pack()
                    self._wait(lambda: self._waiting[0].file is not None)
                yield from self._ready()
            self._close_pack()
            while self._waiting:
                self._wait(lambda: self._waiting[0].file is not None)
                yield from self._ready()
        except BaseException:
            self._pool.shutdown(cancel_futures=True)
            raise

    def send(self, act: Callable[[], None]) -> None:
        """In another thread; waits while enough are under way. Raises what went wrong in an earlier one."""
        self._wait(lambda: self._under_way < UNDER_WAY_MAX)
        with self._turn:
            self._under_way += 1
        self._pool.submit(self._guarded, act)

    def finish(self) -> None:
        """Waits for all that is under way. Raises what went wrong."""
        try:
            self._wait(lambda: self._under_way == 0)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def stop(self) -> None:
        """Nothing more is sent."""
        self._pool.shutdown(cancel_futures=True)

    def _guarded(self, act: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            if self._error is None:
                act()
        except BaseException as caught:  # noqa: BLE001  # raised again where the push waits
            error = caught
        with self._turn:
            self._under_way -= 1
            self._error = self._error or error
            self._turn.notify_all()

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._error is not None or until())
        if self._error is not None:
            raise self._error

    def _ready(self) -> Iterator[File]:
        while self._waiting and (file := self._waiting[0].file) is not None:
            one = self._waiting.popleft()
            if one.settled and one.met.status is not None:
                self._hashes.keep(one.met.path, one.met.status, file.sha256)
            yield file

    def _take(self, met: Met) -> None:
        status = met.status
        if status is None:
            self._known_as(met.path)
            self._waiting.append(_Waiting(met, 0o777, file=File(met.path, 0o777, 0, "", (), met.link)))
            return
        one = _Waiting(met, mode_of(status), self._hashes.known(met.path, status))
        one.settled = bool(one.sha256)
        before = self._known_as(met.path)
        if before is not None and (before.link or before.size != status.st_size):
            before = None if before.link or before.size < SMALL_BYTES else before
        self._waiting.append(one)
        if one.sha256 and before is not None and (before.sha256, before.size) == (one.sha256, status.st_size):
            if before.mode == one.mode:
                self._progress(before.size)
                one.file = before
            else:
                self._keep(one, before.parts, before.blocks)
        elif status.st_size < SMALL_BYTES:
            self._take_small(one, before)
        else:
            self._take_large(one, before)

    def _keep(self, one: _Waiting, parts: tuple[Part, ...], blocks: tuple[str, ...] = ()) -> None:
        """Its bytes lie in the store already."""
        status = one.met.status
        assert status is not None, "a file has one"
        self._progress(status.st_size)
        one.file = File(one.met.path, one.mode, status.st_size, one.sha256, parts, "", blocks)

    def _take_small(self, one: _Waiting, before: File | None) -> None:
        content: bytes | None = None
        if not one.sha256:
            content, status = read_whole(self._root, one.met.path, SMALL_BYTES)
            one.met = Met(one.met.path, status)
            one.sha256, one.settled = hashlib.sha256(content).hexdigest(), is_settled(status)
        size = _size(one)
        if size == 0:
            self._keep(one, ())
        elif before is not None and (before.sha256, before.size) == (one.sha256, size):
            self._keep(one, before.parts)
        else:
            self._look_through(size)
            self._take_fresh(one, content, size)

    def _take_fresh(self, one: _Waiting, content: bytes | None, size: int) -> None:
        with self._turn:
            parts = self._held.find(one.sha256, size)
            twins = self._coming.get((one.sha256, size))
            if parts is None and twins is not None:
                twins.append(one)
                self._progress(size)
                return
            if parts is None:
                self._coming[one.sha256, size] = []
        if parts is not None:
            self._keep(one, parts)
            return
        if self._pack.files and self._pack.size + size > PACK_BYTES:
            self._close_pack()
        self._pack.files.append(one)
        self._pack.contents.append(content)
        self._pack.size += size
        if self._pack.size >= PACK_BYTES_MIN and one.sha256[0] == "0":
            self._close_pack()

    def _look_through(self, size: int) -> None:
        """Has the parent's contents at hand once what seems new weighs more than reading them: a file may only have moved."""
        self._worth_bytes -= size
        if self._learn is not None and self._worth_bytes < 0:
            learn, self._learn = self._learn, None
            before = len(self._held)
            learn(self._held)
            self._knows_parent = len(self._held) > before

    def _close_pack(self) -> None:
        pack, self._pack = self._pack, _Pack()
        if pack.files:
            self.send(lambda: self._send_pack(pack))

    def _send_pack(self, pack: _Pack) -> None:
        sizes = [_size(one) for one in pack.files]
        tag = tag_of(zip([one.sha256 for one in pack.files], sizes, strict=True))
        placed = self._arrived(tag)
        if placed is None:
            contents = [
                self._content(one) if content is None else content
                for one, content in zip(pack.files, pack.contents, strict=True)
            ]
            placed = self._sender.deliver(lambda: filled(contents), pack.size)
            self._journal.add(tag, placed.object_id, placed.key)
        self._sender.use(placed.object_id)
        offset = 0
        with self._turn:
            for one, size in zip(pack.files, sizes, strict=True):
                parts = (Part(placed.object_id, placed.key, offset, size),)
                self._held.learn(one.sha256, size, parts)
                for twin in (one, *self._coming.pop((one.sha256, size))):
                    twin.file = File(twin.met.path, twin.mode, size, twin.sha256, parts)
                offset += size
            self.sent_bytes += pack.size
            self._turn.notify_all()
        self._progress(pack.size)

    def _arrived(self, tag: str) -> Placed | None:
        """What an interrupted push brought."""
        found = self._journal.arrived.get(tag)
        return Placed(*found) if found else None

    def _content(self, one: _Waiting) -> bytes:
        """Of a file that was known by its hash alone, and has to be sent after all."""
        content, status = read_whole(self._root, one.met.path, SMALL_BYTES)
        if one.met.status is None or standing(status) != standing(one.met.status):
            raise changed(one.met.path)
        return content

    def _take_large(self, one: _Waiting, before: File | None) -> None:
        """In blocks, each by itself; one that the parent's file has at its place is not sent again."""
        with opened(self._root, one.met.path) as source:
            status = os.fstat(source.fileno())
        if one.met.status is None or standing(status) != standing(one.met.status):
            one.met, one.sha256 = Met(one.met.path, status), ""
        one.settled = is_settled(status)
        if status.st_size < SMALL_BYTES:
            raise changed(one.met.path)
        count = max(1, block_count(status.st_size))
        if before is not None and bool(before.blocks) != (count > 1):
            before = None  # hashed in another way
        one.blocks, one.parts, one.missing = [""] * count, [()] * count, count
        self._look_through(status.st_size)
        known: Sequence[tuple[Part, ...]] = list(parts_by_block(before)) if before is not None else ()
        hashes = () if before is None else before.blocks or (before.sha256,)
        # Hashed before it is sent, and so read twice, only where that may well save the sending: what this push itself has brought so far
        # is most often something else, and where it is not, the hash tells afterwards.
        careful = bool(known or self._knows_parent or self._journal.arrived or status.st_size in self._sizes)
        if len(self._sizes) < WAITING_MAX:
            self._sizes.add(status.st_size)
        numbers = iter(range(count))
        if count > 1:
            numbers = self._but_holes(one, status.st_size, count)
        for number in numbers:
            there = (hashes[number], known[number]) if number < len(known) else None
            self.send(lambda number=number, there=there: self._send_block(one, number, there, careful=careful))  # type: ignore[misc]  # bound now

    def _but_holes(self, one: _Waiting, size: int, count: int) -> Iterator[int]:
        """The blocks that hold data. Those that are one hole are done at once: of a sparse file there may be a million."""
        with opened(self._root, one.met.path) as source:
            for number in range(count):
                begin, length = number * BLOCK_BYTES, block_length(size, number)
                if any(is_data for is_data, _, _ in runs(source.fileno(), begin, begin + length)):
                    yield number
                else:
                    self._place_block(one, number, zeros_hash(size, number), (Part("", b"", 0, length),))
                    self._progress(length)

    def _send_block(
        self, one: _Waiting, number: int, there: tuple[str, tuple[Part, ...]] | None, *, careful: bool
    ) -> None:
        status = one.met.status
        assert status is not None, "a file has one"
        size = status.st_size
        length = block_length(size, number)
        with opened(self._root, one.met.path) as source:
            block = Block(source, one.met.path, size, number)
            parts: tuple[Part, ...] | None = None
            if block.data_bytes == 0:
                sha256, parts = zeros_hash(size, number), (Part("", b"", 0, length),)
            elif careful:
                sha256 = block.hash()
                parts = self._found(sha256, size, number, there)
                placed = self._arrived(block.tag(sha256)) if parts is None else None
                if placed is not None:
                    parts = block.placed(placed)
                    self._sender.use(placed.object_id)
            if parts is None:
                placed = self._sender.deliver(block.fill, block.data_bytes)
                parts, sha256 = block.placed(placed), block.hash_read()
                if standing(os.fstat(source.fileno())) != standing(status):
                    raise changed(one.met.path)
                twin = None if careful else self._found(sha256, size, number, there)
                if twin is not None:
                    parts = twin  # nothing names the object that was sent in vain: it is collected
                else:
                    self._journal.add(block.tag(sha256), placed.object_id, placed.key)
                    self._sender.use(placed.object_id)
                with self._turn:
                    self.sent_bytes += block.data_bytes
            if standing(os.fstat(source.fileno())) != standing(status):
                raise changed(one.met.path)
        self._place_block(one, number, sha256, parts)
        self._progress(length)

    def _found(
        self, sha256: str, size: int, number: int, there: tuple[str, tuple[Part, ...]] | None
    ) -> tuple[Part, ...] | None:
        length = block_length(size, number)
        if sha256 == zeros_hash(size, number):
            return (Part("", b"", 0, length),)
        if there is not None and there[0] == sha256 and sum(part.length for part in there[1]) == length:
            return there[1]
        with self._turn:
            return self._held.find(sha256, length, is_block=size > BLOCK_BYTES)

    def _place_block(self, one: _Waiting, number: int, sha256: str, parts: tuple[Part, ...]) -> None:
        with self._turn:
            self._held.learn(sha256, sum(part.length for part in parts), parts, is_block=len(one.blocks) > 1)
            one.blocks[number], one.parts[number] = sha256, parts
            one.missing -= 1
            if one.missing == 0:
                whole = joined(part for block in one.parts for part in block)
                blocks = tuple(one.blocks) if len(one.blocks) > 1 else ()
                sha256 = digest_of(blocks) if blocks else one.blocks[0]
                one.file = File(one.met.path, one.mode, _size(one), sha256, whole, "", blocks)
                one.blocks, one.parts = [], []
            self._turn.notify_all()


def _size(one: _Waiting) -> int:
    assert one.met.status is not None, "a file has one"
    return one.met.status.st_size
