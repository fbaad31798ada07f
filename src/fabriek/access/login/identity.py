"""Who is behind a request: the verbs on tokens, one-time links and sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from fabriek.access.login.credentials import (
    IDLE_FOR,
    LINK_FOR,
    SESSION_FOR,
    TOKEN_FOR,
    Credential,
    CredentialKind,
    hash_of,
    is_confirmed,
    is_idle,
    is_open,
    new_token,
)
from fabriek.access.login.logins import Login, Method
from fabriek.access.login.ports import Credentials, CredentialsOfPeople, Holder, Logins
from fabriek.access.login.scopes import kept_by
from fabriek.access.login.uses import Uses
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Membership
from fabriek.access.roles import PROJECT, rights_in, rights_of, rights_of_service
from fabriek.audit.service import Audit
from fabriek.kernel.callers import HIGH, SYSTEM, Caller, require, require_whole, unconfirmed
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotAuthenticated, NotPermitted
from fabriek.kernel.ids import Ids

FOR_ADDRESSES = frozenset({CredentialKind.LINK, CredentialKind.KNOCK})
"""What opens a door by an address: once, and not for long."""

_JOB_RIGHTS = frozenset({"data.write"})
"""What a job's node may do beside what it holds: put results into the upload that was opened for it."""


class Confirming(StrEnum):
    """Of whom high acts ask a second factor: whoever has one, or everybody."""

    ENROLLED = "enrolled"
    ALWAYS = "always"


class AllCredentials(Credentials, CredentialsOfPeople, Protocol):
    """Storage of credentials, whole."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How somebody showed who they are, before it is kept as a login. See `logins.Login` for the fields."""

    method: Method
    strong: bool
    issuer: str = ""
    acr: str = ""
    assurance: tuple[str, ...] = ()


BY_LINK = Shown(Method.LINK, strong=False)


