"""A version that was opened: its files by path and as streams of bytes, each authenticated before it is passed on."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from fabriek.kernel.errors import Damaged, FabriekError, NotFound
from fabriek.schemas.vault import GrantOut
from fabriek.sdk.client import Client
from fabriek.sdk.granted import granted
from fabriek.sealing.book import Book
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.objects import BATCH_CHUNKS, SEALED_CHUNK_BYTES, Opener, open_bytes, open_views
from fabriek.sealing.pages import Page, read_root

T = TypeVar("T")

FETCHED_BYTES = 2**20
HEAD_FETCHED_BYTES = 64 * 1024
"""Of an object that is read here and there, with its head: small ones come whole."""
HEAD_OF_PAGES_FETCHED_BYTES = 2**20
"""The same for who reads all pages of a version: one question for a pack of them, not one for its head, its end, and each run."""

OPENERS_MAX = 64
HEADS_BYTES_MAX = 16 * 2**20
"""Kept for one thread, beside it."""

SEALED_PIECE_BYTES = BATCH_CHUNKS * SEALED_CHUNK_BYTES
"""What is opened at a time: it stays in the processor's cache."""


class OpenedVersion:
    """Reads through one grant. The manifest's outermost page is fetched and checked against the signed record at once, the others when
    they are needed, each against the page above it. Raises Damaged.
    """

    def __init__(self, client: Client, grant: GrantOut, *, head_bytes: int = HEAD_FETCHED_BYTES) -> None:
        """head_bytes: what comes of an object with the first look at it."""
        self._client, self.grant, self._head_bytes = client, grant, head_bytes
        self._objects = granted(client, grant)
        self._own = threading.local()
        self.book = Book(self._read_root(), self.read_part)

    def close(self) -> None:
        """Gives the grant back. A server that is away will end it by itself, and must not hide why we are leaving."""
        with suppress(FabriekError):
            self._client.delete(f"/api/v1/grants/{self.grant.grant}")

    def check(self) -> None:
        """Raises NotPermitted or NotFound once the grant has ended."""
        self._client.get(f"/api/v1/grants/{self.grant.grant}")

    def expect(self, file: File) -> None:
        """It will be read soon, and files expected after it, after it."""
        if self.grant.at_store:
            self._objects.expect([part.object_id for part in file.parts if part.object_id])

    def again(self, read: Callable[[], T]) -> T:
        """What `read` gives. A store that answered wrongly once may answer well now: there it is asked twice before damage is believed.
        Of what it says first, `read` must keep nothing.
        """
        try:
            return read()
        except Damaged:
            if not self.grant.at_store:
                raise
            return read()

    def file(self, path: str) -> File:
        """Raises NotFound."""
        file = self.book.find(path)
        if file is not None:
            return file
        raise NotFound(f"the version has no file {path!r}", fix="fabriek data show NAME lists its files")

    def stream_part(self, part: Part) -> Iterator[bytes]:
        """The part's bytes; the whole object is read to its end, so that a cut one is seen."""
        return (bytes(piece) for piece in self.views_of_part(part))

    def views_of_part(self, part: Part) -> Iterator[memoryview]:
        """The same without a copy: a piece holds until the thread opens anything else."""
        position = 0
        sealed = self._objects.stream(part.object_id, SEALED_PIECE_BYTES)
        for piece in open_views(sealed, part.key, self._context(part.object_id)):
            begin, end = max(part.offset - position, 0), min(part.offset + part.length - position, len(piece))
            if begin < end:
                yield piece[begin:end]
            position += len(piece)
        if position < part.offset + part.length:
            raise Damaged("an object is shorter than its version says", fix="fabriek data verify", where=part.object_id)

    def read(self, file: File, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The file's bytes start ≤ position < stop, fetching no more than the chunks they lie in."""
        end = file.size if stop is None else min(stop, file.size)
        position = 0
        for part in file.parts:
            begin, finish = max(start, position), min(end, position + part.length)
            if begin < finish and part.object_id:
                yield from self._range(part, begin - position, finish - position)
            elif begin < finish:
                yield from zeros(finish - begin)
            position += part.length

    def opener(self, part: Part) -> Opener:
        """Opens any stretch of the object that holds the part, for one thread. Raises Damaged."""
        size, head = self._objects.head(part.object_id, self._head_bytes)

        def read_at(offset: int, count: int) -> bytes:
            return (
                head[offset : offset + count]
                if offset + count <= len(head)
                else self._objects.at(part.object_id, offset, count)
            )

        return Opener(read_at, size, part.key, self._context(part.object_id))

    def read_part(self, part: Part) -> bytes:
        """All of a part, held in memory."""
        return self.again(lambda: b"".join(self.range(part)))

    def range(self, part: Part) -> Iterator[bytes]:
        """The part's bytes, fetching no more than the chunks they lie in, and the object's head and end."""
        return self._range(part, 0, part.length)

    def _range(self, part: Part, begin: int, finish: int) -> Iterator[bytes]:
        opener = self._opener(part)
        place, end = part.offset + begin, part.offset + finish
        while place < end:
            try:
                piece = opener.read(place, min(FETCHED_BYTES, end - place))
            except Damaged:
                self._openers.pop(part.object_id, None)  # its head may be what is wrong
                raise
            if not piece:
                self._openers.pop(part.object_id, None)
                raise Damaged(
                    "an object is shorter than its version says", fix="fabriek data verify", where=part.object_id
                )
            yield piece
            place += len(piece)

    def _opener(self, part: Part) -> Opener:
        """Kept a thread and an object: head, end and size are asked for once."""
        kept = self._openers
        opener = kept.pop(part.object_id, None)
        if opener is None:
            opener = self.opener(part)
            while len(kept) >= min(OPENERS_MAX, HEADS_BYTES_MAX // self._head_bytes):
                del kept[next(iter(kept))]
        kept[part.object_id] = opener  # what was used last stands last
        return opener

    @property
    def _openers(self) -> dict[str, Opener]:
        kept: dict[str, Opener] = self._own.__dict__.setdefault("openers", {})
        return kept

    def _context(self, object_id: str) -> bytes:
        return object_context(self.grant.organisation, self.grant.dataset, object_id)

    def _read_root(self) -> Page:
        grant = self.grant
        said = _record(grant)

        def signed() -> bytes:
            sealed = self._objects.whole(grant.manifest_object)
            if hashlib.sha256(sealed).hexdigest() != said.get("manifest_sha256"):
                raise Damaged(
                    "the manifest is not the one that was signed", fix="fabriek data verify", where="manifest"
                )
            return sealed

        packed = open_bytes(self.again(signed), grant.manifest_key, self._context(grant.manifest_object))
        return read_root(packed, said.get("content_hash"), said.get("files"), said.get("size_bytes"))


def zeros(count: int) -> Iterator[bytes]:
    """So many zero bytes, in pieces."""
    piece = bytes(min(count, FETCHED_BYTES))
    while count > 0:
        yield piece[:count]
        count -= len(piece)


def _record(grant: GrantOut) -> dict[str, Any]:
    """What the record says, if it is about what was granted. Its signature was checked by the server that gave the key."""
    try:
        said = dict(json.loads(grant.record.text))
    except (TypeError, ValueError):
        said = {}
    named = (said.get("organisation"), said.get("dataset"), said.get("version"), said.get("manifest"))
    if named != (grant.organisation, grant.dataset, grant.version, grant.manifest_object):
        raise Damaged("the version's record is about something else", fix="fabriek data verify", where="version record")
    return said
