"""Questions, experts and bookings over HTTP."""

from collections.abc import Sequence

from fabriek.knowledge.desk.experts import Booking, Expert
from fabriek.knowledge.desk.questions import Answer, Question
from fabriek.schemas.base import PageOut
from fabriek.schemas.desk import (
    AnswerIn,
    AnswerOut,
    BookingIn,
    BookingOut,
    ExpertIn,
    ExpertOut,
    HoursIn,
    QuestionIn,
    QuestionOut,
)
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["knowledge"])


def question_out(question: Question, answers: Sequence[Answer], services: Services) -> QuestionOut:
    told = [
        AnswerOut(id=one.id, by=services.access.person(one.person).name, text=one.text, answered_at=one.answered_at)
        for one in answers
    ]
    asked_by = services.access.person(question.person).name
    return QuestionOut(id=question.id, by=asked_by, text=question.text, asked_at=question.asked_at, answers=told)


def _expert_out(expert: Expert, services: Services) -> ExpertOut:
    return ExpertOut(person=expert.person, name=services.access.person(expert.person).name, fields=expert.fields)


def _booking_out(one: Booking, services: Services) -> BookingOut:
    return BookingOut(
        id=one.id, expert=services.access.person(one.expert).name, project=services.access.project(one.project).slug, hours=one.hours,
        about=one.about, state=one.state, booked_at=one.booked_at,
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


@router.get("/experts", access=SIGNED_IN)
def list_experts(caller: CallerDep, factory: FactoryDep) -> PageOut[ExpertOut]:
    """Who may be booked, and what they know."""
    return PageOut[ExpertOut](items=[_expert_out(one, factory) for one in factory.desk.experts(by=caller)])


@router.post("/experts", access=Right("knowledge.be_booked"), status_code=201)
def offer(asked: ExpertIn, caller: CallerDep, factory: FactoryDep) -> ExpertOut:
    """Say what you know, so that others can book an hour."""
    return _expert_out(factory.desk.offer(asked.fields, by=caller), factory)


@router.post("/experts/{person}/bookings", access=Right("job.submit"), status_code=201)
def book(person: str, asked: BookingIn, caller: CallerDep, factory: FactoryDep) -> BookingOut:
    """Book an expert for a project; the hours are held at once."""
    return _booking_out(factory.desk.book(person, asked.project, asked.hours, asked.about, by=caller), factory)


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
