"""Pages of manifests in the server's memory: read of a version, and sealed for an upload, where the server itself adds to a dataset."""

import hashlib

from fabriek.kernel.errors import Damaged, NotFound
from fabriek.sealing.book import PAGES_KEPT, Book
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import Part
from fabriek.sealing.objects import KEY_BYTES, SALT_BYTES, Opener, open_bytes, seal_bytes
from fabriek.sealing.pages import Page, read_root, write_page
from fabriek.vault.datasets import Dataset
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.uploads import OBJECT_BYTES_MAX, OBJECTS_MAX, Upload, left_too_long
from fabriek.vault.versions import Version

PACKED_BYTES = 4 * 2**20


class PageReader(Desk):
    """Of one dataset, for one thread."""

    def __init__(self, parts: Parts, dataset: Dataset) -> None:
        super().__init__(parts)
        self._dataset = dataset
        self._openers: dict[str, Opener] = {}

    def book(self, version: Version) -> Book:
        """Its pages, checked against its record. Raises Damaged."""
        facts = self._believed(version)
        key = self._parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
        sealed = self._sealed(facts.manifest)
        if hashlib.sha256(sealed).hexdigest() != facts.manifest_sha256:
            raise Damaged("the manifest is not the one that was signed", fix="fabriek data verify", where="manifest")
        packed = open_bytes(sealed, key, self._context(facts.manifest))
        return Book(read_root(packed, facts.content_hash, facts.files, facts.size_bytes), self.read)

    def read(self, part: Part) -> bytes:
        """All bytes of a part, authenticated. Raises Damaged."""
        opener = self._openers.get(part.object_id)
        if opener is None:
            if len(self._openers) >= PAGES_KEPT:
                self._openers.pop(next(iter(self._openers)))
            opener = self._openers[part.object_id] = self._opener(part)
        packed = opener.read(part.offset, part.length)
        if len(packed) != part.length:
            raise Damaged("an object is shorter than its version says", fix="fabriek data verify", where=part.object_id)
        return packed

    def _opener(self, part: Part) -> Opener:
        name, blobs = part.object_id, self._parts.blobs

        def read_at(offset: int, count: int) -> bytes:
            return self._sealed(name, offset, offset + count)

        try:
            size = blobs.size(name)
        except NotFound:
            raise _gone(name) from None
        return Opener(read_at, size, part.key, self._context(name))

    def _sealed(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        try:
            return b"".join(self._parts.blobs.get(name, start, stop))
        except NotFound:
            raise _gone(name) from None

    def _context(self, name: str) -> bytes:
        return object_context(self._dataset.organisation, self._dataset.id, name)


class Writing(Desk):
    """Pages for one upload, packed into objects. `objects`: all that were sealed so far, the outermost page's too."""

    def __init__(self, parts: Parts, upload: Upload, dataset: Dataset) -> None:
        super().__init__(parts)
        self._upload, self._dataset = upload, dataset
        self._name, self._key, self._packed = "", b"", bytearray()
        self.objects: list[str] = []

    def keep(self, page: Page, _sha256: str) -> Part:
        """Where its bytes will be, once `finish` has been called."""
        packed = write_page(page)
        if self._packed and len(self._packed) + len(packed) > PACKED_BYTES:
            self._flush()
        if not self._name:
            self._name, self._key = self._minted()
        part = Part(self._name, self._key, len(self._packed), len(packed))
        self._packed += packed
        return part

    def finish(self, root: Page) -> tuple[str, bytes]:
        """All pages are durable: the outermost's object and key."""
        self._flush()
        name, key = self._minted()
        self._put(name, key, write_page(root))
        return name, key

    def forget(self) -> None:
        """What was sealed is nobody's. What it leaves while a backup is taken is collected with the upload."""
        self._delete(self.objects)

    def _flush(self) -> None:
        if self._name:
            self._put(self._name, self._key, bytes(self._packed))
            self._name, self._packed = "", bytearray()

    def _minted(self) -> tuple[str, bytes]:
        parts = self._parts
        name = parts.ids.new("obj")
        with parts.datasets.transaction(alone=f"upload:{self._upload.id}"):
            # Files have taken their part of what an upload may mint, and what was sealed for nothing when another push came between.
            parts.uploads.mint(self._upload, [name], objects_max=2 * OBJECTS_MAX)
        return name, parts.ids.random(KEY_BYTES)

    def _put(self, name: str, key: bytes, packed: bytes) -> None:
        parts = self._parts
        context = object_context(self._dataset.organisation, self._dataset.id, name)
        sealed = seal_bytes(packed, key, context, parts.ids.random(SALT_BYTES))
        self.objects.append(name)
        stored = parts.blobs.put(name, [sealed], bytes_max=OBJECT_BYTES_MAX)
        with parts.datasets.transaction():
            if not parts.uploads.stored(name, stored, parts.clock.now()):  # collected while it travelled
                raise left_too_long()


def _gone(name: str) -> Damaged:
    return Damaged("an object is gone from the store", fix="restore a backup", where=name)
