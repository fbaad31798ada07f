"""What signing in needs kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fabriek.access.login.credentials import Credential, CredentialKind
from fabriek.access.login.logins import Login
from fabriek.access.people import Person


@dataclass(frozen=True, slots=True)
class Holder:
    """A credential with whom it stands for: the person, where it is one's, and their role in each project by its id.

    `by_slug`: the ids of those projects. Of a service only those places count in which the person who signed for it still is.
    """

    credential: Credential
    person: Person | None = None
    in_projects: Mapping[str, str] = field(default_factory=dict)
    by_slug: Mapping[str, str] = field(default_factory=dict)


class Credentials(Protocol):
    """Storage of the hashes of secrets: what a request needs."""

    def add(self, credential: Credential) -> None: ...

    def find(self, secret_hash: str) -> Credential | None: ...

    def holder(self, secret_hash: str) -> Holder | None:
        """The credential and its person in one look: every request asks."""

    def remove(self, secret_hash: str) -> bool:
        """Whether it was there: of two that come with the same link, one gets True."""

    def of_kind(self, kind: CredentialKind) -> Sequence[Credential]: ...

    def remove_expired(self, now: datetime) -> int: ...

    def remove_idle(self, before: datetime) -> int:
        """Sessions that were last used before then."""


class CredentialsOfJobs(Protocol):
    """Storage of the secrets that jobs have."""

    def remove_of_job(self, job: str) -> int: ...

    def extend_of_job(self, job: str, until: datetime) -> None:
        """Lets what does one job's work do it until then; nobody's visit lasts longer for it."""


class CredentialsOfPeople(Protocol):
    """Storage of what a person has open."""

    def of_person(self, person: str) -> Sequence[Credential]:
        """Newest first, whatever their kind."""

    def named(self, credential_id: str) -> Credential | None:
        """By its id, which is no secret."""

    def remove_with(self, credential_ids: Collection[str]) -> int:
        """Those, and whatever was opened through one of them."""

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Credential id → when it was last used; never backwards."""

    def remove_of_person(self, person: str) -> int: ...

    def confirm(self, credential_id: str, at: datetime) -> None:
        """A strong factor was shown through it."""


class Logins(Protocol):
    """Storage of logins."""

    def add(self, login: Login) -> None: ...

    def get(self, login_id: str) -> Login:
        """Raises NotFound."""

    def of_person(self, person: str) -> Mapping[str, Login]:
        """By id."""

    def remove_unused(self) -> int:
        """Forgets those of which nothing is open any more."""


class KeptServices(Protocol):
    """Storage of what people do not share with services; the rest is kept as theirs is."""

    def of_project(self, project: str) -> Sequence[Person]:
        """By name, those that are retired too."""

    def sign(self, service: str, person: str) -> None:
        """That person answers for it from now on."""

    def retire(self, service: str) -> None: ...
