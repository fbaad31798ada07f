"""Courses, lessons and certificates over HTTP."""

from fastapi import Query, Response

from fabriek.knowledge.training.courses import FOR_EVER, Certificate, is_in_force
from fabriek.knowledge.training.service import Planned
from fabriek.schemas.base import PageOut
from fabriek.schemas.training import AttendanceIn, AttendedOut, CertificateOut, CourseOut, LessonIn, LessonOut, SeatOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def lesson_out(one: Planned, services: Services) -> LessonOut:
    people = [
        SeatOut(
            person=seat.person, name=services.access.person(seat.person).name, state=seat.state, asked_at=seat.asked_at
        )
        for seat in one.seats
    ]
    lesson = one.lesson
    return LessonOut(
        id=lesson.id, course=lesson.course, on=lesson.on, place=lesson.place, language=lesson.language,
        teacher=services.access.person(lesson.teacher).name, needs=list(one.course.needs), seats=lesson.seats, free=one.free, waiting=one.waiting,
        cancelled=lesson.cancelled, mine=one.mine.state if one.mine else "", waiting_place=one.place, people=people,
    )  # fmt: skip


def certificate_out(one: Certificate, services: Services) -> CertificateOut:
    return CertificateOut(
        id=one.id, course=one.course, given_by=services.access.person(one.given_by).name, given_on=one.given_on,
        until=None if one.until == FOR_EVER else one.until, in_force=is_in_force(one, services.clock.today()),
    )  # fmt: skip


@router.get("/courses", access=SIGNED_IN)
def list_courses(factory: FactoryDep) -> PageOut[CourseOut]:
    """What is taught, how long a certificate counts, and what a course asks for first."""
    found = [
        CourseOut(
            name=one.name, title=dict(one.title), says=dict(one.says), valid_days=one.valid_days, needs=list(one.needs)
        )
        for one in factory.training.courses().values()
    ]
    return PageOut[CourseOut](items=found)


@router.get("/lessons", access=SIGNED_IN)
def list_lessons(caller: CallerDep, factory: FactoryDep, course: str = Query("", max_length=60)) -> PageOut[LessonOut]:
    """The calendar from today on."""
    return PageOut[LessonOut](
        items=[lesson_out(one, factory) for one in factory.training.calendar(course=course, by=caller)]
    )


@router.post("/lessons", access=Right("training.teach"), status_code=201)
def give(asked: LessonIn, caller: CallerDep, factory: FactoryDep) -> LessonOut:
    """Plan a lesson, with you as its teacher."""
    made = factory.training.give(asked.course, asked.on, asked.place, asked.language, asked.seats, by=caller)
    return lesson_out(factory.training.show(made.id, by=caller), factory)


@router.get("/lessons/{lesson}", access=SIGNED_IN)
def show_lesson(lesson: str, caller: CallerDep, factory: FactoryDep) -> LessonOut:
    """One lesson; for its teacher with everybody who has a place or waits."""
    return lesson_out(factory.training.show(lesson, by=caller), factory)


@router.delete("/lessons/{lesson}", access=Right("training.teach"), status_code=204)
def cancel(lesson: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """As its teacher: call it off."""
    factory.training.cancel(lesson, by=caller)
    return Response(status_code=204)


@router.post("/lessons/{lesson}/seats", access=Right("knowledge.ask"), status_code=201)
def sign_up(lesson: str, caller: CallerDep, factory: FactoryDep) -> LessonOut:
    """Take a place, or one on the waiting list where it is full."""
    factory.training.sign_up(lesson, by=caller)
    return lesson_out(factory.training.show(lesson, by=caller), factory)


@router.delete("/lessons/{lesson}/seats", access=Right("knowledge.ask"), status_code=204)
def leave(lesson: str, caller: CallerDep, factory: FactoryDep) -> Response:
    """Give your place back: the first who waits moves up."""
    factory.training.leave(lesson, by=caller)
    return Response(status_code=204)


@router.post("/lessons/{lesson}/attendance", access=Right("training.teach"))
def record(lesson: str, asked: AttendanceIn, caller: CallerDep, factory: FactoryDep) -> AttendedOut:
    """As its teacher: say who was there. Who was gets a certificate; what was said stands."""
    made = factory.training.record(lesson, asked.person, attended=asked.attended, by=caller)
    return AttendedOut(certificate=made.id if made else "")


@router.get("/certificates", access=SIGNED_IN)
def list_certificates(caller: CallerDep, factory: FactoryDep) -> PageOut[CertificateOut]:
    """Your own."""
    found = factory.training.certificates(by=caller)
    return PageOut[CertificateOut](items=[certificate_out(one, factory) for one in found])
