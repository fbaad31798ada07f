"""Places of a class: one student's seat, with a project and an allocation split off the teacher's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from fabriek.access.joining.classes import Class, Place, PlaceState, Student
from fabriek.access.people import Person, PersonKind
from fabriek.access.projects import Project
from fabriek.access.roles import administers
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.ledger import Kind, account
from fabriek.funding.ports import Classes, Ledger, SplitAllocations
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.kernel.ids import Ids


class Links(Protocol):
    """Who gives a new person their first link."""

    def issue_link(self, person: str, *, by: Caller) -> str: ...


class Rooms(Protocol):
    """Who takes somebody out of a project, with all that they have open there."""

    def remove_member(self, project_ref: str, person: str, *, by: Caller) -> None: ...


@dataclass(frozen=True, slots=True)
class Seated:
    """A student with a place. `code`: of the link that signs them in once; empty for who was here before, and signs in as ever."""

    place: Place
    person: Person
    project: Project
    code: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one student's allocation, in millionths: what it was given, what was used, what is left; the rest jobs hold."""

    granted: int
    used: int
    left: int


class Places:
    """Seats students, and takes them out again with what they did not use."""

    def __init__(
        self, classes: Classes, books: Ledger, allocations: SplitAllocations, *, access: Access, links: Links, rooms: Rooms, audit: Audit,
        clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._classes, self._books, self._allocations = classes, books, allocations
        self._access, self._links, self._rooms = access, links, rooms
        self._audit, self._clock, self._ids = audit, clock, ids

    def seat(self, course: Class, parent: Project, rows: Sequence[Student], first: int, by: Caller) -> Sequence[Seated]:
        """All of these or none, numbered from `first`. Raises InvalidInput naming lines. Joins the class's transaction."""
        here = {one.person for one in self._classes.places(course.id) if one.state is PlaceState.ACTIVE}
        seated, errors = [], []
        for number, row in enumerate(rows, first):
            try:
                person, is_new = self._person(row, here | {by.person}, by)
            except (InvalidInput, NotFound, NotPermitted) as error:
                errors.append({"field": f"line {row.line}", "message": error.detail})
                continue
            seated.append(self._seat_one(course, parent, person, number, is_new=is_new, by=by))
        if errors:
            raise InvalidInput(
                f"{errors[0]['field']}: {errors[0]['message']}", fix="mend those lines; nobody was added", errors=errors
            )
        return seated

    def _person(self, row: Student, here: Collection[str], by: Caller) -> tuple[Person, bool]:
        """Who is here with that address, or a new person; and whether they are new. Only who lets people into an organisation makes one in it:
        a lead who could would have a second self there, with an address of anybody's.
        """
        inviting = replace(by, rights=by.rights | {"person.invite"})
        body = self._access.organisation(row.organisation or by.organisation)
        try:
            person = self._access.person_named(row.email, by=inviting)
        except NotFound:
            if not administers(by, body.id):
                raise NotPermitted(
                    "nobody here has this address, and only an administrator of its organisation lets somebody in",
                    rule="person.invite", fix=f"ask one to invite them, or to make you one: fabriek org show {body.slug}",
                ) from None  # fmt: skip
            return self._access.invite(body.id, row.name, row.email, (), by=inviting), True
        if person.id in here or not person.active or person.kind is not PersonKind.PERSON:
            why = "is in this class already" if person.id in here else "this person has left, or is a service"
            raise InvalidInput(why, fix="leave the line out")
        return person, False

    def _seat_one(
        self, course: Class, parent: Project, person: Person, number: int, *, is_new: bool, by: Caller
    ) -> Seated:
        project = self._access.open_project(
            f"{course.title}, place {number}",
            f"{course.slug}-{number:03}",
            parent.purpose,
            parent.label_ceiling,
            by.person,
            (),
            by=by,
        )
        self._access.add_member(project.id, person.id, "member", by=_leading(by, project.id))
        paying = self._allocations.get(course.allocation)
        made = replace(
            paying, id=self._ids.new("alc"), project=project.id, application=f"{course.id}/{number}", starts_on=self._clock.today(),
            ends_on=course.ends_on,
        )  # fmt: skip
        amounts = {Resource.GPU_HOUR: course.gpu_micro_each, Resource.CPU_HOUR: course.cpu_micro_each}
        amounts = {resource: amount for resource, amount in amounts.items() if amount}
        left, now = self.left(paying.id), self._clock.now()
        self._books.post(ledger.split(self._ids.new("led"), paying.share, paying.id, made.id, amounts, now, left=left))
        self._allocations.add(made)
        place = Place(course.id, number, person.id, project.id, made.id)
        self._classes.put_place(place)
        self._audit.record("class.student_added", course.id, by, person=person.id, project=project.id)
        # Only for who is new: a link opens all that its person may do, and a teacher may not come in as somebody else.
        inviting = replace(by, rights=by.rights | {"person.invite"})
        code = self._links.issue_link(person.id, by=inviting) if is_new else ""
        return Seated(place, person, project, code)

    def take_out(self, place: Place, by: Caller) -> None:
        """With all that they have open there; who left by themselves is out already."""
        if any(one.person == place.person for one, _ in self._access.members(place.project, by=by)):
            self._rooms.remove_member(place.project, place.person, by=by)

    def give_back(self, course: Class, place: Place) -> None:
        """Whatever stands on the student's allocation goes to the teacher's; what jobs hold stays until they end."""
        # Alone among the student's own jobs, too: one that is submitted this moment takes its hold before or after.
        with self._books.transaction(alone=f"credits:{place.project}"):
            left = {resource: amount for resource, amount in self.left(place.allocation).items() if amount}
            if left:
                posting = self._ids.new("led")
                now, why = self._clock.now(), f"back:{posting}"
                self._books.post(ledger.give_back(posting, why, place.allocation, course.allocation, left, now))

    def spent(self, place: Place) -> Mapping[Resource, Spent]:
        """What a place used and has left. Given is what it was split off with, also after the rest went back."""
        course, left = self._classes.named(place.course), self.left(place.allocation)
        given = {Resource.GPU_HOUR: course.gpu_micro_each, Resource.CPU_HOUR: course.cpu_micro_each}
        usage = account(Kind.USAGE, place.allocation)
        return {one: Spent(given[one], self._books.balance(usage, one), left[one]) for one in given}

    def left(self, allocation: str) -> Mapping[Resource, int]:
        """What stands on an allocation, in millionths."""
        name = account(Kind.ALLOCATION, allocation)
        return {one: self._books.balance(name, one) for one in (Resource.GPU_HOUR, Resource.CPU_HOUR)}


def _leading(by: Caller, project: str) -> Caller:
    """The teacher as the lead of the project that was opened this moment: their rights were read before it was there."""
    return replace(by, project_rights=by.project_rights | {project: frozenset({"project.manage"})})
