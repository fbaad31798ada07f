"""Questions, experts and bookings on the wire."""

from datetime import datetime
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


class QuestionOut(Wire):
    id: str
    by: str
    text: str
    asked_at: datetime
    answers: list[AnswerOut]


class ExpertIn(Wire):
    fields: Line


class ExpertOut(Wire):
    person: str
    name: str
    fields: str


class BookingIn(Wire):
    project: Annotated[str, Field(min_length=1, max_length=63)]
    hours: Annotated[int, Field(ge=1, le=8)] = 1
    about: Line


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
