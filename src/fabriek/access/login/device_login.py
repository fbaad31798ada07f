"""Signing in from a command line: at the provider's own page for devices, or at ours, where somebody who is signed in says yes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fabriek.access.login.attempts import ATTEMPT_FOR
from fabriek.access.login.credentials import hash_of
from fabriek.access.login.devices import (
    DEVICE_FOR,
    GUESSES_MAX,
    INTERVAL_SECONDS,
    OPEN_MAX,
    SLOWER_BY_SECONDS,
    Device,
    DeviceState,
    key_of,
    read_user_code,
    user_code_of,
)
from fabriek.access.login.id_tokens import refused
from fabriek.access.login.identity import Identity, Shown
from fabriek.access.login.ports_providers import Devices, Issuer
from fabriek.access.login.providers import is_private
from fabriek.access.login.signing_in import SigningIn, Transaction
from fabriek.access.people import Person
from fabriek.adapters.oidc import DEVICE_GRANT, Refused
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, unconfirmed
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotAuthenticated, RateLimited, Unavailable, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.sealing.keys import NONCE_BYTES, unwrap, wrap

CONTEXT = b"fabriek/device"
CODE_BYTES = 64


@dataclass(frozen=True, slots=True)
class BegunDevice:
    """`secret`: what the device polls with. `address`: the provider's page, empty for our own; `whole`: the same with the code in it."""

    secret: str
    user_code: str
    expires_at: datetime
    interval_seconds: int
    address: str = ""
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Polled:
    """Nothing yet, to be asked again in so many seconds; or the token with its person."""

    interval_seconds: int
    person: Person | None = None
    token: str = ""