class Identity:
    """Issues secrets, keeps their hashes, and says who is behind one."""

    def __init__(
        self, credentials: AllCredentials, logins: Logins, bodies: Organisations, people: People, projects: Projects,
        audit: Audit, clock: Clock, ids: Ids, confirming: Confirming = Confirming.ENROLLED, *, uses: Uses | None = None,
        idle_for: timedelta = IDLE_FOR,
    ) -> None:  # fmt: skip
        self._credentials, self._logins = credentials, logins
        self._bodies, self._people, self._projects = bodies, people, projects
        self._audit, self._clock, self._ids, self._confirming = audit, clock, ids, confirming
        self._uses, self._idle_for = uses or Uses(), idle_for

    def caller_of(self, token: str) -> Caller:
        """The caller behind a bearer token of the API: a person's, or a node's. Raises NotAuthenticated."""
        return self._caller(token, {CredentialKind.API, CredentialKind.NODE})

    def caller_of_session(self, cookie: str) -> Caller:
        """Raises NotAuthenticated."""
        return self._caller(cookie, {CredentialKind.SESSION})

    def caller_of_lab_token(self, token: str) -> Caller:
        """The job behind a token that came over the jobs' socket. It opens nothing anywhere else."""
        return self._caller(token, {CredentialKind.LAB})

    def caller_of_index_token(self, token: str) -> Caller:
        """Who reads the index of packages: a person, or the build of one job's environment. Raises NotAuthenticated."""
        return self._caller(token, {CredentialKind.API, CredentialKind.PACKAGES})

    def issue_token(self, person: str, *, by: Caller) -> str:
        """A token of the API, for oneself. Shown once; only its hash is kept."""
        require_whole(by)
        if by is not SYSTEM and by.person != person:
            raise NotPermitted("a token is made by the person it stands for", rule="token.self", fix="fabriek login")
        return self._issue(CredentialKind.API, person, TOKEN_FOR, by)

    def issue_link(self, person: str, *, by: Caller) -> str:
        """The code of a one-time sign-in link: for oneself; or by whoever may invite, for who never came or `check_may_let_in` lets them."""
        require_whole(by)
        found = self._people.get(person)
        if by.person != person:
            require(by, "person.invite")
            if found.confirms or self.has_come(person):
                check_may_let_in(found, by)
        if found.kind is PersonKind.SERVICE:
            raise NotPermitted("a service has tokens alone", rule="service.tokens", fix="fabriek service token NAME")
        return self._issue(CredentialKind.LINK, person, LINK_FOR, by)

    def has_come(self, person: str) -> bool:
        """Whether somebody has a way in open: they signed in lately."""
        ways = {CredentialKind.API, CredentialKind.SESSION}
        return any(one.kind in ways and is_open(one, self._clock.now()) for one in self._credentials.of_person(person))

    def redeem(self, code: str, *, session: bool = False) -> tuple[Person, str]:
        """A link's code against a token, or a session's cookie; once. Raises NotAuthenticated."""
        with self._bodies.transaction(alone="sign-in"):
            return self.sign_in(self.use_link(hash_of(code)), BY_LINK, session=session)

    def use_link(self, code_hash: str) -> str:
        """Uses a link up, for a way of signing in that ends it; the person's id. Joins that transaction. Raises NotAuthenticated."""
        found = self._opened(code_hash, {CredentialKind.LINK})
        if not self._credentials.remove(found.hash):
            raise unknown()
        return found.person

    def login_of(self, secret: str) -> str:
        """The id of the login that a secret came from; empty where it came from none."""
        found = self._credentials.find(hash_of(secret))
        return "" if found is None else found.login

    def login(self, login_id: str) -> Login:
        """Raises NotFound."""
        return self._logins.get(login_id)

    def is_confirmed(self, by: Caller) -> bool:
        """Whether a strong factor was shown lately through what the caller came in by."""
        theirs = (one for one in self._credentials.of_person(by.person) if one.id == by.credential)
        found = next(theirs, None)
        return found is not None and is_confirmed(found, self._clock.now())

    def is_used(self, login: str, person: str) -> bool:
        """Whether anything that came of this login of theirs still opens a door."""
        now = self._clock.now()
        return any(one.login == login and is_open(one, now) for one in self._credentials.of_person(person))

    def login_behind(self, by: Caller) -> Login | None:
        """The login of what the caller came in by."""
        theirs = (one for one in self._credentials.of_person(by.person) if one.id == by.credential)
        found = next(theirs, None)
        return self._logins.get(found.login) if found is not None and found.login else None

    def sign_in(self, person_id: str, shown: Shown, *, session: bool, fresh: bool = True) -> tuple[Person, str]:
        """A token, or a session's cookie, for whoever showed who they are. Always a new secret: one that was there before is worth nothing.

        fresh: it was shown just now; a strong factor shown a while ago opens no high act.
        Raises NotFound, NotAuthenticated for one who is no longer active and for a service, which has tokens alone.
        """
        kind, lasts = (CredentialKind.SESSION, SESSION_FOR) if session else (CredentialKind.API, TOKEN_FOR)
        person, now = self._people.get(person_id), self._clock.now()
        if not person.active or person.kind is PersonKind.SERVICE:
            raise unknown()
        login = Login(
            self._ids.new("lgn"), person.id, shown.method, now, shown.strong, shown.issuer, shown.acr, shown.assurance
        )
        with self._bodies.transaction():
            self._logins.add(login)
            by = Caller(person.id, person.organisation)
            secret = self._issue(
                kind, person.id, lasts, by, login=login.id, confirmed_at=now if shown.strong and fresh else None
            )
            self._audit.record("person.signed_in", person.id, by, method=shown.method, strong=str(shown.strong).lower())
        return person, secret

    def confirm(self, shown: Shown, *, by: Caller) -> None:
        """The caller showed a strong factor again: high acts are open through this credential for a quarter of an hour. Raises NotPermitted."""
        require_whole(by)
        if not shown.strong:
            raise NotPermitted("that is one factor", rule="login.confirm", fix="use a passkey, or a code of your app")
        with self._bodies.transaction():
            self._credentials.confirm(by.credential, self._clock.now())
            self._audit.record("person.confirmed", by.person, by, method=shown.method)

    def close_person(self, person_id: str, *, by: Caller) -> int:
        """Ends everything that a person has open: tokens, sessions, links, visits. Returns how many. Whoever calls has checked the right."""
        with self._bodies.transaction():
            ended = self._credentials.remove_of_person(person_id)
            self._audit.record("person.doors_closed", person_id, by, ended=str(ended))
        return ended

    def end(self, secret: str) -> None:
        """Ends a token or session, and what was opened through it; no error if it had ended."""
        with self._bodies.transaction():
            if found := self._credentials.find(hash_of(secret)):
                self._credentials.remove(found.hash)
                if found.id:
                    self._credentials.remove_with([found.id])

    def revoke_leaked(self, secrets: Sequence[str]) -> int:
        """Ends those of these that open something and were never meant for an address, with what was opened through them. How many.

        No right is asked: who says a secret has it, and does no more with it than sign out.
        """
        ended = 0
        for secret in secrets:
            if (found := self._credentials.find(hash_of(secret))) is None or found.kind in FOR_ADDRESSES:
                continue
            with self._bodies.transaction():
                if self._credentials.remove(found.hash):
                    ended += 1
                    if found.id:
                        self._credentials.remove_with([found.id])
                    self._audit.record(
                        "credential.leaked", found.id or found.person, SYSTEM, person=found.person, kind=found.kind
                    )
        return ended

    def caller_at_door(self, secret: str, job: str) -> Caller:
        """The person of a visit, with the rights of now. Raises NotAuthenticated."""
        return self._caller(secret, {CredentialKind.DOOR}, at_job=job)

    def forget_expired(self) -> int:
        with self._bodies.transaction():
            now = self._clock.now()
            ended = self._credentials.remove_expired(now) + self._credentials.remove_idle(now - self._idle_for)
            self._logins.remove_unused()
        return ended

    def keep_uses(self) -> int:
        """Writes when credentials were last used, as far as this server saw it; for the worker. How many there were."""
        uses = self._uses.take()
        if uses:
            with self._bodies.transaction():
                self._credentials.note_uses(uses)
        return len(uses)

    def _issue(
        self, kind: CredentialKind, person: str, lasts: timedelta, by: Caller, *, login: str = "", confirmed_at: datetime | None = None
    ) -> str:  # fmt: skip
        secret = new_token(self._ids) if kind is CredentialKind.API else self._ids.secret()
        now = self._clock.now()
        made = Credential(
            hash_of(secret), kind, person, now + lasts, id=self._ids.new("crd"), made_at=now, login=login, confirmed_at=confirmed_at
        )  # fmt: skip
        with self._bodies.transaction():
            self._credentials.add(made)
            self._audit.record(f"credential.{kind}_issued", person or "nobody", by)
        return secret

    def _opened(self, secret_hash: str, kinds: set[CredentialKind]) -> Credential:
        found = self._credentials.find(secret_hash)
        if found is None or found.kind not in kinds or not is_open(found, self._clock.now()):
            raise unknown()
        return found

    def _caller(self, secret: str, kinds: set[CredentialKind], *, at_job: str = "") -> Caller:
        """The caller behind a secret of one of these kinds, with the rights of now, narrowed to the secret's scope."""
        held = self._credentials.holder(hash_of(secret))
        now = self._clock.now()
        if held is None or held.credential.kind not in kinds or not is_open(held.credential, now):
            raise unknown()
        found = held.credential
        if at_job:
            if found.job != at_job:
                raise unknown()
        elif found.job:
            return Caller(person=f"job:{found.job}", job=found.job, project_rights={found.project: _JOB_RIGHTS})
        if found.kind is CredentialKind.SESSION and is_idle(found, now, self._uses.last(found.id), self._idle_for):
            raise unknown()
        caller = self._person_behind(held, now)
        self._uses.note(found, now)
        return caller

    def _person_behind(self, held: Holder, now: datetime) -> Caller:
        person, credential = held.person, held.credential
        if person is None or not person.active:
            raise unknown()
        service = person.kind is PersonKind.SERVICE
        # A service without a place has no signer who answers for it there: it opens nothing at all.
        places = bool(held.in_projects)
        rights = (rights_of_service(person.roles) if places else frozenset()) if service else rights_of(person.roles)
        only_here = "" if credential.job else credential.project
        narrowed = service or bool(credential.scope or only_here)
        if narrowed:
            kept = kept_by(credential.scope)
            rights = frozenset() if only_here else rights & kept
            in_projects = {
                project: rights_in(role, kept)
                for project, role in held.in_projects.items()
                if only_here in {"", project}
            }
        else:
            in_projects = {project: PROJECT[role] for project, role in held.in_projects.items()}
        asked = person.confirms or self._confirming is Confirming.ALWAYS or service
        return Caller(
            person.id, person.organisation, person.name, rights, in_projects, credential=credential.id, narrowed=narrowed,
            unconfirmed=asked and not is_confirmed(credential, now), by_slug=held.by_slug,
        )  # fmt: skip

    def caller_for(self, person_id: str) -> Caller:
        """What a person may do today, with no request of theirs. Raises NotFound, NotAuthenticated for one who is no longer active."""
        person = self._people.get(person_id)
        if not person.active:
            raise unknown()
        places = self._projects.of_person(person.id)
        if person.kind is PersonKind.SERVICE:
            places = self._signed_for(person, places)
            return Caller(
                person.id, person.organisation, person.name, rights_of_service(person.roles) if places else frozenset(),
                {one.project: rights_in(one.role, kept_by(frozenset())) for one in places}, narrowed=True, unconfirmed=True,
            )  # fmt: skip
        in_projects = {one.project: PROJECT[one.role] for one in places}
        return Caller(person.id, person.organisation, person.name, rights_of(person.roles), in_projects)

    def _signed_for(self, service: Person, places: Sequence[Membership]) -> Sequence[Membership]:
        """Those of its places in which the person who signed for it still is."""
        if not self._people.get(service.signed_for_by).active:
            return []
        there = {one.project for one in self._projects.of_person(service.signed_for_by)}
        return [one for one in places if one.project in there]


def check_may_let_in(person: Person, by: Caller) -> None:
    """Whoever lets somebody in again could come in as them. So nobody does it for who may do high acts that they may not, and where they have
    a second factor they show it first. Raises NotPermitted.
    """
    require(by, "person.invite")
    if by.unconfirmed:
        raise unconfirmed()
    if above := sorted(rights_of(person.roles) & HIGH - by.rights):
        raise NotPermitted(
            f"they may do what you may not: {above[0]}", rule="person.above",
            fix="ask somebody who may; or take the role away first: fabriek org appoint PERSON --role ROLE --take",
        )  # fmt: skip


def unknown() -> NotAuthenticated:
    """One sentence for a secret that never was, was used, or has run out: which of them is nobody's business."""
    return NotAuthenticated("the token or link is not known, was used, or has expired", fix="fabriek login")
