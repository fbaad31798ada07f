"""Objects in an S3 store, each written once under a condition that the store checks."""

import hashlib
import itertools
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, Unavailable
from fabriek.kernel.stored import Stored

PIECE_BYTES = 2**20
SINGLE_PUT_BYTES_MAX = 80 * 2**20
"""Up to here one conditional put; it covers every part that a client sends. What is larger comes from ourselves, under a name
that nobody else knows, and goes in parts without a condition: S3 has none for those everywhere."""


class S3Blobs:
    """Objects under a prefix of one bucket."""

    def __init__(self, store: S3Store, prefix: str = "objects/") -> None:
        self._store, self._prefix = store, prefix
        self._writing = _OneAtATime()

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
        with _explained(name):
            end = self.size(name) if stop is None else min(stop, self.size(name))
            while start < end:
                piece = bytes(
                    obstore.get_range(self._store, self._key(name), start=start, end=min(end, start + PIECE_BYTES))
                )
                if not piece:
                    return
                start += len(piece)
                yield piece

    def size(self, name: str) -> int:
        with _explained(name):
            return int(obstore.head(self._store, self._key(name))["size"])

    def delete(self, name: str) -> None:
        try:
            with _explained(name):
                obstore.delete(self._store, self._key(name))
        except NotFound:
            return

    def names(self) -> Iterator[str]:
        with _explained(self._prefix):
            for page in obstore.list(self._store, prefix=self._prefix):
                yield from (entry["path"].removeprefix(self._prefix) for entry in page)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _put_whole(self, name: str, sealed: bytes, stored: Stored) -> None:
        try:
            with self._writing(name), _explained(name):
                obstore.put(self._store, self._key(name), sealed, mode="create", use_multipart=False)
        except AlreadyExists:
            self._welcome_if_same(name, stored)

    def _put_parts(self, name: str, chunks: Iterable[bytes], counted: "_Counted") -> None:
        with _explained(name):
            try:
                self.size(name)
            except NotFound:
                obstore.put(self._store, self._key(name), iter(chunks), use_multipart=True)
                return
        for _ in chunks:
            continue
        self._welcome_if_same(name, counted.stored())

    def _welcome_if_same(self, name: str, stored: Stored) -> None:
        taken = _Counted(self.get(name), None)
        for _ in taken:
            continue
        if taken.stored() != stored:
            raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")


class _OneAtATime:
    """Writers of one name in this process wait for each other. Not every store keeps its own condition when two writers come at
    once (docs/designs/0001-first-factory.md); between processes the store's word is all there is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._names.get(name, (threading.Lock(), 0))
            self._names[name] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._names[name]
                if waiting == 1:
                    del self._names[name]
                else:
                    self._names[name] = (lock, waiting - 1)


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


def open_s3(bucket: str, **options: Any) -> S3Blobs:
    """`options` are those of obstore: endpoint, region, access_key_id, secret_access_key, client_options."""
    return S3Blobs(S3Store(bucket, **options))


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """The store's errors as ours."""
    try:
        yield
    except FabriekError:
        raise
    except FileNotFoundError:
        raise NotFound(f"the store has no object {name}", fix="fabriek doctor") from None
    except AlreadyExistsError:
        raise AlreadyExists("there is an object of this name", fix="ask for a new name") from None
    except BaseError as error:
        raise Unavailable(
            "the object store did not do it", fix="fabriek doctor; nothing was lost", retry_after_seconds=5
        ) from error
