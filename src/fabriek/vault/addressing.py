"""Verbs of addresses: where the installation's store can be reached by clients, they put and get sealed bytes there themselves, each at an
address that the server gives for one object and a few minutes. The rules are those of grants and uploads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, WrongState, nothing_here
from fabriek.kernel.stored import Stored
from fabriek.vault.opening import Opening
from fabriek.vault.ports import Addresses
from fabriek.vault.uploads import OBJECT_BYTES_MAX, OPEN_FOR, check_open, left_too_long

LASTS = timedelta(minutes=5)
"""What an address opens after its grant was ended: no longer than this. A request that has begun by then may take longer."""

ASKED_MAX = 1_000
"""Addresses in one answer."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """Object → its address, good for so long."""

    addresses: Mapping[str, str]
    lasts: timedelta


class Addressing(Opening):
    """Who gets which address."""

    def addresses_to_get(self, grant_id: str, names: Sequence[str], *, by: Caller) -> Addressed:
        """For objects of the granted version, to whoever holds the grant while it lives.

        Raises NotFound for every other object, NotPermitted when the grant has ended, WrongState where bytes go through the server.
        """
        grant = self._held(grant_id, by)
        store = self._store(names)
        if self._parts.versions.among(grant.version, names) != frozenset(names):
            raise nothing_here()
        lasts = self._lasts(grant.expires_at)
        return Addressed(dict(zip(names, store.to_get(names, lasts), strict=True)), lasts)

    def addresses_to_put(self, upload_id: str, names: Sequence[str], *, by: Caller) -> Addressed:
        """For objects that were announced for this upload and have not arrived yet.

        Raises NotFound for every other name, AlreadyExists for what has arrived, WrongState when the upload is over or bytes go through
        the server.
        """
        upload, _ = self.upload(upload_id, by=by)
        check_open(upload, self._parts.clock.now())
        store = self._store(names)
        known = self._parts.uploads.objects(upload_id, names)
        if known.keys() != set(names):
            raise nothing_here()
        if any(one.size is not None for one in known.values()):
            raise AlreadyExists("one of these objects has arrived", fix="ask for the others")
        lasts = self._lasts(upload.expires_at)
        return Addressed(dict(zip(names, store.to_put(names, lasts), strict=True)), lasts)

    def take(self, upload_id: str, object_id: str, sent: Stored, *, by: Caller) -> Stored:
        """An object that its client has put at the address. Durable when this returns; asked again with the same, the same.

        The server looks whether it is there and how long it is. That the SHA-256 is that of its bytes is the client's word, which nothing here
        tests: a check that reads the object compares it, and whoever opens the object believes its key and not this.
        Raises NotFound for a name that was not announced, or when nothing has arrived; InvalidInput; AlreadyExists; WrongState.
        """
        parts = self._parts
        upload, _ = self.upload(upload_id, by=by)
        check_open(upload, parts.clock.now())
        store = self._store([object_id])
        known = parts.uploads.objects(upload_id, [object_id])
        if object_id not in known:
            raise nothing_here()
        if sent.size > OBJECT_BYTES_MAX:
            raise InvalidInput(f"an object holds at most {OBJECT_BYTES_MAX} bytes", fix="send it in parts")
        if known[object_id].size is not None:
            if (known[object_id].size, known[object_id].sha256) != (sent.size, sent.sha256):
                raise AlreadyExists("there is an object of this name with other bytes", fix="ask for a new name")
            return sent
        store.take(object_id, sent.size)
        with parts.datasets.transaction():
            if not parts.uploads.stored(object_id, sent, parts.clock.now()):  # collected while it travelled
                raise left_too_long()
        return sent

    def clear_arrivals(self) -> None:
        """Removes what was sent and never taken, once its upload is over. For the worker."""
        if self._parts.addresses is not None:
            self._parts.addresses.clear(self._parts.clock.now() - OPEN_FOR - LASTS)

    def _store(self, names: Sequence[str]) -> Addresses:
        if self._parts.addresses is None:
            raise WrongState("here sealed bytes go through the server", fix="send and fetch them at its own routes")
        if not 1 <= len(names) <= ASKED_MAX:
            raise InvalidInput(f"ask for 1 to {ASKED_MAX} addresses at a time", fix="ask again for more")
        return self._parts.addresses

    def _lasts(self, ends: datetime) -> timedelta:
        return min(LASTS, ends - self._parts.clock.now())
