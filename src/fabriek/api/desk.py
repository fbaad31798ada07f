"""Questions, experts and bookings over HTTP."""

from collections.abc import Sequence
from datetime import date

from fastapi import Query

from fabriek.knowledge.desk.experts import Booking, Free
from fabriek.knowledge.desk.questions import Answer, Question
from fabriek.schemas.base import PageOut
from fabriek.schemas.desk import (
    AcceptIn,
    AnswerIn,
    AnswerOut,
    BookingIn,
    BookingOut,
    ExpertIn,
    ExpertOut,
    HoursIn,
    QuestionIn,
    QuestionOut,
    SkillOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def question_out(question: Question, answers: Sequence[Answer], services: Services) -> QuestionOut:
    told = [
        AnswerOut(
            id=one.id, by=services.access.person(one.person).name, text=one.text, answered_at=one.answered_at,
            accepted=one.id == question.accepted,
        )
        for one in answers
    ]  # fmt: skip
    asked_by = services.access.person(question.person).name
    return QuestionOut(id=question.id, by=asked_by, text=question.text, asked_at=question.asked_at, answers=told)


def _expert_out(free: Free, services: Services) -> ExpertOut:
    one = free.expert
    return ExpertOut(
        person=one.person, name=services.access.person(one.person).name, fields=one.fields, skills=list(one.skills),
        languages=list(one.languages), hours_a_week=one.hours_a_week, booked=free.booked, left=free.left,
    )  # fmt: skip


def _booking_out(one: Booking, services: Services) -> BookingOut:
    return BookingOut(
        id=one.id, expert=services.access.person(one.expert).name, project=services.access.project(one.project).slug, hours=one.hours,
        about=one.about, state=one.state, booked_at=one.booked_at, week=one.week,
    )  # fmt: skip


@router.post("/questions", access=Right("knowledge.ask"), status_code=201)
def ask(asked: QuestionIn, caller: CallerDep, factory: FactoryDep) -> QuestionOut:
    """Ask the expertise centre. Everybody signed in can read it."""
    return question_out(factory.desk.ask(asked.text, by=caller), [], factory)


@router.get("/questions", access=SIGNED_IN)
def list_questions(caller: CallerDep, factory: FactoryDep) -> PageOut[QuestionOut]:
    """Newest first."""
    return PageOut[QuestionOut](
        items=[question_out(one, answers, factory) for one, answers in factory.desk.questions(by=caller)]
    )


@router.get("/questions/{question}", access=SIGNED_IN)
def show_question(question: str, caller: CallerDep, factory: FactoryDep) -> QuestionOut:
    """One question with its answers."""
    found, answers = factory.desk.question(question, by=caller)
    return question_out(found, answers, factory)


@router.post("/questions/{question}/answers", access=Right("knowledge.answer"), status_code=201)
def answer(question: str, asked: AnswerIn, caller: CallerDep, factory: FactoryDep) -> QuestionOut:
    """Answer a question; question and answer can be found from then on."""
    factory.desk.answer(question, asked.text, by=caller)
    found, answers = factory.desk.question(question, by=caller)
    return question_out(found, answers, factory)


@router.post("/questions/{question}/accepted", access=SIGNED_IN)
def accept(question: str, asked: AcceptIn, caller: CallerDep, factory: FactoryDep) -> QuestionOut:
    """Say which answer helped, as who asked or as the desk: it comes first, and is what is found."""
    factory.desk.accept(question, asked.answer, by=caller)
    found, answers = factory.desk.question(question, by=caller)
    return question_out(found, answers, factory)


@router.get("/skills", access=SIGNED_IN)
def list_skills(factory: FactoryDep) -> PageOut[SkillOut]:
    """The words for skills by which experts and listings are found."""
    return PageOut[SkillOut](
        items=[SkillOut(name=one.name, title=dict(one.title)) for one in factory.desk.skills().values()]
    )


@router.get("/experts", access=SIGNED_IN)
def list_experts(
    caller: CallerDep, factory: FactoryDep, q: str = Query("", max_length=200), skill: str = Query("", max_length=60),
    language: str = Query("", max_length=2), week: date | None = None,
) -> PageOut[ExpertOut]:  # fmt: skip
    """Who may be booked, what they know, and what is left of their week: who has most left first."""
    found = factory.desk.experts(words=q, skill=skill, language=language, week=week, by=caller)
    return PageOut[ExpertOut](items=[_expert_out(one, factory) for one in found])


@router.post("/experts", access=Right("knowledge.be_booked"), status_code=201)
def offer(asked: ExpertIn, caller: CallerDep, factory: FactoryDep) -> ExpertOut:
    """Say what you know, so that others can book an hour."""
    made = factory.desk.offer(
        asked.fields, skills=asked.skills, languages=asked.languages, hours_a_week=asked.hours_a_week, by=caller
    )
    return next(
        _expert_out(one, factory) for one in factory.desk.experts(by=caller) if one.expert.person == made.person
    )


@router.post("/experts/{person}/bookings", access=Right("job.submit"), status_code=201)
def book(person: str, asked: BookingIn, caller: CallerDep, factory: FactoryDep) -> BookingOut:
    """Book an expert for a project in a week; the hours are held at once."""
    return _booking_out(
        factory.desk.book(person, asked.project, asked.hours, asked.about, week=asked.week, by=caller), factory
    )


@router.get("/bookings", access=SIGNED_IN)
def list_bookings(caller: CallerDep, factory: FactoryDep) -> PageOut[BookingOut]:
    """Those that you made or are booked for."""
    return PageOut[BookingOut](items=[_booking_out(one, factory) for one in factory.desk.bookings(by=caller)])


@router.post("/bookings/{booking}/done", access=SIGNED_IN)
def finish(booking: str, caller: CallerDep, factory: FactoryDep) -> BookingOut:
    """The expert says that the hours were given; they are charged."""
    return _booking_out(factory.desk.finish(booking, by=caller), factory)


@router.post("/bookings/{booking}/cancel", access=SIGNED_IN)
def cancel(booking: str, caller: CallerDep, factory: FactoryDep) -> BookingOut:
    """Call it off; what was held for it goes back."""
    return _booking_out(factory.desk.cancel(booking, by=caller), factory)


@router.post("/bookings/{booking}/hours", access=SIGNED_IN)
def extend(booking: str, asked: HoursIn, caller: CallerDep, factory: FactoryDep) -> BookingOut:
    """Give it so many hours in all; more of them are held at once."""
    return _booking_out(factory.desk.extend(booking, asked.hours, by=caller), factory)
