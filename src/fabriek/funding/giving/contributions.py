"""What a funder gave to the machine, and how far that money is. Only granted and received money makes a share."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from fabriek.kernel.errors import InvalidInput, WrongState


class FunderKind(StrEnum):
    """Whose money it is: the rules on purposes hang on this, not on a name."""

    EU = "eu"
    NATIONAL = "national"
    REGIONAL = "regional"
    DEFENCE = "defence"
    PRIVATE = "private"


class State(StrEnum):
    APPLIED = "applied"
    GRANTED = "granted"
    RECEIVED = "received"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.APPLIED: frozenset({State.GRANTED, State.WITHDRAWN}),
    State.GRANTED: frozenset({State.RECEIVED, State.WITHDRAWN}),
    State.RECEIVED: frozenset({State.WITHDRAWN}),
    State.WITHDRAWN: frozenset(),
}
EURO_MAX = 10**12
"""A thousand milliards: what is written beyond it is a slip."""

COUNTING = frozenset({State.GRANTED, State.RECEIVED})
"""Money that is promised in writing counts; money that was asked for does not."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """A sum from one funder (an organisation's id). The days are kept, so that any past day can be asked about."""

    id: str
    funder: str
    kind: FunderKind
    amount_euro: int
    applied_on: date
    granted_on: date | None = None
    received_on: date | None = None
    withdrawn_on: date | None = None

    def __post_init__(self) -> None:
        if type(self.amount_euro) is not int or not 0 < self.amount_euro <= EURO_MAX:
            raise InvalidInput(
                f"a contribution is a sum above zero and of at most {EURO_MAX:,} euros",
                fix="give the amount in whole euros",
            )


def state_on(contribution: Contribution, day: date) -> State | None:
    """How far the money was at the end of that day; None before it was applied for."""
    steps = (
        (contribution.withdrawn_on, State.WITHDRAWN),
        (contribution.received_on, State.RECEIVED),
        (contribution.granted_on, State.GRANTED),
        (contribution.applied_on, State.APPLIED),
    )
    return next((state for on, state in steps if on is not None and on <= day), None)


def step(contribution: Contribution, to: State, on: date) -> Contribution:
    """The contribution with its next step. Raises WrongState on a step that is skipped, repeated, or dated before the last."""
    steps = (contribution.applied_on, contribution.granted_on, contribution.received_on, contribution.withdrawn_on)
    last = max(day for day in steps if day is not None)
    now = state_on(contribution, last)
    if now is None or to not in TRANSITIONS[now]:
        raise WrongState(
            f"contribution {contribution.id} is {now}, it cannot become {to}", fix="fabriek funding shares"
        )
    if on < last:
        raise WrongState(f"contribution {contribution.id} was {now} on {last}", fix=f"give {last} or a later day")
    match to:
        case State.GRANTED:
            return replace(contribution, granted_on=on)
        case State.RECEIVED:
            return replace(contribution, received_on=on)
        case _:
            return replace(contribution, withdrawn_on=on)
