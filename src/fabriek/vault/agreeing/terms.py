"""Terms: what whoever uses a dataset agrees to, in words; with the questions that a request answers and the committee that decides."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fabriek.kernel.errors import InvalidInput, WrongState

TEXT_CHARACTERS_MAX = 100_000
QUESTION_CHARACTERS_MAX = 300
QUESTIONS_MAX = 20
COMMITTEE_MAX = 50


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a dataset's terms, never changed: others get the next number. `text` is Markdown, `sha256` of its UTF-8.

    `questions` are those of the form. `committee`: the persons who decide; empty means the owner's people.
    """

    dataset: str
    number: int
    text: str
    sha256: str
    questions: tuple[str, ...]
    committee: tuple[str, ...]
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person agreed to terms with this number and hash. It is never taken back: access ends with the agreement."""

    dataset: str
    number: int
    sha256: str
    person: str
    accepted_at: datetime


def read_text(text: str) -> str:
    """Raises InvalidInput on terms that are empty, too long, or hold characters that do not show."""
    cleaned = text.replace("\r\n", "\n").strip()
    if not cleaned or len(cleaned) > TEXT_CHARACTERS_MAX:
        raise InvalidInput("terms have 1 to 100,000 characters", fix="write them as Markdown: --file terms.md")
    if not all(character.isprintable() or character in "\n\t" for character in cleaned):
        raise InvalidInput("the terms hold characters that nobody can see", fix="write them as plain Markdown")
    return cleaned + "\n"


def read_questions(questions: Iterable[str]) -> tuple[str, ...]:
    """Raises InvalidInput on too many, on one that is too long or empty, and on one that stands twice."""
    asked = tuple(" ".join(question.split()) for question in questions)
    if len(asked) > QUESTIONS_MAX or len(set(asked)) != len(asked):
        raise InvalidInput("a form has at most 20 questions, each once", fix="ask less")
    if not all(0 < len(question) <= QUESTION_CHARACTERS_MAX and question.isprintable() for question in asked):
        raise InvalidInput("a question has 1 to 300 characters", fix="shorten it")
    return asked


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def accept(terms: Terms, sha256: str, person: str, at: datetime) -> Acceptance:
    """Of these very words: raises WrongState when the hash is of others, as after a change between reading and agreeing."""
    if sha256 != terms.sha256:
        raise WrongState("these are not the terms that you read", fix="read them again: fabriek data terms NAME")
    return Acceptance(terms.dataset, terms.number, terms.sha256, person, at)
