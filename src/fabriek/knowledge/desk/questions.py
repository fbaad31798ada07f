"""A question to the expertise centre, and its answers."""

from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput

QUESTION_CHARACTERS_MAX = 500
ANSWER_CHARACTERS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """Asked in the open: everybody signed in may read it, so nobody names data in it that is not theirs to name."""

    id: str
    person: str
    text: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    id: str
    question: str
    person: str
    text: str
    answered_at: datetime


def check_text(text: str, most: int) -> str:
    """The text without white space around it. Raises InvalidInput when nothing is left, or too much."""
    bare = text.strip()
    if not bare or len(bare) > most:
        raise InvalidInput(f"a text here has 1 to {most} characters", fix="write a little more, or less")
    return bare