class DeviceLogin:
    """The verbs of a device that waits, and of who lets it in."""

    def __init__(
        self, signing_in: SigningIn, issuers: Mapping[str, Issuer], identity: Identity, devices: Devices, audit: Audit, *,
        clock: Clock, ids: Ids, transaction: Transaction,
    ) -> None:  # fmt: skip
        self._signing_in, self._issuers, self._identity, self._devices = signing_in, issuers, identity, devices
        self._audit, self._clock, self._ids, self._transaction = audit, clock, ids, transaction

    def begin(self, provider: str, origin: str) -> BegunDevice:
        """provider: by its name; empty for the only one, where it serves devices. Raises NotFound, RateLimited."""
        self._check_room()  # before the provider is asked, too: else anybody has us ask it without end
        name, secret, now = self._at(provider), self._ids.secret(), self._clock.now()
        said = self._asked_at(name) if name else {}
        code = str(said.get("user_code", "")) or user_code_of(self._ids.random(CODE_BYTES))
        lasts = min(timedelta(seconds=_whole(said.get("expires_in"), 600)), DEVICE_FOR)
        interval = max(_whole(said.get("interval"), INTERVAL_SECONDS), 1)
        sealed = b""
        if name:
            device_code = str(said.get("device_code", "")).encode()
            sealed = wrap(key_of(secret), device_code, CONTEXT, self._ids.random(NONCE_BYTES))
        device = Device(hash_of(secret), code, name, origin, now, now + lasts, interval, sealed=sealed)
        with self._transaction():
            self._check_room()
            self._devices.add(device)
        address, whole = str(said.get("verification_uri", "")), str(said.get("verification_uri_complete", ""))
        return BegunDevice(secret, code, device.expires_at, interval, address, whole if is_private(whole) else "")

    def poll(self, secret: str) -> Polled:
        """Raises NotAuthenticated once it ended, NotPermitted where somebody said no."""
        with self._transaction(alone=f"device:{hash_of(secret)}"):
            device = self._devices.with_hash(hash_of(secret))
            now = self._clock.now()
            if device is None or now >= device.expires_at:
                raise NotAuthenticated("the code was used, or is too old", fix="fabriek login")
            if device.polled_at and now < device.polled_at + timedelta(seconds=device.interval_seconds):
                return self._slower(device)
            self._devices.save(replace(device, polled_at=now))
        if device.provider:
            return self._polled_at(device, secret)
        if device.state is DeviceState.WAITING:
            return Polled(device.interval_seconds)
        with self._transaction(alone="sign-in"):
            if not self._devices.take(device.hash):
                raise NotAuthenticated("the code was used", fix="fabriek login")
            if device.state is DeviceState.APPROVED:
                if not self._identity.is_used(device.login, device.person):
                    raise refused("denied", "whoever let it in has ended their own login since")
                return self._let_in(device)
        raise refused("denied", "whoever was asked said no")

    def asked(self, user_code: str, *, by: Caller) -> Device:
        """What waits under this code, for who is asked to let it in. Raises NotFound, RateLimited after five wrong ones."""
        now = self._clock.now()
        if by.narrowed or self._devices.guesses(by.person, now - ATTEMPT_FOR) >= GUESSES_MAX:
            raise RateLimited("too many wrong codes", fix="try again in ten minutes", retry_after_seconds=600)
        code = read_user_code(user_code)
        device = self._devices.with_code(code) if code else None
        if device is None or device.state is not DeviceState.WAITING or now >= device.expires_at:
            with self._transaction():
                self._devices.note_guess(by.person, now)
            raise nothing_here()
        return device

    def decide(self, user_code: str, *, yes: bool, by: Caller) -> None:
        """Lets the device in as the caller, or does not. It gets no fresher a factor than the caller has. Raises NotFound, RateLimited."""
        device = self.asked(user_code, by=by)
        login = self._identity.login_behind(by)
        if login is None:
            raise unconfirmed()
        state = DeviceState.APPROVED if yes else DeviceState.DENIED
        fresh = self._identity.is_confirmed(by)
        with self._transaction(alone=f"device:{device.hash}"):
            there = self._devices.with_hash(device.hash)
            if there is None or there.state is not DeviceState.WAITING:
                raise nothing_here()
            self._devices.save(replace(there, state=state, person=by.person, login=login.id, fresh=fresh))
            self._audit.record(f"device.{state}", by.person, by)

    def forget_expired(self) -> None:
        with self._transaction():
            self._devices.forget(self._clock.now())

    def _check_room(self) -> None:
        if self._devices.count() >= OPEN_MAX:
            raise RateLimited("too many devices wait", fix="try again in a minute", retry_after_seconds=60)

    def _at(self, provider: str) -> str:
        """The provider whose page it will be; empty for ours."""
        providers = self._signing_in.providers
        names = [self._signing_in.provider(provider).name] if provider else [one.name for one in providers]
        try:
            return names[0] if len(names) == 1 and self._issuers[names[0]].has_devices() else ""
        except Unavailable:
            return ""

    def _asked_at(self, name: str) -> Mapping[str, Any]:
        profile = self._signing_in.provider(name).profile
        scopes = [*profile.scopes, *(["offline_access"] if profile.offline else [])]
        try:
            said = self._issuers[name].device(" ".join(scopes))
        except Refused as error:
            raise refused("device", f"the provider lets no device in ({error.error})") from None
        if not (said.get("device_code") and said.get("user_code") and is_private(str(said.get("verification_uri")))):
            raise Unavailable("the provider's answer to a device cannot be read", fix="name another --provider")
        return said

    def _slower(self, device: Device) -> Polled:
        slower = device.interval_seconds + SLOWER_BY_SECONDS
        self._devices.save(replace(device, interval_seconds=slower))
        return Polled(slower)

    def _polled_at(self, device: Device, secret: str) -> Polled:
        provider = self._signing_in.provider(device.provider)
        code = unwrap(key_of(secret), device.sealed, CONTEXT).decode()
        try:
            tokens = self._issuers[provider.name].tokens({"grant_type": DEVICE_GRANT, "device_code": code})
        except Refused as error:
            if error.error == "authorization_pending":
                return Polled(device.interval_seconds)
            with self._transaction():
                if error.error == "slow_down":
                    return self._slower(device)
                self._devices.take(device.hash)
            if error.error == "access_denied":
                raise refused("denied", f"{provider.title} was told no") from None
            raise NotAuthenticated("the code was used, or is too old", fix="fabriek login") from None
        with self._transaction():
            if not self._devices.take(device.hash):
                raise NotAuthenticated("the code was used", fix="fabriek login")
        person, token = self._signing_in.sign_in(
            provider, self._signing_in.prove(provider, tokens, nonce=None), session=False
        )
        return Polled(0, person, token)

    def _let_in(self, device: Device) -> Polled:
        login = self._identity.login(device.login)
        shown = Shown(login.method, login.strong, login.issuer, login.acr, login.assurance)
        person, token = self._identity.sign_in(device.person, shown, session=False, fresh=device.fresh)
        return Polled(0, person, token)


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else otherwise
