"""A case: what somebody needs of the desk, how much it asks, who is on it and by when something was promised."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, WrongState

TITLE_CHARACTERS_MAX = 200
WORDS_CHARACTERS_MAX = 10_000


class CaseState(StrEnum):
    OPEN = "open"
    WITH_EXPERT = "with_expert"
    WAITING_FOR_ASKER = "waiting_for_asker"
    SOLVED = "solved"
    CLOSED = "closed"


TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.WITH_EXPERT, CaseState.WAITING_FOR_ASKER, CaseState.SOLVED, CaseState.CLOSED}),
    CaseState.WITH_EXPERT: frozenset({CaseState.OPEN, CaseState.WAITING_FOR_ASKER, CaseState.SOLVED, CaseState.CLOSED}),
    CaseState.WAITING_FOR_ASKER: frozenset({CaseState.OPEN, CaseState.WITH_EXPERT, CaseState.SOLVED, CaseState.CLOSED}),
    CaseState.SOLVED: frozenset({CaseState.OPEN, CaseState.WITH_EXPERT, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}

OURS_TO_ACT = frozenset({CaseState.OPEN, CaseState.WITH_EXPERT})
"""While the asker is asked, or says that it is solved, nothing is late."""


@dataclass(frozen=True, slots=True)
class Case:
    """`project`: empty where it is of no project. `question`: the one that it came from, empty for a request. `handler`: who is on it, empty
    while nobody is. `due_on`: by when something was promised, the last day included. `waiting_since`: from when the asker is asked.
    """

    id: str
    person: str
    organisation: str
    project: str
    question: str
    title: str
    level: str
    opened_at: datetime
    due_on: date
    state: CaseState = CaseState.OPEN
    handler: str = ""
    waiting_since: date | None = None

    @property
    def is_over(self) -> bool:
        return self.state is CaseState.CLOSED

    def is_overdue(self, today: date) -> bool:
        """The promised day itself counts as in time."""
        return self.state in OURS_TO_ACT and today > self.due_on


@dataclass(frozen=True, slots=True)
class Step:
    """What was done to a case, and the words to it: numbered from 1, and never changed. `what`: opened, said, handed, level, or a state."""

    case: str
    number: int
    person: str
    at: datetime
    what: str
    words: str


def move(case: Case, to: CaseState, today: date) -> Case:
    """The case one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[case.state]:
        raise WrongState(
            f"case {case.id} is {case.state}, it cannot become {to}",
            fix="open a new case: fabriek case new" if case.is_over else f"fabriek case show {case.id}",
        )
    return replace(case, state=to, waiting_since=today if to is CaseState.WAITING_FOR_ASKER else None)


def state_named(word: str) -> CaseState:
    """Raises InvalidInput on a word for none."""
    try:
        return CaseState(word)
    except ValueError:
        raise InvalidInput(f"a case is never {word[:30]!r}", fix=f"one of {', '.join(CaseState)}") from None
