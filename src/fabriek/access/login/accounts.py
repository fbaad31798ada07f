"""Built-in accounts: a password with an app beside it, its recovery codes, and what factors a person has. Passkeys have verbs of their own."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fabriek.access.login import factors
from fabriek.access.login.factors import Passkey, PasswordAndApp, app_context
from fabriek.access.login.identity import Identity, Shown, check_may_let_in
from fabriek.access.login.logins import Method
from fabriek.access.login.passwords import Hashing, check_password
from fabriek.access.login.ports_providers import Subjects
from fabriek.access.login.throttle import Throttle
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import People
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, unconfirmed
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Damaged, InvalidInput, NotAuthenticated, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys

ISSUER = "Fabriek"
BY_PASSWORD = Shown(Method.PASSWORD, strong=True)


class Factors(Protocol):
    """Storage of strong factors. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]: ...

    def password(self, person: str, *, ready: bool) -> PasswordAndApp | None: ...

    def put_password(self, made: PasswordAndApp) -> None: ...

    def remove_password(self, person: str, *, ready: bool) -> bool: ...

    def put_codes(self, person: str, hashes: Sequence[str]) -> None: ...

    def use_code(self, person: str, code_hash: str) -> bool: ...

    def codes_left(self, person: str) -> int: ...

    def passkeys_of(self, person: str) -> Sequence[Passkey]: ...

    def remove_passkey(self, person: str, passkey_id: str) -> bool: ...

    def note_confirms(self, person: str, *, confirms: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Held:
    """What a person can show. `password_set_at`: None without a password and app."""

    passkeys: Sequence[Passkey]
    password_set_at: datetime | None
    codes_left: int

    @property
    def count(self) -> int:
        return len(self.passkeys) + (self.password_set_at is not None)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What goes into the app: typed, or as the address of a picture."""

    secret: str
    address: str


class Accounts:
    """A person's own factors: they alone set and remove them, and no administrator knows or chooses a password."""

    def __init__(
        self, store: Factors, people: People, identity: Identity, throttle: Throttle, hashing: Hashing, subjects: Subjects,
        audit: Audit, *, keys: Keys, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._store, self._people, self._identity, self._subjects = store, people, identity, subjects
        self._throttle, self._hashing, self._audit = throttle, hashing, audit
        self._keys, self._clock, self._ids = keys, clock, ids
        self._nobodys: bytes = b""

    def held(self, *, by: Caller) -> Held:
        ready = self._store.password(by.person, ready=True)
        left = self._store.codes_left(by.person) if ready else 0
        return Held(self._store.passkeys_of(by.person), ready.set_at if ready else None, left)

    def check_may_change(self, *, by: Caller) -> Person:
        """Raises NotPermitted, naming login.confirm, where they have a factor and did not show one lately."""
        person = self._people.get(by.person)
        if by.narrowed or person.kind is PersonKind.SERVICE:
            raise NotPermitted("factors are set by a person, signed in whole", rule="factors.own", fix="fabriek login")
        if by.unconfirmed and self.held(by=by).count:
            raise unconfirmed()
        return person

    def begin(self, password: str, *, by: Caller) -> None:
        """A password that waits for its app. Raises InvalidInput on one that is easily guessed, NotPermitted, RateLimited."""
        person = self.check_may_change(by=by)
        check_password(password, name=person.name, email=person.email)
        kept = self._hashing.hash(password)
        wrapped = self._keys.wrap(self._ids.random(factors.APP_KEY_BYTES), app_context(person.id))
        made = PasswordAndApp(person.id, False, kept, wrapped, 0, self._clock.now())
        with self._store.transaction(alone=f"factors:{person.id}"):
            self._store.put_password(made)
            self._audit.record("factors.begun", person.id, by, what="password")

    def beginning(self, *, by: Caller) -> Beginning:
        """What the app needs, until its first code was shown. Raises NotFound afterwards."""
        person = self.check_may_change(by=by)
        key = self._opened(self._begun(by.person))
        return Beginning(factors.app_secret(key), factors.app_address(key, person.email, ISSUER))

    def finish(self, code: str, *, by: Caller, address: str = "") -> Sequence[str]:
        """The app's first code: from now on both open the door. The recovery codes, shown this once. Raises InvalidInput, NotFound."""
        self.check_may_change(by=by)
        key, shown = self._opened(self._begun(by.person)), factors.recovery_codes(self._ids)
        with self._throttle.guess(f"begin:{by.person}", address), self._store.transaction(alone=f"factors:{by.person}"):
            begun = self._begun(by.person)
            step = factors.step_of(key, factors.plain(code), now=self._clock.now(), after=0)
            if step is None:
                raise InvalidInput("this is not the code that the app shows now", fix="look at the clock of your phone")
            self._store.remove_password(by.person, ready=False)
            self._store.put_password(replace(begun, ready=True, step=step, set_at=self._clock.now()))
            self._store.put_codes(by.person, [factors.hash_of_code(by.person, one) for one in shown])
            self._store.note_confirms(by.person, confirms=True)
            self._audit.record("factors.added", by.person, by, what="password")
        return shown

    def sign_in(self, email: str, password: str, code: str, *, address: str, session: bool) -> tuple[Person, str]:
        """By password and code. Raises NotAuthenticated in one sentence for whatever was wrong, RateLimited.

        Whoever is not here costs as much as whoever is: the same counting, the same unwrapping, the same slow hash.
        """
        email = email.strip().lower()
        with self._throttle.guess(email, address):
            person = self._people.with_email(email)
            kept = self._store.password(person.id, ready=True) if person is not None and person.active else None
            key = self._opened(kept) if kept is not None else self._as_if_opened()
            if not self._hashing.is_of(kept.hash if kept else "", password) or kept is None or person is None:
                raise _not_together()
            with self._store.transaction(alone=f"factors:{person.id}"):
                if not self._took(person.id, kept, key, code):
                    raise _not_together()
                return self._identity.sign_in(person.id, BY_PASSWORD, session=session)

    def confirm(self, code: str, *, by: Caller, address: str = "") -> None:
        """A code of the app, or a recovery code, beside the session or token that asks. Raises NotPermitted, RateLimited."""
        kept = self._store.password(by.person, ready=True)
        if kept is None:
            raise NotPermitted(
                "you have no app that shows codes",
                rule="login.confirm",
                fix="set one up, or show your passkey, on your page of the portal: /account",
            )
        key = self._opened(kept)
        with (
            self._throttle.guess(f"confirm:{by.person}", address),
            self._store.transaction(alone=f"factors:{by.person}"),
        ):
            if not self._took(by.person, kept, key, code):
                raise NotPermitted(
                    "this code is not the one of now, or was used",
                    rule="login.confirm", fix="wait for your app's next code",
                )  # fmt: skip
            self._identity.confirm(BY_PASSWORD, by=by)

    def renew_codes(self, *, by: Caller) -> Sequence[str]:
        """Ten fresh recovery codes; the old ones are worth nothing. Raises NotPermitted, NotFound without a password."""
        self.check_may_change(by=by)
        shown = factors.recovery_codes(self._ids)
        with self._store.transaction(alone=f"factors:{by.person}"):
            if self._store.password(by.person, ready=True) is None:
                raise NotFound("there is no password that codes could stand in for", fix="set one at /account")
            self._store.put_codes(by.person, [factors.hash_of_code(by.person, one) for one in shown])
            self._audit.record("factors.codes_renewed", by.person, by)
        return shown

    def remove_password(self, *, by: Caller, last_too: bool = False) -> None:
        """The password, its app and the codes. last_too: also where nothing else is left. Raises NotFound, NotPermitted, WrongState."""
        self.check_may_change(by=by)
        with self._store.transaction(alone=f"factors:{by.person}"):
            held = self.held(by=by)
            if held.password_set_at is None:
                raise NotFound("there is no password", fix="look at /account")
            self.check_not_last(held, last_too=last_too)
            self._store.remove_password(by.person, ready=True)
            self._store.put_codes(by.person, ())
            self._store.note_confirms(by.person, confirms=held.count > 1)
            self._audit.record("factors.removed", by.person, by, what="password")

    def forget(self, person_id: str, *, by: Caller) -> None:
        """For somebody who lost every factor: all of them go, and so does all that is open in their name. Then a link lets them begin again.

        Never of oneself, nor of somebody who may do what the caller may not: a help desk would become whoever it helps. Raises NotPermitted.
        """
        person = self._people.get(person_id)
        if person.id == by.person:
            raise NotPermitted(
                "nobody forgets their own factors", rule="factors.others", fix="ask another administrator"
            )
        check_may_let_in(person, by)
        with self._store.transaction(alone=f"factors:{person.id}"):
            for one in self._store.passkeys_of(person.id):
                self._store.remove_passkey(person.id, one.id)
            for ready in (True, False):
                self._store.remove_password(person.id, ready=ready)
            self._store.put_codes(person.id, ())
            self._store.note_confirms(person.id, confirms=False)
            for subject in self._subjects.of_person(person.id):
                self._subjects.remove(subject.id)
            self._identity.close_person(person.id, by=by)
            self._audit.record("factors.forgotten", person.id, by)

    @staticmethod
    def check_not_last(held: Held, *, last_too: bool) -> None:
        if held.count == 1 and not last_too:
            raise WrongState(
                "this is your last way in: after it, only a one-time link of an administrator opens",
                fix="add another way first, or say that you mean it",
            )

    def _took(self, person: str, seen: PasswordAndApp, key: bytes, code: str) -> bool:
        """Whether the code counts, which it does once. Inside the transaction that is alone with this person's factors."""
        kept, code = self._store.password(person, ready=True), factors.plain(code)
        if kept is None or (kept.hash, kept.set_at) != (seen.hash, seen.set_at):
            return False
        if not factors.is_app_code(code):
            return self._store.use_code(person, factors.hash_of_code(person, code))
        step = factors.step_of(key, code, now=self._clock.now(), after=kept.step)
        if step is None:
            return False
        self._store.put_password(replace(kept, step=step))
        return True

    def _begun(self, person: str) -> PasswordAndApp:
        found = self._store.password(person, ready=False)
        if found is None or self._clock.now() >= found.set_at + factors.SET_UP_FOR:
            raise NotFound("no password waits for its app", fix="begin again at /account")
        return found

    def _opened(self, kept: PasswordAndApp) -> bytes:
        return self._keys.unwrap(kept.wrapped, app_context(kept.person))

    def _as_if_opened(self) -> bytes:
        """Unwraps nobody's key, so that the time says nothing. It is made anew where its master key is gone."""
        try:
            return self._keys.unwrap(self._nobodys, app_context(""))
        except Damaged:
            self._nobodys = self._keys.wrap(self._ids.random(factors.APP_KEY_BYTES), app_context(""))
            return self._keys.unwrap(self._nobodys, app_context(""))


def _not_together() -> NotAuthenticated:
    """One sentence, whoever is asked after and whatever was wrong."""
    return NotAuthenticated("address, password and code do not belong together", fix="try again, or use another way in")
