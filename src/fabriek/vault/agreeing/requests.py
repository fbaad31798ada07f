"""A request for access: somebody who may know of a dataset asks its owner for an agreement. The states are those of REMS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.vault.agreeing.agreements import DataRight

REASON_CHARACTERS_MAX = 2_000


class RequestState(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    RETURNED = "returned"
    REVIEW = "review"
    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"


S = RequestState
TRANSITIONS: Mapping[RequestState, frozenset[RequestState]] = {
    S.DRAFT: frozenset({S.SENT, S.CLOSED}),
    S.SENT: frozenset({S.REVIEW, S.RETURNED, S.APPROVED, S.REJECTED, S.CLOSED}),
    S.RETURNED: frozenset({S.SENT, S.CLOSED}),
    S.REVIEW: frozenset({S.RETURNED, S.APPROVED, S.REJECTED, S.CLOSED}),
    S.APPROVED: frozenset({S.CLOSED}),
    S.REJECTED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
}
"""What may follow what. Nothing leads back from an answer: who wants another one asks again."""

ASKERS = frozenset({S.SENT, S.CLOSED})
"""Where the asker takes it; everywhere else, and to CLOSED too, whoever decides."""

PENDING = frozenset({S.DRAFT, S.SENT, S.RETURNED, S.REVIEW})
WAITING = frozenset({S.SENT, S.REVIEW})
"""On whoever decides."""


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a request, with a few words. Steps are added, never taken away."""

    state: RequestState
    person: str
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """`project` is where the data would be used; empty when the asker has none yet. `answers`: question of the form → answer."""

    id: str
    dataset: str
    project: str
    organisation: str
    person: str
    purpose: str
    right: DataRight
    reason: str
    asked_at: datetime
    state: RequestState = S.SENT
    answers: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()


def move(request: AccessRequest, to: RequestState, person: str, at: datetime, words: str = "") -> AccessRequest:
    """The request in its next state. Raises WrongState where the table has no such way, InvalidInput on a return without words."""
    if to not in TRANSITIONS[request.state]:
        ways = ", ".join(sorted(TRANSITIONS[request.state])) or "nothing"
        raise WrongState(
            f"this request is {request.state} and cannot become {to}",
            fix=f"what may follow: {ways}; or ask again: fabriek data request NAME",
        )
    if to in {S.RETURNED, S.REJECTED} and not words.strip():
        raise InvalidInput(f"a request that is {to} says why", fix="add a few words: --words")
    return replace(request, state=to, steps=(*request.steps, Step(to, person, at, read_words(words))))


def read_words(words: str) -> str:
    """Raises InvalidInput when they are too long."""
    if len(words) > REASON_CHARACTERS_MAX:
        raise InvalidInput(f"that is longer than {REASON_CHARACTERS_MAX} characters", fix="shorten it")
    return words.strip()


def read_answers(questions: Sequence[str], answers: Mapping[str, str], *, complete: bool) -> Mapping[str, str]:
    """The answers to the form. Raises InvalidInput on one to no question and, where `complete`, on a question without one."""
    if unknown := sorted(answers.keys() - set(questions)):
        raise InvalidInput(
            f"the form does not ask {unknown[0][:80]!r}", fix="fabriek data terms NAME shows what it asks"
        )
    kept = {question: read_words(answers.get(question, "")) for question in questions}
    if complete and (missing := [question for question, answer in kept.items() if not answer]):
        raise InvalidInput(f"the form asks: {missing[0]}", fix=f'answer it: --answer "{missing[0]}=…"')
    return {question: answer for question, answer in kept.items() if answer}


def answered(request: AccessRequest, answers: Mapping[str, str]) -> AccessRequest:
    return replace(request, answers=answers)


def not_yours() -> NotPermitted:
    return NotPermitted(
        "this step is for the other side: the asker sends and closes, the owner or committee decides",
        rule="request.side",
        fix="fabriek data requests shows who does what next",
    )
