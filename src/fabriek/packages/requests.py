"""What a project asked for, and how far that is: asked, looked through, decided."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.packages.names import Pinned

REASON_CHARACTERS_MAX = 500


class State(StrEnum):
    ASKED = "asked"
    SCANNED = "scanned"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.ASKED: frozenset({State.SCANNED, State.REFUSED, State.WITHDRAWN}),
    State.SCANNED: frozenset({State.APPROVED, State.REFUSED, State.WITHDRAWN}),
    State.APPROVED: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Request:
    """`project` is empty where an operator carried something in for all. `files`: the package and all that it needs, once they are kept.

    `trouble`: why the wheels could not be fetched; the request waits for an operator, or for being asked again.
    """

    id: str
    project: str
    person: str
    package: Pinned
    reason: str
    asked_at: datetime
    state: State = State.ASKED
    files: tuple[str, ...] = ()
    trouble: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    decision: str = ""


def move(request: Request, to: State) -> Request:
    """The request one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[request.state]:
        raise WrongState(
            f"request {request.id} is {request.state}, it cannot become {to}", fix=f"fabriek package show {request.id}"
        )
    return replace(request, state=to)


def decide(request: Request, to: State, *, by: str, at: datetime, says: str, alone: bool) -> Request:
    """Approved or refused by a second person. `alone`: the operator lets one person do both, since there is only one.

    Raises NotPermitted where who asked would approve, WrongState, InvalidInput.
    """
    decided = replace(
        move(request, to), decided_by=by, decided_at=at, decision=check_text(says, needed=to is State.REFUSED)
    )
    if to is State.APPROVED and request.person == by and not alone:
        raise by_one_person()
    return decided


def by_one_person() -> NotPermitted:
    return NotPermitted(
        "nobody approves what they asked for or carried in", rule="package.two_people",
        fix="ask another operator or the security officer; with one person only: setting packages_alone",
    )  # fmt: skip


def check_text(text: str, *, needed: bool = True) -> str:
    """The text without white space around it. Raises InvalidInput."""
    bare = text.strip()
    if (needed and not bare) or len(bare) > REASON_CHARACTERS_MAX:
        raise InvalidInput(f"a reason has 1 to {REASON_CHARACTERS_MAX} characters", fix="say why in a sentence")
    return bare
