"""Appointing: who holds which role everywhere, and that somebody always can give them."""

from collections.abc import Sequence
from dataclasses import replace

from fabriek.access.apart import check_apart
from fabriek.access.finding import person_named
from fabriek.access.joining.ports import Standings
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Membership, Project
from fabriek.access.roles import ADMINISTRATOR, GLOBAL, OF_AN_ORGANISATION, check_global
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, NotFound, NotPermitted, WrongState

ALONE = "roles"
"""What is counted here must stay true until it is written: two administrators who take each other's role would both be the last but one."""


class Appointing:
    """Global roles, and leads for projects that have none."""

    def __init__(
        self,
        standings: Standings,
        bodies: Organisations,
        people: People,
        projects: Projects,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._standings, self._bodies, self._people, self._projects = standings, bodies, people, projects
        self._audit, self._clock = audit, clock

    def appoint(self, person: str, role: str, *, by: Caller) -> Person:
        """Raises NotPermitted for oneself, or for a pair that is kept apart; AlreadyExists, WrongState for who is not here any more."""
        check_global(frozenset({role}))
        with self._bodies.transaction(alone=ALONE):
            someone = self._someone(person, role, by)
            if someone.id == by.person:
                raise NotPermitted(
                    "nobody appoints themselves", rule="appoint.self", fix="ask another administrator to do it"
                )
            if not someone.active:
                raise WrongState("they are no longer here", fix=f"fabriek org return {someone.id}")
            if someone.kind is PersonKind.SERVICE and GLOBAL[role] & {"person.appoint", "organisation.appoint"}:
                raise NotPermitted("a service appoints nobody", rule="appoint.service", fix="appoint a person")
            if role in someone.roles:
                raise AlreadyExists(f"they are {role} already", fix="fabriek org roles")
            check_apart(someone.roles, {role}, self._clock.today())
            given = replace(someone, roles=someone.roles | {role})
            self._standings.save(given)
            self._audit.record("person.appointed", someone.id, by, role=role)
        return given

    def take(self, person: str, role: str, *, by: Caller) -> Person:
        """Takes a role away; anybody may lay down their own. Raises NotFound when they do not hold it, WrongState for the last administrator."""
        check_global(frozenset({role}))
        with self._bodies.transaction(alone=ALONE):
            someone = self._someone(person, role, by, own=True)
            if role not in someone.roles:
                raise NotFound(f"they are no {role}", fix="fabriek org roles")
            if role == ADMINISTRATOR:
                self.check_not_last(someone)
            left = replace(someone, roles=someone.roles - {role})
            self._standings.save(left)
            self._audit.record("person.role_taken", someone.id, by, role=role)
        return left

    def check_not_last(self, person: Person) -> None:
        """Raises WrongState where nobody else could give roles. Whoever calls is alone with `ALONE` until it is written."""
        if [one.id for one in self._standings.holding(ADMINISTRATOR)] == [person.id]:
            raise WrongState(
                "an installation keeps an administrator",
                fix="appoint somebody else first: fabriek org appoint PERSON --role administrator",
            )

    def holders(self, *, by: Caller) -> Sequence[Person]:
        """Everybody who holds a role everywhere."""
        if not by.may("person.appoint"):
            require(by, "person.view")
        return self._standings.with_roles()

    def without_lead(self, *, by: Caller) -> Sequence[Project]:
        """Projects that nobody leads, since who did has left."""
        require(by, "project.oversee")
        return [self._projects.named(one) for one in self._standings.projects_without_lead()]

    def appoint_lead(self, project: str, person: str, *, by: Caller) -> Membership:
        """A lead for a project that has none: somebody of its lead organisation, or a member. Not oneself, and not beside a lead who is there."""
        require(by, "project.oversee")
        found = self._projects.named(project)
        someone = person_named(self._people, person)
        with self._bodies.transaction(alone=f"project:{found.id}"):
            if found.id not in self._standings.projects_without_lead():
                raise WrongState(
                    "this project has a lead, who adds others", fix="fabriek project add PERSON --role lead"
                )
            if someone.id == by.person:
                raise NotPermitted("nobody appoints themselves", rule="appoint.self", fix="ask another operator")
            made = self.lead_in(found, someone)
            self._projects.put_member(made, self._clock.now())
            self._audit.record("project.member_added", found.id, by, person=someone.id, role="lead")
        return made

    def lead_in(self, project: Project, person: Person) -> Membership:
        """The membership that would make somebody lead where there is none. Raises NotPermitted for who has nothing to do with the project."""
        members = {one.person for one in self._projects.members(project.id)}
        if not person.active or person.kind is PersonKind.SERVICE:
            raise WrongState("they cannot lead", fix="name a person who is here")
        if person.id not in members and person.organisation != project.lead_organisation:
            raise NotPermitted(
                "a lead is a member of the project, or of its lead organisation", rule="project.lead", fix="name one of those"
            )  # fmt: skip
        return Membership(project.id, person.id, "lead")

    def _someone(self, person: str, role: str, by: Caller, *, own: bool = False) -> Person:
        """Whom it is about, if the caller may give this role there. Raises NotPermitted first: who may not appoint learns of nobody."""
        within = role in OF_AN_ORGANISATION and by.may("organisation.appoint")
        if own and person == by.person:
            return self._people.get(by.person)
        if by.may("person.appoint") or not within:
            require(by, "person.appoint")
            return person_named(self._people, person)
        require(by, "organisation.appoint")
        someone = person_named(self._people, person)
        if someone.organisation != by.organisation:
            raise NotFound("there is no such person", fix="fabriek org show ORGANISATION")
        return someone
