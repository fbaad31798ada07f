"""Objects in an S3 store, each written once. The store is asked for a condition and not relied upon: some keep none, and some forget it when
two writers come at once (docs/designs/0019-stores.md).
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from fabriek.adapters.s3 import explained
from fabriek.adapters.turns import OneAtATime
from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, Unavailable
from fabriek.kernel.stored import Stored

OBJECTS = "objects/"
PIECE_BYTES = 2**20
SINGLE_PUT_BYTES_MAX = 80 * 2**20
"""Up to here one put; it covers every part that a client sends. What is larger comes from ourselves, under a name that nobody else
knows, and goes in parts."""


class S3Blobs:
    """Objects under a prefix of one bucket. `turns`: shared with whoever else places objects there, see `S3Addresses`."""

    def __init__(self, store: S3Store, prefix: str = OBJECTS, *, turns: OneAtATime | None = None) -> None:
        self._store, self._prefix = store, prefix
        self._writing = turns or OneAtATime()
        self._keeps_conditions = True

    def put(self, name: str, chunks: Iterable[bytes], *, bytes_max: int | None = None) -> Stored:
        counted = _Counted(chunks, bytes_max)
        source = iter(counted)
        # Sealed bytes only, and bounded: they may wait in memory until it is known that all of them came.
        held: list[bytes] = []
        for chunk in source:
            held.append(chunk)
            if counted.size > SINGLE_PUT_BYTES_MAX:
                self._put_parts(name, itertools.chain(held, source), counted)
                return counted.stored()
        self._put_whole(name, b"".join(held), counted.stored())
        return counted.stored()

    def get(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with explained(name):
            size = self.size(name)
            end = size if stop is None else min(stop, size)
            while start < end:
                reach = min(end, start + PIECE_BYTES)
                piece = bytes(obstore.get_range(self._store, self._key(name), start=start, end=reach))
                if len(piece) != reach - start:
                    raise Unavailable("the object store broke off", fix="ask again", retry_after_seconds=5)
                start = reach
                yield piece

    def size(self, name: str) -> int:
        with explained(name):
            return int(obstore.head(self._store, self._key(name))["size"])

    def delete(self, name: str) -> None:
        try:
            with explained(name):
                obstore.delete(self._store, self._key(name))
        except NotFound:
            return

    def names(self) -> Iterator[str]:
        with explained(self._prefix):
            for page in obstore.list(self._store, prefix=self._prefix):
                yield from (entry["path"].removeprefix(self._prefix) for entry in page)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _put_whole(self, name: str, sealed: bytes, stored: Stored) -> None:
        with self._writing(name), explained(name):
            if self._is_there(name):
                self._welcome_if_same(name, stored)
                return
            try:
                with _placed():
                    self._send(name, sealed)
            except AlreadyExistsError:
                # Another server was first, or a try of our own of which the store told us only that it failed.
                self._welcome_if_same(name, stored)
                return
            self._check_taken(name, stored)

    def _send(self, name: str, sealed: bytes) -> None:
        if self._keeps_conditions:
            try:
                obstore.put(self._store, self._key(name), sealed, mode="create", use_multipart=False)
            except BaseError as error:
                if not _knows_no_conditions(error):
                    raise
                self._keeps_conditions = False
            else:
                return
        obstore.put(self._store, self._key(name), sealed, use_multipart=False)

    def _put_parts(self, name: str, chunks: Iterable[bytes], counted: "_Counted") -> None:
        with self._writing(name), explained(name):
            if not self._is_there(name):
                with _placed():
                    obstore.put(self._store, self._key(name), iter(chunks), use_multipart=True)
                self._check_taken(name, counted.stored())
                return
        for _ in chunks:
            continue
        self._welcome_if_same(name, counted.stored())

    def _is_there(self, name: str) -> bool:
        try:
            self.size(name)
        except NotFound:
            return False
        return True

    def _check_taken(self, name: str, stored: Stored) -> None:
        """That it answered well is no proof that the store has it."""
        try:
            if self.size(name) == stored.size:
                return
        except NotFound:
            pass
        else:
            with suppress(FabriekError):
                self.delete(name)
        raise Unavailable("the object store did not keep what it took", fix="send it again", retry_after_seconds=5)

    def _welcome_if_same(self, name: str, stored: Stored) -> None:
        taken = _Counted(self.get(name), None)
        for _ in taken:
            continue
        if taken.stored() != stored:
            raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")


@contextmanager
def _placed() -> Iterator[None]:
    """What is not there when something is put is the bucket: that is no word about an object."""
    try:
        yield
    except FileNotFoundError as error:
        raise Unavailable("the object store has no such bucket", fix="fabriek doctor", retry_after_seconds=5) from error


def _knows_no_conditions(error: BaseError) -> bool:
    """The store says by 501 that it does not do this at all; obstore has no class for that."""
    return "501 Not Implemented" in str(error)


class _Counted:
    """Chunks on their way through, counted and hashed."""

    def __init__(self, chunks: Iterable[bytes], bytes_max: int | None) -> None:
        self._chunks, self._bytes_max = chunks, bytes_max
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            if self._bytes_max is not None and self.size > self._bytes_max:
                raise InvalidInput(f"an object holds at most {self._bytes_max} bytes", fix="send it in parts")
            self._digest.update(chunk)
            yield chunk

    def stored(self) -> Stored:
        return Stored(self.size, self._digest.hexdigest())
