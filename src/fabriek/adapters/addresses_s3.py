"""Addresses under which clients reach an S3 store themselves: signed, for one object and one act, for a few minutes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import obstore
from obstore.store import S3Store

from fabriek.adapters.blobs_s3 import OBJECTS
from fabriek.adapters.s3 import explained
from fabriek.adapters.turns import OneAtATime
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, Unavailable

ARRIVING = "arriving/"


class S3Addresses:
    """Of one bucket. `seen` is the same bucket as clients reach it: the name of the host is part of what is signed.

    What a client sends lands under `arriving/`, and the store copies it to its place. So an address that somebody kept can write again
    to where nothing is read, and never to an object that was acknowledged; no condition of the store is needed for that.
    """

    def __init__(
        self,
        store: S3Store,
        seen: S3Store | None = None,
        *,
        prefix: str = OBJECTS,
        arriving: str = ARRIVING,
        turns: OneAtATime | None = None,
    ) -> None:
        """turns: those of the `S3Blobs` of the same place. A copy knows no condition: without them it would replace an object that was put,
        and acknowledged, between our look and the copy.
        """
        self._store, self._seen = store, seen or store
        self._prefix, self._arriving = prefix, arriving
        self._taking = turns or OneAtATime()

    def to_get(self, names: Sequence[str], lasts: timedelta) -> Sequence[str]:
        return self._signed("GET", self._prefix, names, lasts)

    def to_put(self, names: Sequence[str], lasts: timedelta) -> Sequence[str]:
        return self._signed("PUT", self._arriving, names, lasts)

    def take(self, name: str, size: int) -> None:
        """Each step asks the store again what it holds: that it answered well is no proof that it did."""
        place, arrived = f"{self._prefix}{name}", f"{self._arriving}{name}"
        with self._taking(name), explained(name):
            standing = self._size(place)
            if standing is None:
                self._check_arrived(self._size(arrived), size)
                obstore.copy(self._store, arrived, place)
                standing = self._size(place)
                if standing is None:
                    raise Unavailable("the object store lost an object", fix="send it again", retry_after_seconds=5)
            if standing != size:
                raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")
            obstore.delete(self._store, arrived)

    def clear(self, before: datetime) -> int:
        cleared = 0
        with explained(self._arriving):
            for page in obstore.list(self._store, prefix=self._arriving):
                old = [entry["path"] for entry in page if entry["last_modified"] < before]
                if old:
                    obstore.delete(self._store, old)
                cleared += len(old)
        return cleared

    def _signed(
        self, method: "obstore.HTTP_METHOD", prefix: str, names: Sequence[str], lasts: timedelta
    ) -> Sequence[str]:
        return obstore.sign(self._seen, method, [f"{prefix}{name}" for name in names], lasts) if names else ()

    def _size(self, key: str) -> int | None:
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError:
            return None

    def _check_arrived(self, found: int | None, size: int) -> None:
        if found is None:
            raise NotFound("the object has not arrived at the store", fix="send it again")
        if found != size:
            raise InvalidInput(f"of the object {found} bytes arrived, and {size} were sent", fix="send it again")
