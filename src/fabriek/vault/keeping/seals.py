"""The seal on the whole vault: while it stands nothing opens, and the server says only that."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys, Locks
from fabriek.vault.keeping.epochs import sealed_now
from fabriek.vault.keeping.holds import check_reason

KNOWN_SECONDS = 1.0
"""How soon another server learns that the vault was sealed or opened. The one that was asked knows at once."""


@dataclass(frozen=True, slots=True)
class SealRecord:
    """Who sealed the vault and why, and who opened it again. Kept for ever."""

    id: str
    reason: str
    sealed_by: str
    sealed_at: datetime
    opened_by: str = ""
    opened_at: datetime | None = None


class Seals(Protocol):
    """Storage of seals. Every change joins the transaction that is open."""

    def add(self, record: SealRecord) -> None: ...

    def standing(self) -> SealRecord | None:
        """The seal that is not opened."""

    def save(self, record: SealRecord) -> None: ...


class Seal:
    """Sealed by one person, opened by one; at every start as it was left."""

    def __init__(
        self,
        seals: Seals,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        *,
        transaction: Callable[..., AbstractContextManager[None]],
        locks: Locks | None = None,
    ) -> None:
        self._seals, self._audit, self._clock, self._ids = seals, audit, clock, ids
        self._transaction, self._locks = transaction, locks
        self._known: tuple[float, bool] | None = None
        self._guard = threading.Lock()
        self.forgetting: Sequence[Callable[[], None]] = ()

    def known(self) -> bool | None:
        """As this server knows it without asking the database; None when that is too long ago."""
        with self._guard:
            if self._known is None or self._clock.monotonic() >= self._known[0] + KNOWN_SECONDS:
                return None
            return self._known[1]

    def is_sealed(self) -> bool:
        known = self.known()
        if known is None:
            known = self._seals.standing() is not None
            self._note(known)
        return known

    def standing(self) -> SealRecord | None:
        """The seal with its reason, for whoever asks: that the vault is sealed is no secret."""
        return self._seals.standing()

    def close(self, reason: str, *, by: Caller) -> SealRecord:
        """Seals the vault: opened keys are forgotten, and the master key too where a passphrase brings it back. Running jobs go on.

        Raises WrongState when it is sealed.
        """
        require(by, "vault.seal")
        record = SealRecord(self._ids.new("seal"), check_reason(reason), by.person, self._clock.now())
        with self._transaction(alone="vault-seal"):
            if self._seals.standing() is not None:
                raise WrongState("the vault is sealed already", fix="fabriek admin unseal")
            self._seals.add(record)
            self._audit.record("vault.sealed", record.id, by)
        self._note(sealed=True)
        for forget in self.forgetting:
            forget()
        if self._locks is not None:
            self._locks.lock()
        return record

    def open(self, *, passphrase: str = "", by: Caller) -> None:
        """Raises WrongState when it is open, NotPermitted on a wrong passphrase."""
        require(by, "vault.seal")
        if self._locks is not None and (passphrase or self._locks.is_locked()):
            self._locks.unlock(passphrase)
        with self._transaction(alone="vault-seal"):
            record = self._seals.standing()
            if record is None:
                raise WrongState("the vault is open", fix="nothing is to be done")
            self._seals.save(replace(record, opened_by=by.person, opened_at=self._clock.now()))
            self._audit.record("vault.opened", record.id, by)
        self._note(sealed=False)

    def _note(self, sealed: bool) -> None:  # noqa: FBT001  # noted as it was read
        with self._guard:
            self._known = (self._clock.monotonic(), sealed)


class SealableKeys:
    """The master key for those who ask it without the vault: while the vault is sealed it raises Unavailable."""

    def __init__(self, keys: Keys, is_sealed: Callable[[], bool]) -> None:
        self._keys, self._is_sealed = keys, is_sealed

    def wrap(self, key: bytes, context: bytes) -> bytes:
        self._refuse_sealed()
        return self._keys.wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        self._refuse_sealed()
        return self._keys.unwrap(wrapped, context)

    def _refuse_sealed(self) -> None:
        if self._is_sealed():
            raise sealed_now()
