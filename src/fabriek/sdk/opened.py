"""A version that was opened: its manifest, and its files as streams of bytes, each authenticated before it is passed on."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from fabriek.kernel.errors import Damaged, FabriekError, NotFound
from fabriek.schemas.vault import GrantOut
from fabriek.sdk.client import Client
from fabriek.sdk.granted import granted
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import File, Manifest, Part, read_manifest
from fabriek.sealing.objects import BATCH_CHUNKS, SEALED_CHUNK_BYTES, Opener, open_bytes, open_stream

FETCHED_BYTES = 2**20
HEAD_FETCHED_BYTES = 64 * 1024
"""Of an object that is read here and there, with its head: small ones come whole."""
OPENERS_MAX = 64
SEALED_PIECE_BYTES = BATCH_CHUNKS * SEALED_CHUNK_BYTES
"""What is opened at a time: it stays in the processor's cache."""


class OpenedVersion:
    """Reads through one grant. The manifest is fetched and checked against the signed record at once. Raises Damaged."""

    def __init__(self, client: Client, grant: GrantOut) -> None:
        self._client, self.grant = client, grant
        self._objects = granted(client, grant)
        self._own = threading.local()
        self.manifest = self._read_manifest()
        if grant.at_store:
            parts = (part for file in self.manifest.files for part in file.parts)
            self._objects.expect(list(dict.fromkeys(part.object_id for part in parts)))

    def close(self) -> None:
        """Gives the grant back. A server that is away will end it by itself, and must not hide why we are leaving."""
        with suppress(FabriekError):
            self._client.delete(f"/api/v1/grants/{self.grant.grant}")

    def check(self) -> None:
        """Raises NotPermitted or NotFound once the grant has ended."""
        self._client.get(f"/api/v1/grants/{self.grant.grant}")

    def file(self, path: str) -> File:
        """Raises NotFound."""
        for file in self.manifest.files:
            if file.path == path:
                return file
        raise NotFound(f"the version has no file {path!r}", fix="fabriek data show NAME lists its files")

    def stream_part(self, part: Part) -> Iterator[bytes]:
        """The part's bytes; the whole object is read to its end, so that a cut one is seen."""
        position = 0
        for piece in self.stream_object(part.object_id, part.key):
            begin, end = max(part.offset - position, 0), min(part.offset + part.length - position, len(piece))
            if begin < end:
                yield piece[begin:end]
            position += len(piece)
        if position < part.offset + part.length:
            raise Damaged("an object is shorter than its version says", fix="fabriek data verify", where=part.object_id)

    def stream_object(self, object_id: str, key: bytes) -> Iterator[bytes]:
        sealed = self._objects.stream(object_id, SEALED_PIECE_BYTES)
        yield from open_stream(sealed, key, self._context(object_id))

    def read(self, file: File, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The file's bytes start ≤ position < stop, fetching no more than the chunks they lie in."""
        end = file.size if stop is None else min(stop, file.size)
        position = 0
        for part in file.parts:
            begin, finish = max(start, position), min(end, position + part.length)
            if begin < finish:
                yield from self._range(part, begin - position, finish - position)
            position += part.length

    def opener(self, part: Part) -> Opener:
        """Opens any stretch of the object that holds the part, for one thread. Raises Damaged."""
        size, head = self._objects.head(part.object_id, HEAD_FETCHED_BYTES)

        def read_at(offset: int, count: int) -> bytes:
            return (
                head[offset : offset + count]
                if offset + count <= len(head)
                else self._objects.at(part.object_id, offset, count)
            )

        return Opener(read_at, size, part.key, self._context(part.object_id))

    def _range(self, part: Part, begin: int, finish: int) -> Iterator[bytes]:
        opener = self._opener(part)
        place, end = part.offset + begin, part.offset + finish
        while place < end:
            piece = opener.read(place, min(FETCHED_BYTES, end - place))
            if not piece:
                raise Damaged(
                    "an object is shorter than its version says", fix="fabriek data verify", where=part.object_id
                )
            yield piece
            place += len(piece)

    def _opener(self, part: Part) -> Opener:
        """Kept a thread and an object: head, end and size are asked for once."""
        kept: dict[str, Opener] = self._own.__dict__.setdefault("openers", {})
        if part.object_id not in kept:
            if len(kept) >= OPENERS_MAX:
                kept.pop(next(iter(kept)))
            kept[part.object_id] = self.opener(part)
        return kept[part.object_id]

    def _context(self, object_id: str) -> bytes:
        return object_context(self.grant.organisation, self.grant.dataset, object_id)

    def _read_manifest(self) -> Manifest:
        grant = self.grant
        said = _record(grant)
        sealed = self._objects.whole(grant.manifest_object)
        if grant.at_store and hashlib.sha256(sealed).hexdigest() != said.get("manifest_sha256"):
            sealed = self._objects.whole(
                grant.manifest_object
            )  # a store that answered wrongly once may answer well now
        if hashlib.sha256(sealed).hexdigest() != said.get("manifest_sha256"):
            raise Damaged("the manifest is not the one that was signed", fix="fabriek data verify", where="manifest")
        manifest = read_manifest(open_bytes(sealed, grant.manifest_key, self._context(grant.manifest_object)))
        if manifest.content_hash() != said.get("content_hash"):
            raise Damaged("the manifest is not what its record says", fix="fabriek data verify", where="manifest")
        return manifest


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
