"""Questions, experts and bookings on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Wire

Line = Annotated[str, Field(max_length=500)]


class QuestionIn(Wire):
    text: Annotated[str, Field(min_length=1, max_length=500)]


class AnswerIn(Wire):
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class AnswerOut(Wire):
    id: str
    by: str
    text: str
    answered_at: datetime
    accepted: bool = False


class AcceptIn(Wire):
    answer: Annotated[str, Field(min_length=1, max_length=60)]


class QuestionOut(Wire):
    id: str
    by: str
    text: str
    asked_at: datetime
    answers: list[AnswerOut]


class SkillOut(Wire):
    name: str
    title: dict[str, str]


class ExpertIn(Wire):
    fields: Line
    skills: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] = Field(default_factory=list)
    languages: Annotated[list[Annotated[str, Field(max_length=2)]], Field(max_length=10)] = Field(default_factory=list)
    hours_a_week: Annotated[int, Field(ge=0, le=40)] = 8


class ExpertOut(Wire):
    """`booked` and `left`: hours in the week that was asked for."""

    person: str
    name: str
    fields: str
    skills: list[str]
    languages: list[str]
    hours_a_week: int
    booked: int
    left: int


class BookingIn(Wire):
    project: Annotated[str, Field(min_length=1, max_length=63)]
    hours: Annotated[int, Field(ge=1, le=8)] = 1
    about: Line
    week: date | None = None
    """Any day of the week in which the hours are to be given; this week where none is named."""


class HoursIn(Wire):
    """In all, those that it has already among them."""

    hours: Annotated[int, Field(ge=1, le=8)]


class BookingOut(Wire):
    id: str
    expert: str
    project: str
    hours: int
    about: str
    state: str
    booked_at: datetime
    week: date
