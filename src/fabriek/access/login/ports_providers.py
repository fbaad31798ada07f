"""What signing in at a provider needs: the provider itself, and what is kept of subjects, attempts and devices."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from fabriek.access.login.attempts import Attempt
from fabriek.access.login.devices import Device
from fabriek.access.login.subjects import Key, ProviderLogin, Subject


class Issuer(Protocol):
    """The wire to one provider. Never inside a transaction. Each verb raises Unavailable; those that ask for tokens, `oidc.Refused`."""

    def close(self) -> None: ...

    def names_itself_in_answers(self) -> bool: ...

    def has_devices(self) -> bool: ...

    def authorization_url(self, asked: Mapping[str, str]) -> str: ...

    def tokens(self, asked: Mapping[str, str]) -> Mapping[str, Any]: ...

    def device(self, scope: str) -> Mapping[str, Any]: ...

    def userinfo(self, access_token: str) -> Mapping[str, Any]: ...

    def claims_of(self, token: str) -> Mapping[str, Any]:
        """What a token says, once its signature holds. Raises NotPermitted."""


class Attempts(Protocol):
    """Storage of attempts."""

    def add(self, attempt: Attempt) -> None: ...

    def take(self, state: str) -> Attempt | None:
        """By the hash of its state, once: of two that bring the same, one gets it."""

    def count(self) -> int: ...

    def forget(self, before: datetime) -> None: ...


class Subjects(Protocol):
    """Storage of subjects, and of which logins were theirs."""

    def add(self, subject: Subject) -> None:
        """Raises AlreadyExists where the key is bound."""

    def with_key(self, key: Key) -> Subject | None: ...

    def get(self, subject_id: str) -> Subject | None: ...

    def of_person(self, person: str) -> Sequence[Subject]: ...

    def remove(self, subject_id: str) -> None: ...

    def note_login(self, login: ProviderLogin) -> None: ...

    def of_login(self, login: str) -> Subject | None: ...

    def organisation_of(self, issuer: str, word: str) -> str:
        """The id of the organisation that was made for this word of a provider's claims; empty where none was."""

    def name_organisation(self, issuer: str, word: str, organisation: str) -> None: ...


class Watched(Protocol):
    """Storage of what is asked again about subjects."""

    def keep_refresh(self, subject_id: str, sealed: bytes, wrapped: bytes, at: datetime) -> None:
        """`at`: the provider just said that all is well."""

    def to_ask(self, asked_before: datetime, now: datetime) -> Sequence[Subject]:
        """Those with a refresh token whose person has something open, and whom nobody asked about since."""

    def claim(self, subject_id: str, asked_before: datetime, now: datetime) -> bool:
        """That this server asks about them now; False where another does."""

    def sessions_of(self, issuer: str, subject: str, sid: str) -> int:
        """Ends the sessions of logins by this sid, or where it is empty of this subject; how many."""

    def see_once(self, issuer: str, jti: str, until: datetime) -> bool:
        """Whether this id of a token was not seen before."""


class Devices(Protocol):
    """Storage of logins that a device waits for."""

    def add(self, device: Device) -> None: ...

    def with_hash(self, device_hash: str) -> Device | None: ...

    def with_code(self, user_code: str) -> Device | None: ...

    def save(self, device: Device) -> None: ...

    def take(self, device_hash: str) -> bool:
        """Whether it was there: of two that come for the same, one gets it."""

    def count(self) -> int: ...

    def note_guess(self, person: str, at: datetime) -> None: ...

    def guesses(self, person: str, since: datetime) -> int: ...

    def forget(self, before: datetime) -> None: ...
