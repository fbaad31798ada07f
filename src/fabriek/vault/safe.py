"""Sealing in the server's memory, streaming, for dialects whose clients cannot seal: nothing plain ever touches a disk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabriek.kernel.errors import Damaged, NotFound, Unavailable
from fabriek.sealing.context import object_context
from fabriek.sealing.objects import KEY_BYTES, SALT_BYTES, Opener, seal
from fabriek.vault.care.damage import Damage
from fabriek.vault.desk import Desk

READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class SealedObject:
    """An object in the safe: its id, and size and SHA-256 of the sealed bytes as the store took them."""

    id: str
    size: int
    sha256: str


class Safe(Desk):
    """Objects of a dataset, each under a key of its own. It asks for no right: whoever keeps the ids has asked."""

    def put(self, dataset_id: str, chunks: Iterable[bytes]) -> SealedObject:
        """Seals a stream. Durable when this returns. What `chunks` raises passes through, and then nothing is left."""
        parts = self._parts
        dataset = parts.datasets.get(dataset_id)
        epoch = self._current_epoch(dataset_id)
        name, key, salt = parts.ids.new("obj"), parts.ids.random(KEY_BYTES), parts.ids.random(SALT_BYTES)
        wrapped = parts.cipher.wrap(epoch, key, name)
        stored = parts.blobs.put(name, seal(chunks, key, object_context(dataset.organisation, dataset_id, name), salt))
        # Its record comes after its bytes. A collector that saw them without one decides under the same lock; where it was done with them
        # before the record, they are gone.
        with parts.datasets.transaction(alone=f"object:{name}"):
            if parts.leftovers.is_doomed(name):
                raise _too_late()
            parts.epoch_keys.keep_object_key(dataset_id, name, epoch.number, wrapped, stored)
        try:
            parts.blobs.size(name)
        except NotFound:
            self.remove(dataset_id, name)
            raise _too_late() from None
        return SealedObject(name, stored.size, stored.sha256)

    def prepare(self, dataset_id: str) -> None:
        """Asks for the key that the next `put` will need. Not inside a transaction. Raises Unavailable."""
        self._parts.cipher.check(self._current_epoch(dataset_id))

    def size(self, dataset_id: str, object_id: str) -> int:
        """Of the plaintext, in bytes, as its authenticated end says. Raises NotFound, Damaged."""
        return self._opener(dataset_id, object_id).size

    def open(self, dataset_id: str, object_id: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Plaintext start ≤ position < stop, in pieces. Raises NotFound, Damaged; no byte comes that was not authenticated."""
        opener = self._opener(dataset_id, object_id)
        end = opener.size if stop is None else min(stop, opener.size)
        return _pieces(opener, start, end)

    def remove(self, dataset_id: str, object_id: str) -> None:
        """Forgets the key, then the bytes: without its key an object is noise. Idempotent."""
        parts = self._parts
        try:
            parts.epoch_keys.object_key(dataset_id, object_id)
        except NotFound:
            return
        with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            parts.epoch_keys.forget_object_keys(dataset_id, [object_id])
            parts.damages.remove(Damage(dataset_id, "", object_id, "", parts.clock.now()))
        parts.blobs.delete(object_id)

    def _opener(self, dataset_id: str, object_id: str) -> Opener:
        parts = self._parts
        dataset = parts.datasets.get(dataset_id)
        number, wrapped, stored = parts.epoch_keys.object_key(dataset_id, object_id)
        key = parts.cipher.unwrap(parts.epoch_keys.get(dataset_id, number), wrapped, object_id)

        def read_at(offset: int, count: int) -> bytes:
            try:
                return b"".join(parts.blobs.get(object_id, offset, offset + count))
            except NotFound:
                raise Damaged("an object is gone from the store", fix="restore a backup", where=object_id) from None

        return Opener(read_at, stored.size, key, object_context(dataset.organisation, dataset_id, object_id))


def _too_late() -> Unavailable:
    return Unavailable(
        "this took more than a day, and was collected meanwhile", fix="send it again", retry_after_seconds=1
    )


def _pieces(opener: Opener, start: int, end: int) -> Iterator[bytes]:
    while start < end and (piece := opener.read(start, min(READ_BYTES, end - start))):
        start += len(piece)
        yield piece
