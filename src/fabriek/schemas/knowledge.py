"""Catalogue, questions and experts on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from fabriek.schemas.base import Text, Title, Wire, written

Line = Annotated[str, Field(max_length=500)]


class CardIn(Wire):
    """`subject`: the name of the dataset or model in this project."""

    kind: Annotated[str, written("^(dataset|model)$", "dataset or model")]
    subject: Annotated[str, Field(min_length=1, max_length=256)]
    title: Title
    summary: Annotated[str, Field(min_length=1, max_length=500)]
    licence: Annotated[str, Field(max_length=100)] = ""
    terms: Annotated[str, Field(max_length=2_000)] = ""
    keywords: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)] = Field(default_factory=list)
    language: Annotated[str, written("^(nl|en)$", "nl or en")] = "en"
    text: Text = ""


class CardOut(Wire):
    r"""`passage`: what matched, hits between \\u0002 and \\u0003; to be escaped before it is shown."""

    id: str
    kind: str
    subject: str
    title: str
    summary: str
    label: str
    licence: str
    terms: str
    keywords: list[str]
    language: str
    text: str
    organisation: str
    published_at: datetime
    passage: str = ""


class CardRequestIn(Wire):
    """`project`: where the data would be used; empty when there is none yet."""

    project: Annotated[str, Field(max_length=63)] = ""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class CardRequestOut(Wire):
    request: str


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
