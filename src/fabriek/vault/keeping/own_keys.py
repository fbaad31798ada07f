"""Organisations' own keys: how this installation may ask them is told by their people, tried, and taken back by them."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Damaged, InvalidInput, NotPermitted, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.sealing.keys import NONCE_BYTES, unwrap, wrap
from fabriek.vault.keeping.homes import CREDENTIAL_CHARACTERS_MAX, HolderKind, OrganisationKeys, credential_context
from fabriek.vault.keeping.ports import OrganisationKeyStore

KEY_BYTES = 32

Connect = Callable[[OrganisationKeys, str], Keys]
"""A holder of keys for what was told of it and its credential. Raises InvalidInput, NotPermitted on a place that is not listed."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an organisation tells of its keys."""

    kind: str
    place: str
    credential: str
    name: str = "fabriek"
    mount: str = "transit"
    ca: str = ""


class OwnKeys:
    """One standing row an organisation. Nothing here is inside a transaction that asks a key."""

    def __init__(
        self, store: OrganisationKeyStore, audit: Audit, clock: Clock, ids: Ids, *, keys: Keys, connect: Connect,
        transaction: Callable[..., AbstractContextManager[None]],
    ) -> None:  # fmt: skip
        self._store, self._audit, self._clock, self._ids = store, audit, clock, ids
        self._keys, self._connect, self._transaction = keys, connect, transaction
        self._open: dict[str, tuple[str, Keys]] = {}
        self._lock = threading.Lock()

    def set(self, organisation: str, told: Told, *, by: Caller) -> OrganisationKeys:
        """Tells of the organisation's keys, once they have wrapped and opened something here. Replaces what was told before.

        Raises NotPermitted to people of other organisations, InvalidInput, Unavailable when they do not answer.
        """
        self._require(organisation, by)
        if not told.place or not told.credential or len(told.credential) > CREDENTIAL_CHARACTERS_MAX:
            raise InvalidInput("name where the key is and what opens it", fix="fabriek org keys set --help")
        try:
            kind = HolderKind(told.kind)
        except ValueError:
            raise InvalidInput(f"{told.kind[:40]!r} holds no keys", fix="openbao or pkcs11") from None
        made, key = self._ids.new("okey"), self._ids.random(KEY_BYTES)
        context = credential_context(organisation, made)
        sealed = wrap(key, told.credential.encode(), context, self._ids.random(NONCE_BYTES))
        keys = OrganisationKeys(
            made, organisation, kind, told.place, told.mount, told.name, told.ca, sealed, self._keys.wrap(key, context),
            by.person, self._clock.now(),
        )  # fmt: skip
        self._try(self._connect(keys, told.credential))
        with self._transaction(alone=f"organisation-keys:{organisation}"):
            self._store.add(keys)
            self._audit.record("organisation_keys.set", keys.id, by, organisation=organisation, kind=str(kind))
        return keys

    def withdraw(self, organisation: str, *, by: Caller) -> OrganisationKeys:
        """From now on no new grant opens on data whose key home is the organisation. What was opened stays opened."""
        self._require(organisation, by)
        with self._transaction(alone=f"organisation-keys:{organisation}"):
            keys = self._store.newest(organisation)
            if keys is None or keys.withdrawn_at is not None:
                raise WrongState("this organisation holds no key that we may ask", fix="fabriek org keys set")
            gone = replace(keys, withdrawn_at=self._clock.now())
            self._store.save(gone)
            self._audit.record("organisation_keys.withdrawn", gone.id, by, organisation=organisation)
        self.forget_all()
        return gone

    def show(self, organisation: str, *, by: Caller) -> OrganisationKeys:
        """What was told, its credential left out by whoever shows it. Raises NotFound where nothing was."""
        if by.organisation != organisation:
            raise nothing_here()
        keys = self._store.newest(organisation)
        if keys is None:
            raise nothing_here()
        return keys

    def keys_of(self, organisation: str) -> Keys:
        """The organisation's own keys, asked when they are used. Raises NotPermitted when they were withdrawn, WrongState when nothing was
        told of any.
        """
        told = self._store.newest(organisation)
        if told is None:
            raise WrongState(
                "this organisation has told of no key of its own", fix="one of its people does: fabriek org keys set"
            )
        if told.withdrawn_at is not None:
            raise NotPermitted(
                "the owner of this data has withdrawn its key",
                rule="key_home.withdrawn",
                fix="ask the owner; fabriek org keys set gives it back",
            )
        return _Asked(self, told)

    def connected(self, told: OrganisationKeys) -> Keys:
        """The holder itself. Asks the master key for its credential: not inside a transaction."""
        with self._lock:
            known = self._open.get(told.organisation)
        if known is None or known[0] != told.id:
            key = self._keys.unwrap(told.wrapped, told.context)
            known = (told.id, self._connect(told, unwrap(key, told.sealed, told.context).decode()))
            with self._lock:
                self._open[told.organisation] = known
        return known[1]

    def forget_all(self) -> None:
        """Drops what was opened to reach them."""
        with self._lock:
            self._open.clear()

    def _try(self, keys: Keys) -> None:
        key, context = self._ids.random(KEY_BYTES), b"fabriek/trial"
        if keys.unwrap(keys.wrap(key, context), context) != key:
            raise Damaged("what this key wraps it does not open", fix="name another key", where="keys")

    def _require(self, organisation: str, by: Caller) -> None:
        require(by, "organisation.keys")
        if by.organisation != organisation:
            raise nothing_here()


class _Asked:
    """Keys that are connected to at their first use."""

    def __init__(self, own: OwnKeys, told: OrganisationKeys) -> None:
        self._own, self._told = own, told

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return self._own.connected(self._told).wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return self._own.connected(self._told).unwrap(wrapped, context)
