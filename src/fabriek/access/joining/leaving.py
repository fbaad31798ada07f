"""Going out: one verb after which somebody has nothing open anywhere, and one by which they come back, with nothing."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from fabriek.access.finding import person_named
from fabriek.access.joining.appointing import ALONE, Appointing
from fabriek.access.joining.leavings import WHY_MAX, Leaving
from fabriek.access.joining.ports import Leavings, Rooms, Standings
from fabriek.access.login.identity import Identity
from fabriek.access.people import Person
from fabriek.access.ports import Organisations, People, Projects
from fabriek.access.roles import administers, rights_of
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids


class Leavers:
    """Their jobs go on: they are the project's. `rooms`: the vault, which lies above and is handed in."""

    def __init__(
        self, kept: Leavings, standings: Standings, bodies: Organisations, people: People, projects: Projects, appointing: Appointing,
        identity: Identity, audit: Audit, clock: Clock, ids: Ids, *, rooms: Rooms,
    ) -> None:  # fmt: skip
        self._kept, self._standings = kept, standings
        self._bodies, self._people, self._projects, self._appointing = bodies, people, projects, appointing
        self._identity, self._audit, self._clock, self._ids, self._rooms = identity, audit, clock, ids, rooms

    def leave(self, person_id: str, *, why: str, successor: str = "", by: Caller) -> Leaving:
        """Ends all that a person has: sign-ins, tokens, doors, roles, memberships, services they signed for, data that they had open.

        By themselves, administrators of their organisation or the installation, the security officer, and the worker for who lost their
        affiliation. `successor`: leads what would be left without a lead; where they cannot, or there is none, operators see the project. Done
        twice it changes nothing more. Raises NotFound, WrongState for the last administrator.
        """
        if len(why) > WHY_MAX or not why.isprintable():
            raise InvalidInput(f"the reason is one line of at most {WHY_MAX} characters", fix="--why 'contract ended'")
        person = self._about(person_id, by)
        takes_over = self._successor(successor, person, by)
        with self._bodies.transaction(alone=ALONE):
            person = self._people.get(person.id)
            if not person.active:
                before = self._kept.of_person(person.id)
                if before:
                    return self._close(before[0], by) if before[0].closed_at is None else before[0]
            self._check_may_remove(person, by)
            self._appointing.check_not_last(person)
            left = self._end(person, why, takes_over, by)
        return self._close(left, by)

    def let_go(self, person_id: str, why: str) -> None:
        """For the worker: whoever lost what let them in leaves. The last administrator stays one, with nothing open."""
        try:
            self.leave(person_id, why=why, by=SYSTEM)
        except WrongState:
            with self._bodies.transaction():
                self._identity.close_person(person_id, by=SYSTEM)
                self._audit.record("person.kept_as_last", person_id, SYSTEM)

    def come_back(self, person_id: str, *, by: Caller) -> Person:
        """They may sign in again, and hold nothing until it is given. Raises NotFound, WrongState for who never left."""
        person = self._about(person_id, by, itself=False)
        with self._bodies.transaction(alone=ALONE):
            person = self._people.get(person.id)
            if person.active:
                raise WrongState("they are here", fix="fabriek org show ORGANISATION")
            back = replace(person, active=True, roles=frozenset())
            self._standings.save(back)
            # What was given to them in the very moment in which they left opens nothing now.
            self._identity.close_person(person.id, by=by)
            self._audit.record("person.returned", person.id, by)
        return back

    def of_person(self, person_id: str, *, by: Caller) -> Sequence[Leaving]:
        """When they left, newest first."""
        return self._kept.of_person(self._about(person_id, by, itself=False).id)

    def close_what_waits(self) -> int:
        """Goes on with what could not be closed at once, as when the keys were away; for the worker. How many are closed now."""
        closed = 0
        for one in self._kept.unclosed():
            closed += self._close(one, SYSTEM).closed_at is not None
        return closed

    def _about(self, said: str, by: Caller, *, itself: bool = True) -> Person:
        if itself and said == by.person and not by.job and not by.narrowed:
            return self._people.get(said)
        if by is not SYSTEM and not by.may("person.remove"):
            # An organisation's administrator, for its own people: others are not there for them.
            if not by.may("organisation.appoint"):
                require(by, "person.remove")
            require(by, "organisation.appoint")
            found = person_named(self._people, said)
            if not administers(by, found.organisation):
                raise NotFound("there is no such person", fix="fabriek org show ORGANISATION")
            return found
        require(by, "person.remove")
        return person_named(self._people, said)

    def _check_may_remove(self, person: Person, by: Caller) -> None:
        """An organisation's administrator lets nobody go who may more than they: an auditor or the security officer would be theirs to silence."""
        if by is SYSTEM or by.person == person.id or by.may("person.remove"):
            return
        if not rights_of(person.roles) <= by.rights:
            raise NotPermitted(
                "they hold rights that you do not", rule="person.remove", fix="ask an administrator of the installation"
            )

    def _successor(self, said: str, leaver: Person, by: Caller) -> Person | None:
        """Only who oversees projects names anybody; others somebody who is in one with the leaver already, so that who asks learns of no address."""
        if not said or not leaver.active:  # who left before leaves nothing to take over
            return None
        theirs = [one.project for one in self._projects.of_person(leaver.id)]
        anybody = by is SYSTEM or by.may("project.oversee")
        found = self._known(said)
        beside = found is not None and any(
            one.person == found.id for project in theirs for one in self._projects.members(project)
        )
        if found is None or not found.active or not (anybody or beside):
            raise NotFound(
                "there is no such person to take over", fix="name a member of their projects: fabriek project members"
            )
        if found.id == leaver.id:
            raise InvalidInput("who leaves does not take over", fix="name somebody else")
        if found.id == by.person:
            raise NotPermitted(
                "nobody appoints themselves", rule="appoint.self", fix="name somebody else, or ask another operator"
            )
        return found

    def _known(self, said: str) -> Person | None:
        try:
            return person_named(self._people, said)
        except NotFound:
            return None

    def _end(self, person: Person, why: str, successor: Person | None, by: Caller) -> Leaving:
        """All that the database alone can end; in the caller's transaction."""
        held = {one.project: one.role for one in self._projects.of_person(person.id)}
        left_alone = []
        for project in sorted(held):
            with self._bodies.transaction(alone=f"project:{project}"):
                members = {one.person for one in self._projects.members(project)}
                self._projects.take_member(project, person.id, self._clock.now())
                self._audit.record("project.member_removed", project, by, person=person.id)
                if project in self._standings.projects_without_lead() and not self._handed_over(
                    project, successor, members, by
                ):
                    left_alone.append(project)
                    self._audit.record("project.without_lead", project, by)
        services = [one for one in self._standings.signed_for_by(person.id) if one.active]
        for one in services:  # each opens nothing from now on, until another lead signs for it
            self._audit.record("service.stopped", one.id, by, signed_for_by=person.id)
        self._standings.save(replace(person, active=False, roles=frozenset()))
        self._identity.close_person(person.id, by=by)
        left = Leaving(
            self._ids.new("lve"), person.id, why, by.person, self._clock.now(), held, tuple(left_alone), tuple(one.id for one in services)
        )  # fmt: skip
        self._kept.add(left)
        self._audit.record("person.left", person.id, by, projects=str(len(held)), services=str(len(services)))
        return left

    def _handed_over(self, project: str, successor: Person | None, members: Collection[str], by: Caller) -> bool:
        """To whom may read there already, or whom somebody names who oversees projects."""
        if successor is None or not (successor.id in members or by is SYSTEM or by.may("project.oversee")):
            return False
        try:
            made = self._appointing.lead_in(self._projects.named(project), successor)
        except (NotPermitted, WrongState):
            return False
        self._projects.put_member(made, self._clock.now())
        self._audit.record("project.member_added", project, by, person=successor.id, role="lead")
        return True

    def _close(self, left: Leaving, by: Caller) -> Leaving:
        """What needs keys. They are out already: where it cannot be done now, the worker does it."""
        try:
            for one in (left.person, *left.services):
                self._rooms.close_person(one, sorted(left.held) if one == left.person else self._of_service(one), by=by)
        except FabriekError:
            return left
        done = replace(left, closed_at=self._clock.now())
        with self._bodies.transaction():
            self._kept.save(done)
        return done

    def _of_service(self, service: str) -> Sequence[str]:
        return sorted(one.project for one in self._projects.of_person(service))
