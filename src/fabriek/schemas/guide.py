"""The guide on the wire: what was answered, and the next question or the route."""

from typing import Annotated, Literal

from pydantic import Field

from fabriek.schemas.base import Wire

Answer = Annotated[str, Field(max_length=40)]
Answers = Annotated[dict[Answer, Answer], Field(max_length=20)]


class GuideIn(Wire):
    """The answers so far: question → the name of a choice, or a number where the question has a unit."""

    answers: Answers = Field(default_factory=dict)
    lang: Literal["en", "nl"] = "en"


class ChoiceOut(Wire):
    name: str
    label: str


class QuestionOut(Wire):
    """`unit`: what a number may be given in; empty where only a choice will do."""

    name: str
    text: str
    hint: str
    unit: str
    choices: list[ChoiceOut]


class AnsweredOut(Wire):
    """A question that was asked, with the choice that was made."""

    name: str
    text: str
    choice: str
    label: str


class RouteOut(Wire):
    """The one route. `call`: the call that follows, where one does, and `carries` what its form has from these answers."""

    name: str
    title: str
    reason: str
    source: str
    remarks: list[str]
    next_step: str
    command: str
    call: str
    carries: dict[str, str]


class GuideOut(Wire):
    """Either the next question, or the route. `answered`: what counted, in the order of asking."""

    question: QuestionOut | None = None
    route: RouteOut | None = None
    answered: list[AnsweredOut]
