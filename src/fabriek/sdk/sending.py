"""Objects on their way to an upload: named, sealed, sent, and told of as part of the version to come."""

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fabriek.kernel.errors import Unavailable
from fabriek.schemas.vault import CommitIn, UploadOut, UseIn, VersionOut
from fabriek.sdk.at_store import NotTaken
from fabriek.sdk.client import Client
from fabriek.sdk.ways import Ways
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import Part
from fabriek.sealing.objects import (
    CHUNK_BYTES,
    KEY_BYTES,
    PIECE_BYTES,
    SALT_BYTES,
    TAG_BYTES,
    Cipher,
    seal_bytes,
    sealed_size,
)
from fabriek.sealing.pages import Page, write_page

TRIES = 3
NAMES_MAX = 1_000
USED_AT_ONCE = 5_000
PACKED_PAGES_BYTES = 4 * 2**20

Fill = Callable[[memoryview], int]
"""Fills the room with the next bytes of a stream; how many, fewer than there is room for only at its end."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An object that is kept: on the server's disk, or in its store."""

    object_id: str
    key: bytes


class Sender:
    """Sends to one upload. For many threads."""

    def __init__(self, client: Client, upload: UploadOut) -> None:
        self.client, self.upload = client, upload
        self._ways = Ways(client, self.path)
        self.used: set[str] = set()
        self._untold: list[str] = []
        self._names: list[str] = []
        self._wanted = 4
        self._lock = threading.Lock()
        self._own = threading.local()

    @property
    def path(self) -> str:
        return f"/api/v1/uploads/{self.upload.upload}"

    def deliver(self, plain: Callable[[], Fill], length: int) -> Placed:
        """Seals and sends one object. Sent again, it is another object under another key: a key never seals twice."""
        for attempt in range(TRIES):
            name, key = self.name(), secrets.token_bytes(KEY_BYTES)
            try:
                self._ways.send(name, self._sealed(plain(), length, name, key), sealed_size(length))
            except NotTaken:
                raise
            except Unavailable:
                if attempt == TRIES - 1:
                    raise
            else:
                break
        return Placed(name, key)

    def deliver_again(self, name: str, key: bytes, plain: bytes) -> None:
        """The same for an object whose name and key others know already. Sealed once: sent again, it is the same bytes."""
        sealed = seal_bytes(plain, key, self._context(name), secrets.token_bytes(SALT_BYTES))
        for attempt in range(TRIES):
            try:
                self._ways.send(name, iter([sealed]), len(sealed))
            except NotTaken:
                raise
            except Unavailable:
                if attempt == TRIES - 1:
                    raise
            else:
                return

    def name(self) -> str:
        """A name for an object to come."""
        with self._lock:
            if not self._names:
                wanted, self._wanted = self._wanted, min(4 * self._wanted, NAMES_MAX)
                self._names = self._ways.mint(wanted)[::-1]
            return self._names.pop()

    def use(self, object_id: str) -> None:
        """The version to come uses this object of the upload."""
        with self._lock:
            if object_id in self.used:
                return
            self.used.add(object_id)
            self._untold.append(object_id)
            told = self._untold if len(self._untold) >= USED_AT_ONCE else []
            if told:
                self._untold = []
        if told:
            self._tell(UseIn(objects=told))

    def leave(self, objects: list[str]) -> list[str]:
        """The version to come does not use these objects of its parent; those that are left to be said with the commit."""
        while len(objects) > USED_AT_ONCE:
            self._tell(UseIn(left=objects[:USED_AT_ONCE]))
            objects = objects[USED_AT_ONCE:]
        return objects

    def commit(
        self, root: Page, left: list[str], *, inherited: int, on_parent: bool, on_newest: bool = False
    ) -> VersionOut:
        """The outermost page, then the version. Nothing is visible to anybody before. inherited: how many objects of the parent stay.
        on_newest: only while the parent is the newest version.
        """
        packed = write_page(root)
        placed = self.deliver(lambda: filled([packed]), len(packed))
        wanted = CommitIn.model_construct(
            manifest_object=placed.object_id,
            manifest_key=placed.key,
            count=len(self.used) + inherited,
            objects=self._untold,
            left=self.leave(left),
            on_parent=on_parent,
            files=root.count,
            size_bytes=root.size_bytes,
            content_hash=root.sha256(),
            on_newest=on_newest,
        )
        return VersionOut.model_validate(self.client.post(f"{self.path}/commit", json=wanted.model_dump(mode="json")))

    def _tell(self, said: UseIn) -> None:
        self.client.post(f"{self.path}/uses", json=said.model_dump())

    def _sealed(self, fill: Fill, length: int, name: str, key: bytes) -> Iterator[bytes | memoryview]:
        """Each piece holds until the next is asked for: a thread keeps its two buffers from object to object."""
        salt = secrets.token_bytes(SALT_BYTES)
        cipher = Cipher(key, salt, self._context(name))
        yield salt + cipher.commitment
        room = self._room()
        plain, sealed = memoryview(room[0]), memoryview(room[1])
        number, left = 0, length
        while left > 0 and (count := fill(plain[: min(left, PIECE_BYTES)])):
            yield sealed[: cipher.seal_into(number, plain[:count], sealed)]
            number, left = number + PIECE_BYTES // CHUNK_BYTES, left - count
        if length % CHUNK_BYTES == 0:
            yield cipher.seal_last(length // CHUNK_BYTES)

    def _room(self) -> tuple[bytearray, bytearray]:
        room: tuple[bytearray, bytearray] | None = getattr(self._own, "room", None)
        if room is None:
            room = self._own.room = (
                bytearray(PIECE_BYTES),
                bytearray(PIECE_BYTES + PIECE_BYTES // CHUNK_BYTES * TAG_BYTES),
            )
        return room

    def _context(self, name: str) -> bytes:
        return object_context(self.upload.organisation, self.upload.dataset, name)


class PagePack:
    """Pages of a manifest packed into objects. A page has its place at once; its bytes are sent when a pack is full."""

    def __init__(self, sender: Sender, send: Callable[[Callable[[], None]], None]) -> None:
        """send: has something done in another thread."""
        self._sender, self._send = sender, send
        self._name, self._key, self._packed = "", b"", bytearray()

    def add(self, page: Page) -> Part:
        packed = write_page(page)
        if self._packed and len(self._packed) + len(packed) > PACKED_PAGES_BYTES:
            self.flush()
        if not self._name:
            self._name, self._key = self._sender.name(), secrets.token_bytes(KEY_BYTES)
        part = Part(self._name, self._key, len(self._packed), len(packed))
        self._packed += packed
        return part

    def flush(self) -> None:
        if not self._name:
            return
        name, key, packed = self._name, self._key, bytes(self._packed)
        self._name, self._packed = "", bytearray()

        def deliver() -> None:
            self._sender.deliver_again(name, key, packed)
            self._sender.use(name)

        self._send(deliver)


def filled(pieces: list[bytes]) -> Fill:
    """The pieces one after another."""
    waiting = [memoryview(piece) for piece in reversed(pieces)]

    def fill(room: memoryview) -> int:
        count = 0
        while waiting and count < len(room):
            piece = waiting.pop()
            taken = min(len(piece), len(room) - count)
            room[count : count + taken] = piece[:taken]
            if taken < len(piece):
                waiting.append(piece[taken:])
            count += taken
        return count

    return fill
