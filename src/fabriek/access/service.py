"""What one may do with organisations, people and projects."""

from collections.abc import Collection, Mapping, Sequence

from fabriek.access import organisations
from fabriek.access.addresses import address_of
from fabriek.access.apart import check_apart
from fabriek.access.finding import person_named
from fabriek.access.organisations import Organisation, OrganisationKind
from fabriek.access.people import Person, PersonKind
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.projects import Membership, Project
from fabriek.access.roles import PROJECT, check_global, rights_of
from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose


class Access:
    """Organisations and their people, projects and their members."""

    def __init__(
        self, bodies: Organisations, people: People, projects: Projects, audit: Audit, clock: Clock, ids: Ids
    ) -> None:
        self._bodies, self._people, self._projects = bodies, people, projects
        self._audit, self._clock, self._ids = audit, clock, ids

    def create_organisation(
        self, name: str, kind: str, country: str, kvk: str = "", slug: str = "", *, by: Caller
    ) -> Organisation:
        """Raises AlreadyExists, InvalidInput on a country, kind or number that cannot be one."""
        require(by, "organisation.create")
        made = self.new_organisation(name, kind, country, kvk, slug)
        with self._bodies.transaction(alone=organisations.NUMBERS):
            if made.kvk and any(one.kvk == made.kvk for one in self._bodies.all()):
                raise AlreadyExists("another organisation has this number", fix="look it over: fabriek org ls")
            self._bodies.add(made)
            self._audit.record("organisation.created", made.id, by)
        return made

    def new_organisation(self, name: str, kind: str, country: str, kvk: str = "", slug: str = "") -> Organisation:
        """A checked organisation that nobody has kept yet."""
        try:
            made = Organisation(
                self._ids.new("org"),
                slug or organisations.slug_of(name),
                name,
                OrganisationKind(kind),
                country.upper(),
                kvk,
            )
        except ValueError:
            raise InvalidInput(
                f"{kind!r} is not a kind of organisation", fix=f"one of {', '.join(OrganisationKind)}"
            ) from None
        if not made.slug:
            raise InvalidInput("the name has no letters to make an address of", fix="give a --slug")
        organisations.check(made)
        return made

    def organisation(self, name: str) -> Organisation:
        """By id or slug. Raises NotFound."""
        return self._bodies.named(name)

    def organisations(self, *, by: Caller) -> Sequence[Organisation]:
        """All of them: who takes part is no secret among those who signed in."""
        require(by, "knowledge.view")
        return self._bodies.all()

    def invite(self, organisation: str, name: str, email: str, roles: Sequence[str], *, by: Caller) -> Person:
        """A new person of an organisation, at once and by an administrator; see `joining.inviting` for asking them first.

        Raises AlreadyExists when the address is taken, InvalidInput on an unknown role. Roles need the right to appoint.
        """
        require(by, "person.invite")
        check_global(frozenset(roles))
        if roles:
            require(by, "person.appoint")
            check_apart((), roles, self._clock.today())
        body = self._bodies.named(organisation)
        person = Person(self._ids.new("per"), body.id, name, address_of(email), frozenset(roles))
        with self._bodies.transaction():
            self._people.add(person)
            self._audit.record(
                "person.invited", person.id, by, organisation=body.id, roles="+".join(sorted(roles)) or "none"
            )
        return person

    def person(self, person_id: str) -> Person:
        """Raises NotFound."""
        return self._people.get(person_id)

    def people_among(self, person_ids: Collection[str]) -> Mapping[str, Person]:
        """Id → person, each of them. Raises NotFound."""
        return self._people.among(person_ids)

    def is_alone(self) -> bool:
        """Whether one person is all there is."""
        return self._people.count() == 1

    def person_named(self, name: str, *, by: Caller) -> Person:
        """By id or address, for whoever may invite. Raises NotFound."""
        require(by, "person.invite")
        return person_named(self._people, name)

    def people_of(self, organisation: str, *, by: Caller) -> Sequence[Person]:
        """For its own people, and whoever may invite or look."""
        body = self._bodies.named(organisation)
        if by.organisation != body.id and not by.may("person.view"):
            require(by, "person.invite")
        return self._people.of_organisation(body.id)

    def holders(self, right: str) -> Sequence[Person]:
        """Everybody whose roles give this right everywhere, for telling them; those who left are left out."""
        people = (person for body in self._bodies.all() for person in self._people.of_organisation(body.id))
        return [one for one in people if one.active and right in rights_of(one.roles)]

    def project(self, name: str) -> Project:
        """By id or slug. Raises NotFound. Who may know of it is asked at the door, by the route's guard and by `require`."""
        return self._projects.named(name)

    def projects_among(self, project_ids: Collection[str]) -> Mapping[str, Project]:
        """Id → project, each of them. Raises NotFound."""
        return self._projects.among(project_ids)

    def projects_of(self, by: Caller) -> Sequence[Project]:
        """Those that the caller is a member of."""
        return [self._projects.named(project) for project in by.project_rights]

    def members(self, project: str, *, by: Caller) -> Sequence[tuple[Membership, Person]]:
        found = self._projects.named(project)
        require(by, "project.view", project=found.id)
        return [(one, self._people.get(one.person)) for one in self._projects.members(found.id)]

    def add_member(self, project: str, person: str, role: str, *, by: Caller) -> Membership:
        """Adds a person who is here already, or gives them another role there. A service comes by `fabriek service create` alone.

        Raises InvalidInput on an unknown role, NotFound on an unknown person, NotPermitted for a service, WrongState for who has left.
        """
        found = self._projects.named(project)
        require(by, "project.manage", project=found.id)
        if role not in PROJECT:
            raise InvalidInput(f"{role!r} is not a role in a project", fix=f"one of {', '.join(sorted(PROJECT))}")
        membership = Membership(found.id, person_named(self._people, person).id, role)
        if membership.person == by.person:
            raise NotPermitted("nobody changes their own role", rule="member.self", fix="ask another lead")
        with self._bodies.transaction(alone=f"project:{found.id}"):
            self._check_here(self._people.get(membership.person))
            if role != "lead":
                self._check_other_lead(found.id, membership.person)
            self._projects.put_member(membership, self._clock.now())
            self._audit.record("project.member_added", found.id, by, person=membership.person, role=role)
        return membership

    def remove_member(self, project: str, person: str, *, by: Caller) -> None:
        """Takes somebody out; anybody may leave by themselves. Raises NotFound for who is no member, WrongState for the last lead.

        For the vault's verb of the same name, which closes what they had open; joins its transaction.
        """
        found = self._projects.named(project)
        require_whole(by)
        if person != by.person:
            require(by, "project.manage", project=found.id)
        members = self._projects.members(found.id)
        theirs = next((one for one in members if one.person == person), None)
        if theirs is None:
            raise NotFound("there is no such member", fix="fabriek project members")
        with self._bodies.transaction(alone=f"project:{found.id}"):
            self._check_other_lead(found.id, person)
            self._projects.take_member(found.id, person, self._clock.now())
            self._audit.record("project.member_removed", found.id, by, person=person)

    def open_project(
        self,
        title: str,
        slug: str,
        purpose: Purpose,
        label_ceiling: str,
        lead: str,
        partners: Sequence[str],
        *,
        by: Caller,
    ) -> Project:
        """A project with its lead and, as members, the people of its partner organisations. For awards; joins their transaction."""
        lead_person = self._people.get(lead)
        project = Project(self._ids.new("prj"), slug, title, purpose, label_ceiling, lead_person.organisation)
        with self._bodies.transaction():
            self._projects.add(project)
            self._projects.put_member(Membership(project.id, lead, "lead"), self._clock.now())
            for partner in partners:
                for person in self._people.of_organisation(self._bodies.named(partner).id):
                    if person.id != lead and person.active and person.kind is PersonKind.PERSON:
                        self._projects.put_member(Membership(project.id, person.id, "member"), self._clock.now())
            self._audit.record("project.opened", project.id, by, lead=lead, purpose=str(purpose))
        return project

    def _check_other_lead(self, project: str, person: str) -> None:
        """Raises WrongState where this person alone leads, of those who are here. Whoever calls is alone with the project until it is written."""
        leads = self._people.among({one.person for one in self._projects.members(project) if one.role == "lead"})
        if [one.id for one in leads.values() if one.active and one.kind is PersonKind.PERSON] == [person]:
            raise WrongState(
                "a project keeps a lead", fix="make somebody else lead first: fabriek project add --role lead"
            )

    def _check_here(self, person: Person) -> None:
        """A service that could be put into a second project would act there under the first one's tokens."""
        if person.kind is PersonKind.SERVICE:
            raise NotPermitted(
                "a service is of the one project that made it", rule="member.service", fix="fabriek service create"
            )
        if not person.active:
            raise WrongState("they are no longer here", fix=f"fabriek org return {person.id}")
