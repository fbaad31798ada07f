"""What one may do with classes: make one out of a project's hours, add and drop students, extend and end it.

Each student gets a project and an allocation split off the teacher's, so that students see nothing of each other and the ledger itself
keeps each to their budget. What is left goes back by the same way.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from fabriek.access.joining.classes import (
    STUDENTS_MAX,
    Class,
    ClassState,
    Place,
    PlaceState,
    closes_on,
    move,
    read_students,
)
from fabriek.access.organisations import slug_of
from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding.allocations import Allocation, is_in_force
from fabriek.funding.classes.places import Places, Seated
from fabriek.funding.ports import Classes, Ledger, SplitAllocations
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM, Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import (
    CreditsExhausted,
    FabriekError,
    InvalidInput,
    NotFound,
    WrongState,
    nothing_here,
)
from fabriek.kernel.ids import Ids
from fabriek.kernel.units import MICRO, shown

log = logging.getLogger("fabriek.teaching")


class Teaching:
    """Classes, on the ledger."""

    def __init__(
        self, classes: Classes, places: Places, books: Ledger, allocations: SplitAllocations, *, access: Access, audit: Audit, clock: Clock, ids: Ids
    ) -> None:  # fmt: skip
        self._classes, self.places, self._books, self._allocations = classes, places, books, allocations
        self._access, self._audit, self._clock, self._ids = access, audit, clock, ids

    def create(
        self, title: str, project_name: str, students: str, gpu_hours_each: int, ends_on: date, cpu_hours_each: int | None = None,
        *, by: Caller,
    ) -> tuple[Class, Sequence[Seated]]:  # fmt: skip
        """A class of the students in a CSV, all of them or none. Without `cpu_hours_each`, CPU-hours go with the GPU-hours in proportion.

        Raises InvalidInput naming lines, CreditsExhausted with what is left when the budgets do not fit.
        """
        require_whole(by)
        project, rows = self._led(project_name, by), read_students(students)
        slug, today = slug_of(title)[:40].strip("-"), self._clock.today()
        if not slug or gpu_hours_each < 1 or (cpu_hours_each or 0) < 0:
            raise InvalidInput(
                "a class has a name, and each student a whole GPU-hour or more", fix="--gpu-hours-each 10"
            )
        if ends_on < today:
            raise InvalidInput(f"{ends_on} has passed", fix="give a last day from today on: --ends YYYY-MM-DD")
        with self._books.transaction(alone=f"credits:{project.id}"):
            paying = self._paying(project, gpu_hours_each * MICRO * len(rows), ends_on)
            gpu = gpu_hours_each * MICRO
            cpu = self._cpu_each(paying, gpu) if cpu_hours_each is None else cpu_hours_each * MICRO
            course = Class(
                self._ids.new("cls"), slug, title, project.id, by.person, paying.id, today, ends_on, gpu, cpu
            )
            self._classes.add(course)
            self._audit.record("class.created", course.id, by, project=project.id, students=str(len(rows)))
            seated = self.places.seat(course, project, rows, 1, by)
        return course, seated

    def add(self, name: str, students: str, *, by: Caller) -> Sequence[Seated]:
        """More students, all or none, each with the budget of the others."""
        require_whole(by)
        course, project = self._taught(name, by)
        rows = read_students(students)
        with self._books.transaction(alone=f"credits:{project.id}"):
            course = self._open(course.id)
            before = self._classes.places(course.id)
            if len(before) + len(rows) > STUDENTS_MAX:
                raise InvalidInput(f"a class has {STUDENTS_MAX} students at most", fix="make a second class")
            return self.places.seat(course, project, rows, len(before) + 1, by)

    def drop(self, name: str, person: str, *, by: Caller) -> Place:
        """Takes a student out, by id or address: what they have open ends, what they did not use goes back. Raises NotFound."""
        course, project = self._taught(name, by)
        with self._books.transaction(alone=f"credits:{project.id}"):
            for place in self._classes.places(course.id):
                if place.state is PlaceState.ACTIVE and person in {
                    place.person,
                    self._access.person(place.person).email,
                }:
                    dropped = replace(place, state=PlaceState.DROPPED)
                    self.places.take_out(place, by)
                    self.places.give_back(course, place)
                    self._classes.put_place(dropped)
                    self._audit.record("class.student_dropped", course.id, by, person=place.person)
                    return dropped
        raise NotFound("there is no such student in this class", fix=f"fabriek class show {course.slug}")

    def extend(self, name: str, ends_on: date, *, by: Caller) -> Class:
        """A later last day, as far as the allocation that pays reaches."""
        course, project = self._taught(name, by)
        with self._books.transaction(alone=f"credits:{project.id}"):
            course = self._open(course.id)
            last = self._allocations.get(course.allocation).ends_on
            if not course.ends_on < ends_on <= last:
                raise InvalidInput(
                    f"a class that ends on {course.ends_on} can be extended to {last}, when its allocation ends",
                    fix=f"--ends {last}",
                )
            longer = replace(course, ends_on=ends_on)
            for place in self._classes.places(course.id):
                self._allocations.move_end(place.allocation, ends_on)
            self._classes.save(longer)
            self._audit.record("class.extended", course.id, by, ends_on=str(ends_on))
        return longer

    def end(self, name: str, *, by: Caller) -> Class:
        """Ends it now: budgets go back, nothing new starts; what students made stays theirs to take out for some weeks."""
        course, _ = self._taught(name, by)
        return self._end(course.id, by)

    def unfinished(self) -> Sequence[Class]:
        """For the worker: those that `end_term` may have something to do for."""
        today = self._clock.today()
        return [
            one
            for one in self._classes.not_closed()
            if one.state is ClassState.ENDED or one.ends_on < today or self._places(one.id, PlaceState.DROPPED)
        ]

    def end_term(self, course_id: str) -> Sequence[Place]:
        """Ends a term that is over, gives back what jobs returned since, and closes what was kept long enough. For the worker.

        What the jobs of a dropped student return goes back while the class goes on, too. Answers the places whose waiting jobs are to be
        stopped. Idempotent.
        """
        course, today = self._classes.named(course_id), self._clock.today()
        if course.state is ClassState.OPEN and course.ends_on < today:
            course = self._end(course.id, SYSTEM)
        is_over = course.state is ClassState.ENDED
        active = self._places(course.id, PlaceState.ACTIVE) if is_over else []
        ended = [*active, *self._places(course.id, PlaceState.DROPPED)]
        with_rest = [place for place in ended if any(self.places.left(place.allocation).values())]
        if with_rest:
            with self._books.transaction(alone=f"credits:{course.project}"):
                for place in with_rest:
                    self.places.give_back(course, place)
        if is_over and closes_on(course) <= today:
            self._close(course, active)
        return ended

    def get(self, name: str, *, by: Caller) -> Class:
        return self._taught(name, by)[0]

    def list(self, *, by: Caller) -> Sequence[Class]:
        """Those of the projects that the caller leads, newest first."""
        return self._classes.of_projects([one for one in by.project_rights if by.may("project.manage", project=one)])

    def attended(self, *, by: Caller) -> Sequence[tuple[Class, Place]]:
        """The classes in which the caller is a student, with their place."""
        return [(self._classes.named(one.course), one) for one in self._classes.places_of(by.person)]

    def student_projects(self, courses: Sequence[Class]) -> frozenset[str]:
        """The projects of those classes' students, dropped ones among them."""
        return frozenset(place.project for one in courses for place in self._classes.places(one.id))

    def seats(self, name: str, *, by: Caller) -> Sequence[Seated]:
        """Every student with their project, those who left too."""
        course, _ = self._taught(name, by)
        found = self._classes.places(course.id)
        people = self._access.people_among({one.person for one in found})
        projects = self._access.projects_among({one.project for one in found})
        return [Seated(one, people[one.person], projects[one.project]) for one in found]

    def _places(self, course: str, state: PlaceState) -> Sequence[Place]:
        return [one for one in self._classes.places(course) if one.state is state]

    def _led(self, name: str, by: Caller) -> Project:
        project = self._access.project(name)
        if not by.is_member_of(project.id):
            raise nothing_here()
        require(by, "project.manage", project=project.id)
        return project

    def _taught(self, name: str, by: Caller) -> tuple[Class, Project]:
        course = self._classes.named(name)
        return course, self._led(course.project, by)

    def _open(self, course_id: str) -> Class:
        course = self._classes.named(course_id)
        if course.state is not ClassState.OPEN:
            raise WrongState(f"the class {course.slug} is {course.state}", fix=f"fabriek class show {course.slug}")
        return course

    def _cpu_each(self, paying: Allocation, gpu: int) -> int:
        left = self.places.left(paying.id)
        return left[Resource.CPU_HOUR] * gpu // left[Resource.GPU_HOUR]

    def _paying(self, project: Project, gpu_micro: int, ends_on: date) -> Allocation:
        """The allocation with most left of those that last as long as the class."""
        today = self._clock.today()
        current = [one for one in self._allocations.of_project(project.id) if is_in_force(one, today)]
        lasting = [one for one in current if one.ends_on >= ends_on]
        if current and not lasting:
            last = max(one.ends_on for one in current)
            raise InvalidInput(f"the project's allocation ends on {last}, before the class", fix=f"--ends {last}")
        chosen = max(lasting, key=lambda one: self.places.left(one.id)[Resource.GPU_HOUR], default=None)
        left = self.places.left(chosen.id)[Resource.GPU_HOUR] if chosen else 0
        if chosen is None or left < gpu_micro:
            raise CreditsExhausted(
                f"this class takes {Resource.GPU_HOUR.counted(gpu_micro)}, and {shown(left)} are left",
                fix="fewer hours each, or apply for more: fabriek apply new",
                left=left / MICRO, asked=gpu_micro / MICRO, unit=Resource.GPU_HOUR.value, share=chosen.share if chosen else "",
            )  # fmt: skip
        return chosen

    def _end(self, course_id: str, by: Caller) -> Class:
        project = self._classes.named(course_id).project
        with self._books.transaction(alone=f"credits:{project}"):
            ended = move(self._classes.named(course_id), ClassState.ENDED)
            today = self._clock.today()
            ended = replace(ended, ends_on=min(ended.ends_on, today))
            for place in self._classes.places(ended.id):
                if place.state is PlaceState.ACTIVE:
                    self.places.give_back(ended, place)
            self._classes.save(ended)
            self._audit.record("class.ended", ended.id, by)
        return ended

    def _close(self, course: Class, active: Sequence[Place]) -> None:
        """Each student by themselves, since taking somebody out is slow; one that fails is tried again in the next round, after all others."""
        failed = 0
        for place in active:
            try:
                self.places.take_out(place, SYSTEM)
            except FabriekError as error:
                log.warning("place %s of class %s cannot be closed: %s", place.number, course.id, error.detail)
                failed += 1
                continue
            with self._books.transaction():
                self._classes.put_place(replace(place, state=PlaceState.CLOSED))
                self._audit.record("class.place_closed", course.id, SYSTEM, person=place.person)
        if failed:
            return
        with self._books.transaction(alone=f"credits:{course.project}"):
            self._classes.save(move(self._classes.named(course.id), ClassState.CLOSED))
            self._audit.record("class.closed", course.id, SYSTEM)
