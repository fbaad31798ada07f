"""A question to the expertise centre, and its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput

QUESTION_CHARACTERS_MAX = 500
ANSWER_CHARACTERS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """Asked in the open: everybody signed in may read it, so nobody names data in it that is not theirs to name.

    `accepted`: the id of the answer that helped; empty until one is accepted.
    """

    id: str
    person: str
    text: str
    asked_at: datetime
    accepted: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    id: str
    question: str
    person: str
    text: str
    answered_at: datetime


def in_order(question: Question, answers: Sequence[Answer]) -> Sequence[Answer]:
    """The accepted one first, then the oldest."""
    return sorted(answers, key=lambda one: one.id != question.accepted)


def published(question: Question, answers: Sequence[Answer]) -> Sequence[Answer]:
    """What is found by who asks next: the accepted one alone, and all of them until one is."""
    accepted = [one for one in answers if one.id == question.accepted]
    return accepted or answers


def check_text(text: str, most: int) -> str:
    """The text without white space around it. Raises InvalidInput when nothing is left, or too much."""
    bare = text.strip()
    if not bare or len(bare) > most:
        raise InvalidInput(f"a text here has 1 to {most} characters", fix="write a little more, or less")
    return bare
