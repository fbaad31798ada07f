"""The secrets of jobs: what one does its work with, and what opens the door of one to who started it. Who is behind one, `identity` says."""

from datetime import datetime, timedelta
from typing import Protocol

from fabriek.access.login.credentials import KNOCK_FOR, SESSION_FOR, Credential, CredentialKind, hash_of, is_open
from fabriek.access.login.identity import unknown
from fabriek.access.login.ports import Credentials, CredentialsOfJobs
from fabriek.access.ports import Organisations
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids


class JobCredentials(Credentials, CredentialsOfJobs, Protocol):
    """Storage of credentials, with those of jobs."""


class JobSecrets:
    """Issued when a job starts or a door is knocked at, dead when the job is."""

    def __init__(self, credentials: JobCredentials, bodies: Organisations, clock: Clock, ids: Ids) -> None:
        self._credentials, self._bodies, self._clock, self._ids = credentials, bodies, clock, ids

    def issue(self, job: str, project: str, kind: str, until: datetime) -> str:
        """A secret that does one job's work and nothing else, dead when the job is."""
        secret = self._ids.secret()
        with self._bodies.transaction():
            made = Credential(hash_of(secret), CredentialKind(kind), "", until, job, project, self._ids.new("crd"))
            self._credentials.add(made)
        return secret

    def extend(self, job: str, until: datetime) -> None:
        with self._bodies.transaction():
            self._credentials.extend_of_job(job, until)

    def end(self, job: str) -> None:
        with self._bodies.transaction():
            self._credentials.remove_of_job(job)

    def issue_door(self, person: str, job: str, project: str, *, through: str = "") -> str:
        """A code that opens the door of one job's session, once and soon. Whoever asks has checked whose session it is.

        through: the credential that they came in by; the visit ends with it.
        """
        return self._issue_at_job(CredentialKind.KNOCK, person, job, project, KNOCK_FOR, through)

    def enter(self, code: str, job: str) -> str:
        """A code against the secret of a visit to that job and no other; dead when the job is. Raises NotAuthenticated."""
        with self._bodies.transaction(alone="sign-in"):
            found = self._credentials.find(hash_of(code))
            if found is None or found.kind is not CredentialKind.KNOCK or not is_open(found, self._clock.now()):
                raise unknown()
            if found.job != job or not self._credentials.remove(found.hash):
                raise unknown()
            return self._issue_at_job(CredentialKind.DOOR, found.person, job, found.project, SESSION_FOR, found.through)

    def _issue_at_job(
        self, kind: CredentialKind, person: str, job: str, project: str, lasts: timedelta, through: str
    ) -> str:
        secret, now = self._ids.secret(), self._clock.now()
        made = Credential(
            hash_of(secret), kind, person, now + lasts, job, project, self._ids.new("crd"), made_at=now, through=through
        )
        with self._bodies.transaction():
            self._credentials.add(made)
        return secret
