"""Everything that a person has open: sessions, tokens, sign-in links, visits to notebooks. Looked at and ended, by themselves or by whoever
keeps the place safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fabriek.access.login.credentials import Credential, CredentialKind, is_open
from fabriek.access.login.logins import Login
from fabriek.access.login.ports import CredentialsOfPeople, Logins
from fabriek.access.login.uses import Uses
from fabriek.access.ports import Organisations, People
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound

OVERSEES = "person.doors"
"""The right to see and end what others have open."""


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """A credential that opens something now. `login`: what was shown when it was had, where it is known. `this`: who asks came in by it."""

    credential: Credential
    login: Login | None
    this: bool


class OpenDoors:
    def __init__(
        self, credentials: CredentialsOfPeople, logins: Logins, bodies: Organisations, people: People, uses: Uses, audit: Audit, clock: Clock
    ) -> None:  # fmt: skip
        self._credentials, self._logins, self._bodies, self._people = credentials, logins, bodies, people
        self._uses, self._audit, self._clock = uses, audit, clock

    def list(self, person: str = "", *, by: Caller) -> Sequence[OpenDoor]:
        """One's own, newest first; somebody's for whoever oversees. Raises NotFound, NotPermitted."""
        self._check(person, by)
        now = self._clock.now()
        logins = self._logins.of_person(person or by.person)
        return [
            OpenDoor(one, logins.get(one.login), bool(one.id) and one.id == by.credential)
            for one in self._credentials.of_person(person or by.person)
            if is_open(one, now)
        ]

    def end(self, door: str, person: str = "", *, by: Caller) -> None:
        """Ends one, with whatever was opened through it. Raises NotFound, also for one of somebody else's."""
        self._check(person, by)
        with self._bodies.transaction():
            found = self._credentials.named(door)
            if found is None or found.person != (person or by.person):
                raise NotFound("nothing of that name is open", fix="fabriek door ls")
            self._credentials.remove_with([found.id])
            self._audit.record("door.ended", found.id, by, person=found.person, kind=found.kind)

    def end_others(self, *, by: Caller) -> int:
        """All of one's own but what one came in by. How many."""
        require_whole(by)
        return self._end_all(by.person, but=by.credential, by=by)

    def end_all(self, person: str, *, by: Caller) -> int:
        """All of somebody's, for whoever oversees. How many."""
        require(by, OVERSEES)
        require_whole(by)
        self._people.get(person)
        return self._end_all(person, but="", by=by)

    def last_use(self, credential: Credential) -> datetime | None:
        """To the minute, with what this server saw and has not written yet."""
        return max((at for at in (credential.used_at, self._uses.last(credential.id)) if at is not None), default=None)

    def _end_all(self, person: str, *, but: str, by: Caller) -> int:
        with self._bodies.transaction(alone=f"tokens:{person}"):
            others = [
                one.id
                for one in self._credentials.of_person(person)
                if one.id != but and not (but and one.through == but)
            ]
            ended = self._credentials.remove_with(others) if others else 0
            self._audit.record("door.others_ended" if but else "door.all_ended", person, by, ended=ended)
        return ended

    def _check(self, person: str, by: Caller) -> None:
        require_whole(by)
        if person and person != by.person:
            require(by, OVERSEES)
            self._people.get(person)


VISIBLE_NAMES = {
    CredentialKind.API: "token",
    CredentialKind.LINK: "sign-in link",
    CredentialKind.SESSION: "session",
    CredentialKind.KNOCK: "visit that begins",
    CredentialKind.DOOR: "notebook visit",
}
"""What people call them."""
