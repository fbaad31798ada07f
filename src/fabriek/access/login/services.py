"""Service identities: programs that act in a project under a name of their own, and for which a person who is there answers.

A service has tokens and nothing else: no session, no link, no high act, no more than the scopes hold together, and of the roles that are
held everywhere only the listed ones. It opens nothing while the person who signed for it has left the project or the place, until another
lead signs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fabriek.access.login.credentials import Credential
from fabriek.access.login.ports import CredentialsOfPeople, KeptServices
from fabriek.access.login.tokens import Tokens, Wanted
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Membership
from fabriek.access.roles import PROJECT
from fabriek.audit.service import Audit
from fabriek.kernel.callers import HIGH, Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, WrongState
from fabriek.kernel.ids import Ids

ANSWERS = "service.create"
"""The right to make services in a project, to give them tokens, and to sign for them."""

OPEN_TO_SERVICES = frozenset(
    role for role, rights in PROJECT.items() if not rights & (HIGH | {"project.manage"})
)  # fmt: skip
"""The roles in a project that a service may have: none with which it could change who is there, or do a high act."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Service:
    """`signer`: who answers for it. `opens`: whether it opens anything now, which is so while its signer is in the project. `role`: empty where its
    place was taken, as by a review of access.
    """

    person: Person
    project: str
    role: str
    signer: Person
    opens: bool


class ServiceIdentities:
    def __init__(
        self, kept: KeptServices, credentials: CredentialsOfPeople, tokens: Tokens, bodies: Organisations, people: People, projects: Projects,
        audit: Audit, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._kept, self._credentials, self._tokens = kept, credentials, tokens
        self._bodies, self._people, self._projects = bodies, people, projects
        self._audit, self._clock, self._ids = audit, clock, ids

    def create(self, project_ref: str, name: str, role: str = "member", *, by: Caller) -> Service:
        """A service of the project, signed for by the caller. Raises InvalidInput, AlreadyExists, NotPermitted."""
        project = self._may(project_ref, by)
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "a service's name has lower-case letters, digits and hyphens, 63 at most", fix="name it: nightly-import"
            )
        if role not in OPEN_TO_SERVICES:
            raise InvalidInput(
                f"a service cannot be {role!r} in a project", fix=f"one of {', '.join(sorted(OPEN_TO_SERVICES))}"
            )
        made_id = self._ids.new("svc")
        # Where people have an address it has its id, which nobody can write to and nobody else can have.
        made = Person(made_id, by.organisation, name, made_id, kind=PersonKind.SERVICE, signed_for_by=by.person)
        with self._bodies.transaction(alone=f"services:{project}"):
            if any(one.person.name == name for one in self._of(project)):
                raise AlreadyExists(f"there is a service {name} already", fix="fabriek service ls")
            self._people.add(made)
            self._projects.put_member(Membership(project, made.id, role), self._clock.now())
            self._audit.record("service.created", made.id, by, project=project, role=role)
        return self._named(project, name)

    def list(self, project_ref: str, *, by: Caller) -> Sequence[Service]:
        """By name."""
        project = self._projects.named(project_ref).id
        require(by, "project.view", project=project)
        return self._of(project)

    def create_token(self, project_ref: str, name: str, wanted: Wanted, *, by: Caller) -> tuple[Credential, str]:
        """A token of the service and its secret, which is shown once. Raises what a person's token would, WrongState for a service that has a
        place in another project too: its token would open that one.
        """
        project = self._may(project_ref, by)
        found = self._named(project, name)
        if any(one.project != project for one in self._projects.of_person(found.person.id)):
            raise WrongState(
                "this service has a place in another project too, which its token would open",
                fix="fabriek service retire, and create one of this project alone",
            )
        return self._tokens.issue(found.person.id, wanted, "", by=by)

    def tokens(self, project_ref: str, name: str, *, by: Caller) -> Sequence[Credential]:
        """Those that are open, newest first."""
        project = self._projects.named(project_ref).id
        require(by, "project.view", project=project)
        return self._tokens.of(self._named(project, name).person.id)

    def revoke_token(self, project_ref: str, name: str, token: str, *, by: Caller) -> Credential:
        """By its name or id. Asks for no second factor: to close is always open to whoever may manage."""
        project = self._projects.named(project_ref).id
        require(by, "project.manage", project=project)
        require_whole(by)
        return self._tokens.revoke_of(self._named(project, name).person.id, token, by=by)

    def sign(self, project_ref: str, name: str, *, by: Caller) -> Service:
        """The caller answers for it from now on. Raises WrongState where they do already."""
        project = self._may(project_ref, by)
        with self._bodies.transaction(alone=f"services:{project}"):
            found = self._named(project, name)
            if found.person.signed_for_by == by.person:
                raise WrongState(f"you answer for {name} already", fix="another lead signs: fabriek service sign")
            self._kept.sign(found.person.id, by.person)
            self._audit.record(
                "service.signed", found.person.id, by, project=project, before=found.person.signed_for_by
            )
        return self._named(project, name)

    def retire(self, project_ref: str, name: str, *, by: Caller) -> None:
        """Ends its tokens and its place in the project. What it did stays under its name. Raises NotFound."""
        project = self._projects.named(project_ref).id
        require(by, "project.manage", project=project)
        require_whole(by)
        with self._bodies.transaction(alone=f"services:{project}"):
            found = self._named(project, name)
            self._kept.retire(found.person.id)
            self._projects.take_member(project, found.person.id, self._clock.now())
            ended = self._credentials.remove_of_person(found.person.id)
            self._audit.record("service.retired", found.person.id, by, project=project, ended=ended)

    def _may(self, project_ref: str, by: Caller) -> str:
        project = self._projects.named(project_ref).id
        require_whole(by)
        require(by, ANSWERS, project=project)
        return project

    def _of(self, project: str) -> Sequence[Service]:
        there = {one.person: one.role for one in self._projects.members(project)}
        services = [one for one in self._kept.of_project(project) if one.active]
        signers = self._people.among({one.signed_for_by for one in services})
        return [
            Service(
                one, project, there.get(one.id, ""), signers[one.signed_for_by],
                opens=one.id in there and signers[one.signed_for_by].active and one.signed_for_by in there,
            )
            for one in services
        ]  # fmt: skip

    def _named(self, project: str, name: str) -> Service:
        found = next((one for one in self._of(project) if name in {one.person.name, one.person.id}), None)
        if found is None:
            raise NotFound("there is no such service", fix="fabriek service ls")
        return found
