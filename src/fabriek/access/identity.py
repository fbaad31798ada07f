"""Who is behind a request: the verbs on tokens, one-time links, sessions, and the first sign-in of all."""

from dataclasses import replace
from datetime import datetime, timedelta

from fabriek.access.credentials import (
    KNOCK_FOR,
    LINK_FOR,
    SESSION_FOR,
    TOKEN_FOR,
    Credential,
    CredentialKind,
    hash_of,
    is_open,
)
from fabriek.access.organisations import Organisation
from fabriek.access.people import Person
from fabriek.access.ports import Credentials, Organisations, People, Projects
from fabriek.access.roles import PROJECT, rights_of
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotAuthenticated, NotPermitted
from fabriek.kernel.ids import Ids

BOOTSTRAP_FOR = timedelta(days=7)
FIRST_ROLES = ("administrator", "operator")

_JOB_RIGHTS = frozenset({"data.write"})
"""What a job's node may do beside what it holds: put results into the upload that was opened for it."""


class Identity:
    """Issues secrets, keeps their hashes, and says who is behind one."""

    def __init__(
        self, credentials: Credentials, bodies: Organisations, people: People, projects: Projects,
        access: Access, audit: Audit, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._credentials, self._bodies, self._people, self._projects = credentials, bodies, people, projects
        self._access, self._audit, self._clock, self._ids = access, audit, clock, ids

    def caller_of(self, token: str) -> Caller:
        """The caller behind a bearer token of the API: a person's, or a node's. Raises NotAuthenticated."""
        found = self._open(token, {CredentialKind.API, CredentialKind.NODE})
        return self._caller(found)

    def caller_of_session(self, cookie: str) -> Caller:
        """Raises NotAuthenticated."""
        return self._caller(self._open(cookie, {CredentialKind.SESSION}))

    def caller_of_lab_token(self, token: str) -> Caller:
        """The job behind a token that came over the jobs' socket. It opens nothing anywhere else."""
        return self._caller(self._open(token, {CredentialKind.LAB}))

    def caller_of_index_token(self, token: str) -> Caller:
        """Who reads the index of packages: a person, or the build of one job's environment. Raises NotAuthenticated."""
        return self._caller(self._open(token, {CredentialKind.API, CredentialKind.PACKAGES}))

    def issue_token(self, person: str, *, by: Caller) -> str:
        """A token of the API, for oneself. Shown once; only its hash is kept."""
        if by is not SYSTEM and by.person != person:
            raise NotPermitted("a token is made by the person it stands for", rule="token.self", fix="fabriek login")
        return self._issue(CredentialKind.API, person, TOKEN_FOR, by)

    def issue_link(self, person: str, *, by: Caller) -> str:
        """The code of a one-time sign-in link: for oneself, or for anyone by whoever may invite."""
        if by.person != person:
            require(by, "person.invite")
        self._people.get(person)
        return self._issue(CredentialKind.LINK, person, LINK_FOR, by)

    def redeem(self, code: str, *, session: bool = False) -> tuple[Person, str]:
        """A link's code against a token, or a session's cookie; once. Raises NotAuthenticated."""
        kind, lasts = (CredentialKind.SESSION, SESSION_FOR) if session else (CredentialKind.API, TOKEN_FOR)
        with self._bodies.transaction(alone="sign-in"):
            found = self._open(code, {CredentialKind.LINK})
            if not self._credentials.remove(found.hash):
                raise _unknown()
            person = self._people.get(found.person)
            secret = self._issue(kind, person.id, lasts, Caller(person.id, person.organisation))
        return person, secret

    def end(self, secret: str) -> None:
        """Ends a token or session; no error if it had ended."""
        with self._bodies.transaction():
            self._credentials.remove(hash_of(secret))

    def issue_job_token(self, job: str, project: str, kind: str, until: datetime) -> str:
        """A secret that does one job's work and nothing else, dead when the job is."""
        secret = self._ids.secret()
        with self._bodies.transaction():
            self._credentials.add(Credential(hash_of(secret), CredentialKind(kind), "", until, job, project))
        return secret

    def issue_door(self, person: str, job: str, project: str) -> str:
        """A code that opens the door of one job's session, once and soon. Whoever asks has checked whose session it is."""
        return self._issue_at_job(CredentialKind.KNOCK, person, job, project, KNOCK_FOR)

    def enter(self, code: str, job: str) -> str:
        """A code against the secret of a visit to that job and no other; dead when the job is. Raises NotAuthenticated."""
        with self._bodies.transaction(alone="sign-in"):
            found = self._open(code, {CredentialKind.KNOCK})
            if found.job != job or not self._credentials.remove(found.hash):
                raise _unknown()
            return self._issue_at_job(CredentialKind.DOOR, found.person, job, found.project, SESSION_FOR)

    def caller_at_door(self, secret: str, job: str) -> Caller:
        """The person of a visit, with the rights of now. Raises NotAuthenticated."""
        found = self._open(secret, {CredentialKind.DOOR})
        if found.job != job:
            raise _unknown()
        return self._caller(replace(found, job=""))

    def extend_job_tokens(self, job: str, until: datetime) -> None:
        with self._bodies.transaction():
            self._credentials.extend_of_job(job, until)

    def end_job_tokens(self, job: str) -> None:
        with self._bodies.transaction():
            self._credentials.remove_of_job(job)

    def bootstrap_token(self) -> str:
        """The secret of the first sign-in, made anew at each start until somebody has used one; empty from then on."""
        with self._bodies.transaction(alone="bootstrap"):
            if self._people.count():
                return ""
            for old in self._credentials.of_kind(CredentialKind.BOOTSTRAP):
                self._credentials.remove(old.hash)
            return self._issue(CredentialKind.BOOTSTRAP, "", BOOTSTRAP_FOR, SYSTEM)

    def bootstrap(self, token: str, organisation: Organisation, name: str, email: str) -> tuple[Person, str]:
        """The first person, an administrator, and their token. Raises NotAuthenticated when the secret was used or there is somebody."""
        with self._bodies.transaction(alone="bootstrap"):
            found = self._open(token, {CredentialKind.BOOTSTRAP})
            if self._people.count() or not self._credentials.remove(found.hash):
                raise _unknown()
            return self.first_person(organisation, name, email, FIRST_ROLES)

    def first_person(
        self, organisation: Organisation, name: str, email: str, roles: tuple[str, ...]
    ) -> tuple[Person, str]:
        """Somebody with these roles and a token. For the bootstrap and the quick start; joins their transaction."""
        person = Person(self._ids.new("per"), organisation.id, name, email.lower(), frozenset(roles))
        with self._bodies.transaction():
            self._bodies.add(organisation)
            self._people.add(person)
            self._audit.record("organisation.created", organisation.id, SYSTEM)
            self._audit.record("person.bootstrapped", person.id, SYSTEM, organisation=organisation.id)
            return person, self._issue(CredentialKind.API, person.id, TOKEN_FOR, SYSTEM)

    def forget_expired(self) -> int:
        with self._bodies.transaction():
            return self._credentials.remove_expired(self._clock.now())

    def _issue_at_job(self, kind: CredentialKind, person: str, job: str, project: str, lasts: timedelta) -> str:
        secret = self._ids.secret()
        with self._bodies.transaction():
            self._credentials.add(Credential(hash_of(secret), kind, person, self._clock.now() + lasts, job, project))
        return secret

    def _issue(self, kind: CredentialKind, person: str, lasts: timedelta, by: Caller) -> str:
        secret = self._ids.secret()
        with self._bodies.transaction():
            self._credentials.add(Credential(hash_of(secret), kind, person, self._clock.now() + lasts))
            self._audit.record(f"credential.{kind}_issued", person or "nobody", by)
        return secret

    def _open(self, secret: str, kinds: set[CredentialKind]) -> Credential:
        found = self._credentials.find(hash_of(secret))
        if found is None or found.kind not in kinds or not is_open(found, self._clock.now()):
            raise _unknown()
        return found

    def _caller(self, found: Credential) -> Caller:
        if found.job:
            return Caller(person=f"job:{found.job}", job=found.job, project_rights={found.project: _JOB_RIGHTS})
        return self.caller_for(found.person)

    def caller_for(self, person_id: str) -> Caller:
        """What a person may do today, with no request of theirs. Raises NotFound, NotAuthenticated for one who is no longer active."""
        person = self._people.get(person_id)
        if not person.active:
            raise _unknown()
        in_projects = {one.project: PROJECT[one.role] for one in self._projects.of_person(person.id)}
        return Caller(person.id, person.organisation, person.name, rights_of(person.roles), in_projects)


def _unknown() -> NotAuthenticated:
    """One sentence for a secret that never was, was used, or has run out: which of them is nobody's business."""
    return NotAuthenticated("the token or link is not known, was used, or has expired", fix="fabriek login")
