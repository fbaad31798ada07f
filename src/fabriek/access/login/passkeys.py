"""Passkeys: made and shown in a browser, checked here. Each answers one challenge, of one browser, for one purpose, once."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from fabriek.access.login.accounts import Accounts, Factors
from fabriek.access.login.factors import Challenge, Passkey
from fabriek.access.login.identity import Identity, Shown
from fabriek.access.login.logins import Method
from fabriek.access.people import Person
from fabriek.access.ports import People
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotAuthenticated, NotFound, QuotaExhausted
from fabriek.kernel.ids import Ids

CHALLENGE_FOR = timedelta(minutes=5)
CHALLENGE_BYTES = 32
PASSKEYS_MAX = 20
NAME_CHARACTERS_MAX = 60
ENROL, SIGN_IN, CONFIRM = "enrol", "sign_in", "confirm"
BY_PASSKEY = Shown(Method.PASSKEY, strong=True)


@dataclass(frozen=True, slots=True)
class Site:
    """As browsers know the portal: `host` is what passkeys are bound to, `origin` what a page of it says of itself."""

    host: str
    origin: str


class PasskeyStore(Factors, Protocol):
    """Storage of passkeys and challenges."""

    def add_passkey(self, made: Passkey) -> None: ...

    def passkey(self, key_id: str) -> Passkey | None: ...

    def note_use(self, passkey: Passkey, uses: int, at: datetime) -> None: ...

    def add_challenge(self, made: Challenge, *, now: datetime) -> None: ...

    def take_challenge(self, challenge_hash: str) -> Challenge | None: ...


class Passkeys:
    """browser: the secret cookie of the browser that asks; a challenge is answered by the same one or not at all."""

    def __init__(
        self, store: PasskeyStore, people: People, identity: Identity, accounts: Accounts, audit: Audit, clock: Clock, ids: Ids
    ) -> None:  # fmt: skip
        self._store, self._people, self._identity, self._accounts = store, people, identity, accounts
        self._audit, self._clock, self._ids = audit, clock, ids

    def begin_enrolling(self, site: Site, *, browser: str, by: Caller) -> Mapping[str, Any]:
        """What the browser makes a passkey of. Raises NotPermitted, QuotaExhausted."""
        person, known = self._accounts.check_may_change(by=by), self._store.passkeys_of(by.person)
        if len(known) >= PASSKEYS_MAX:
            raise QuotaExhausted(
                f"a person has at most {PASSKEYS_MAX} passkeys",
                limit=PASSKEYS_MAX, used=len(known), fix="remove one that you do not use",
            )  # fmt: skip
        asked = webauthn.generate_registration_options(
            rp_id=site.host, rp_name="Fabriek", user_name=person.email or person.id, user_display_name=person.name,
            user_id=person.id.encode(), challenge=self._challenge(ENROL, browser, by.person),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(one.key_id)) for one in known],
        )  # fmt: skip
        return _plain(webauthn.options_to_json(asked))

    def enrol(self, site: Site, answer: Mapping[str, Any], name: str, *, browser: str, by: Caller) -> Passkey:
        """Keeps a passkey that the browser made. Raises InvalidInput on an answer that does not hold, AlreadyExists, NotPermitted."""
        self._accounts.check_may_change(by=by)
        challenge = self._taken(ENROL, answer, browser, by.person)
        try:
            found = webauthn.verify_registration_response(
                credential=dict(answer), expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise InvalidInput(
                "the passkey's answer does not hold here", fix=f"open {site.origin} and try again"
            ) from None
        made = Passkey(
            self._ids.new("pky"), by.person, _text(found.credential_id), found.credential_public_key, found.sign_count,
            " ".join(name.split())[:NAME_CHARACTERS_MAX] or "Passkey", self._clock.now(),
        )  # fmt: skip
        with self._store.transaction(alone=f"factors:{by.person}"):
            self._store.add_passkey(made)
            self._store.note_confirms(by.person, confirms=True)
            self._audit.record("factors.added", by.person, by, what="passkey", passkey=made.id)
        return made

    def begin_showing(self, site: Site, *, browser: str, by: Caller | None = None) -> Mapping[str, Any]:
        """What the browser asks a passkey to sign: to sign in, or by a caller, to confirm that it is them."""
        known: Sequence[Passkey] = self._store.passkeys_of(by.person) if by else ()
        challenge = self._challenge(CONFIRM if by else SIGN_IN, browser, by.person if by else "")
        asked = webauthn.generate_authentication_options(
            rp_id=site.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED,
            allow_credentials=[PublicKeyCredentialDescriptor(id=_bytes(one.key_id)) for one in known],
        )  # fmt: skip
        return _plain(webauthn.options_to_json(asked))

    def sign_in(self, site: Site, answer: Mapping[str, Any], *, browser: str) -> tuple[Person, str]:
        """A session's cookie for whoever the passkey is of. Raises NotAuthenticated."""
        shown = self._shown(site, answer, SIGN_IN, browser, "")
        return self._identity.sign_in(shown.person, BY_PASSKEY, session=True)

    def confirm(self, site: Site, answer: Mapping[str, Any], *, browser: str, by: Caller) -> None:
        """Raises NotAuthenticated."""
        self._shown(site, answer, CONFIRM, browser, by.person)
        self._identity.confirm(BY_PASSKEY, by=by)

    def remove(self, passkey_id: str, *, by: Caller, last_too: bool = False) -> None:
        """last_too: also where no other factor is left. Raises NotFound, NotPermitted, WrongState."""
        self._accounts.check_may_change(by=by)
        with self._store.transaction(alone=f"factors:{by.person}"):
            held = self._accounts.held(by=by)
            if passkey_id not in {one.id for one in held.passkeys}:
                raise NotFound("you have no such passkey", fix="look at /account")
            self._accounts.check_not_last(held, last_too=last_too)
            self._store.remove_passkey(by.person, passkey_id)
            self._store.note_confirms(by.person, confirms=held.count > 1)
            self._audit.record("factors.removed", by.person, by, what="passkey", passkey=passkey_id)

    def _challenge(self, purpose: str, browser: str, person: str) -> bytes:
        made, now = self._ids.random(CHALLENGE_BYTES), self._clock.now()
        kept = Challenge(_hash(made), _hash(browser.encode()), purpose, person, now + CHALLENGE_FOR)
        with self._store.transaction():
            self._store.add_challenge(kept, now=now)
        return made

    def _taken(self, purpose: str, answer: Mapping[str, Any], browser: str, person: str) -> bytes:
        """The challenge that the answer says it is to, which is used up by that. Raises NotAuthenticated."""
        challenge, found = b"", None
        with suppress(ValueError, KeyError, TypeError):
            challenge = _bytes(json.loads(_bytes(answer["response"]["clientDataJSON"]))["challenge"])
        with self._store.transaction():
            found = self._store.take_challenge(_hash(challenge))
        asked = (_hash(browser.encode()), purpose, person)
        if not browser or found is None or (found.browser, found.purpose, found.person) != asked:
            raise _not_held()
        if self._clock.now() >= found.expires_at:
            raise _not_held()
        return challenge

    def _shown(self, site: Site, answer: Mapping[str, Any], purpose: str, browser: str, person: str) -> Passkey:
        challenge = self._taken(purpose, answer, browser, person)
        known = self._store.passkey(str(answer.get("id", "")))
        if known is None or (person and known.person != person):
            raise _not_held()
        try:
            found = webauthn.verify_authentication_response(
                credential=dict(answer), expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin,
                credential_public_key=known.public_key, credential_current_sign_count=0, require_user_verification=True,
            )  # fmt: skip
            said = _bytes(answer["response"].get("userHandle") or "").decode()
        except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
            raise _not_held() from None
        if said and said != known.person:
            raise _not_held()
        if not self._counted(known, found.new_sign_count):
            with self._store.transaction():
                self._audit.record("passkey.counter_fell", known.person, SYSTEM, passkey=known.id)
            raise NotAuthenticated(
                "this passkey was used more often than it says: there may be a copy of it",
                fix="come in another way, and remove it at /account",
            )
        return known

    def _counted(self, known: Passkey, uses: int) -> bool:
        """Whether its own count went on. Passkeys that do not count always say 0."""
        with self._store.transaction(alone=f"factors:{known.person}"):
            now = self._store.passkey(known.key_id)
            if now is None or ((uses or now.uses) and uses <= now.uses):
                return False
            self._store.note_use(now, uses, self._clock.now())
        return True


def _not_held() -> NotAuthenticated:
    return NotAuthenticated("the passkey's answer does not hold here, or came too late", fix="try again")


def _hash(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(f"{text}===")


def _plain(text: str) -> Mapping[str, Any]:
    made: Mapping[str, Any] = json.loads(text)
    return made
