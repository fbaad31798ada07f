"""What one may do with training: give a lesson, take a place or give it back, say who was there; and who has a certificate in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require, require_whole
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.knowledge.training import courses
from fabriek.knowledge.training.courses import Certificate, Course, Lesson, Seat, SeatState, is_in_force
from fabriek.knowledge.training.ports import Certificates, Lessons


@dataclass(frozen=True, slots=True)
class Planned:
    """A lesson as one caller sees it. `mine`: their own seat; `place`: their place on the waiting list, from 1; `seats`: all of them, for
    its teacher.
    """

    lesson: Lesson
    course: Course
    free: int
    waiting: int
    mine: Seat | None
    place: int
    seats: Sequence[Seat]


class Training:
    """A certificate opens no data by itself: a label may ask for one beside everything else that it asks for."""

    def __init__(self, lessons: Lessons, certificates: Certificates, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._lessons, self._certificates = lessons, certificates
        self._audit, self._clock, self._ids = audit, clock, ids

    def courses(self) -> Mapping[str, Course]:
        """What is taught today, by name."""
        return courses.courses_on(self._clock.today())

    def give(self, course: str, on: date, place: str, language: str, seats: int, *, by: Caller) -> Lesson:
        """A lesson on that day, with the caller as its teacher. Raises InvalidInput."""
        require(by, "training.teach")
        today = self._clock.today()
        named = courses.course_named(course, today)
        made = Lesson(
            self._ids.new("lsn"), named.name, on, " ".join(place.split()), language.strip().lower(), seats, by.person
        )
        courses.check_lesson(made, today)
        with self._lessons.transaction():
            self._lessons.put(made)
            self._audit.record("lesson.planned", made.id, by, course=made.course)
        return made

    def calendar(self, *, course: str = "", by: Caller) -> Sequence[Planned]:
        """Lessons from today on, the next one first. Raises InvalidInput on a word for no course."""
        require(by, "knowledge.view")
        today = self._clock.today()
        if course:
            courses.course_named(course, today)
        return [self._planned(one, by) for one in self._lessons.since(today, course=course)]

    def show(self, lesson_id: str, *, by: Caller) -> Planned:
        """Raises NotFound."""
        require(by, "knowledge.view")
        return self._planned(self._lessons.get(lesson_id), by)

    def sign_up(self, lesson_id: str, *, by: Caller) -> Seat:
        """A place, or one on the waiting list where it is full. Raises AlreadyExists, NotPermitted without the certificates that the course
        needs, WrongState when it is over or was cancelled.
        """
        require(by, "knowledge.ask")
        with self._lessons.transaction(alone=f"lesson:{lesson_id}"):
            lesson = self._to_come(lesson_id)
            if lesson.teacher == by.person:
                raise NotPermitted(
                    "its teacher takes no place in it",
                    rule="training.teacher",
                    fix="take another lesson: fabriek training ls",
                )
            self._check_needs(lesson, by)
            listed = self._lessons.seats(lesson.id)
            known = next((one for one in listed if one.person == by.person), None)
            if known and known.state is not SeatState.CANCELLED:
                raise AlreadyExists("you have a place in it, or wait for one", fix=f"fabriek training show {lesson.id}")
            state = SeatState.BOOKED if courses.taken(listed) < lesson.seats else SeatState.WAITING
            seat = Seat(lesson.id, by.person, self._clock.now(), state)
            self._lessons.put_seat(seat)
            self._audit.record(f"seat.{state}", lesson.id, by)
        return seat

    def leave(self, lesson_id: str, *, by: Caller) -> Seat:
        """Gives one's place back, or waits no longer; the first who waits moves up. Raises NotFound, WrongState."""
        require(by, "knowledge.ask")
        with self._lessons.transaction(alone=f"lesson:{lesson_id}"):
            lesson = self._lessons.get(lesson_id)
            seat = next((one for one in self._lessons.seats(lesson.id) if one.person == by.person), None)
            if seat is None:
                raise NotFound("you have no place in it", fix="fabriek training ls")
            left = courses.move(seat, SeatState.CANCELLED)
            self._lessons.put_seat(left)
            self._audit.record("seat.cancelled", lesson.id, by)
            self._move_up(lesson, by)
        return left

    def record(self, lesson_id: str, person: str, *, attended: bool, by: Caller) -> Certificate | None:
        """Its teacher says who was there, on the day or after; who was gets a certificate. Raises NotFound, NotPermitted, WrongState: what was
        said stands.
        """
        require(by, "training.teach")
        # A token for a part of what its person may do would otherwise open more than it was made for.
        require_whole(by)
        with self._lessons.transaction(alone=f"lesson:{lesson_id}"):
            lesson = self._teaching(lesson_id, by)
            today = self._clock.today()
            if today < lesson.on:
                raise WrongState(f"it is on {lesson.on}", fix="say who was there on that day, or after")
            seat = next((one for one in self._lessons.seats(lesson.id) if one.person == person), None)
            if seat is None:
                raise NotFound("nobody of that id has a place in it", fix=f"fabriek training show {lesson.id}")
            said = courses.move(seat, SeatState.ATTENDED if attended else SeatState.ABSENT)
            self._lessons.put_seat(said)
            self._audit.record(f"seat.{said.state}", lesson.id, by, person=person)
            if not attended:
                return None
            course = courses.course_named(lesson.course, lesson.on)
            made = Certificate(
                self._ids.new("crt"), course.name, person, lesson.id, by.person, lesson.on, courses.certificate_until(course, lesson.on)
            )  # fmt: skip
            self._certificates.add(made)
            self._audit.record("certificate.given", made.id, by, person=person, course=course.name)
        return made

    def cancel(self, lesson_id: str, *, by: Caller) -> Lesson:
        """Its teacher calls it off; everybody's place in it goes. Raises NotFound, NotPermitted, WrongState."""
        require(by, "training.teach")
        with self._lessons.transaction(alone=f"lesson:{lesson_id}"):
            self._teaching(lesson_id, by)
            lesson = replace(self._to_come(lesson_id), cancelled=True)
            for seat in self._lessons.seats(lesson.id):
                if SeatState.CANCELLED in courses.TRANSITIONS[seat.state]:
                    self._lessons.put_seat(courses.move(seat, SeatState.CANCELLED))
            self._lessons.put(lesson)
            self._audit.record("lesson.cancelled", lesson.id, by)
        return lesson

    def certificates(self, *, by: Caller) -> Sequence[Certificate]:
        """One's own, newest first."""
        require(by, "knowledge.view")
        return self._certificates.of_person(by.person)

    def has(self, person: str, course: str) -> bool:
        """Whether a certificate of theirs is in force today: what sealed zones ask."""
        today = self._clock.today()
        return any(is_in_force(one, today) for one in self._certificates.of_person(person, course=course))

    def next_on(self, course: str) -> date | None:
        """The day of its next lesson; None where none is planned."""
        return next((one.on for one in self._lessons.since(self._clock.today(), course=course)), None)

    def _planned(self, lesson: Lesson, by: Caller) -> Planned:
        listed = self._lessons.seats(lesson.id)
        queue = courses.waiting(listed)
        mine = next((one for one in listed if one.person == by.person), None)
        place = next((number for number, one in enumerate(queue, 1) if one.person == by.person), 0)
        course = courses.course_named(lesson.course, max(lesson.on, self._clock.today()))
        teaches = lesson.teacher == by.person
        return Planned(
            lesson,
            course,
            max(0, lesson.seats - courses.taken(listed)),
            len(queue),
            mine,
            place,
            listed if teaches else [],
        )

    def _to_come(self, lesson_id: str) -> Lesson:
        lesson = self._lessons.get(lesson_id)
        if lesson.cancelled or lesson.on < self._clock.today():
            raise WrongState(
                "this lesson was called off" if lesson.cancelled else f"this lesson was on {lesson.on}",
                fix="take another: fabriek training ls",
            )
        return lesson

    def _teaching(self, lesson_id: str, by: Caller) -> Lesson:
        lesson = self._lessons.get(lesson_id)
        if lesson.teacher != by.person:
            raise NotPermitted("its teacher does this", rule="training.teacher", fix="ask its teacher")
        return lesson

    def _check_needs(self, lesson: Lesson, by: Caller) -> None:
        for need in courses.course_named(lesson.course, lesson.on).needs:
            if not self.has(by.person, need):
                raise NotPermitted(
                    f"{lesson.course} asks for a certificate of {need} first", rule="training.needs", fix=f"fabriek training ls --course {need}"
                )  # fmt: skip

    def _move_up(self, lesson: Lesson, by: Caller) -> None:
        if lesson.cancelled or lesson.on < self._clock.today():
            return
        listed = self._lessons.seats(lesson.id)
        for seat in courses.waiting(listed)[: max(0, lesson.seats - courses.taken(listed))]:
            self._lessons.put_seat(courses.move(seat, SeatState.BOOKED))
            self._audit.record("seat.moved_up", lesson.id, by, person=seat.person)
