"""A review of access: every quarter somebody says of each membership and role whether it is still needed."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fabriek.kernel.errors import WrongState

DAYS = 14
"""How long there is to decide; the last day counts."""


class Decision(StrEnum):
    WAITING = "waiting"
    KEPT = "kept"
    REMOVED = "removed"
    SUSPENDED = "suspended"


_NEXT = {
    Decision.WAITING: frozenset({Decision.KEPT, Decision.REMOVED, Decision.SUSPENDED}),
    Decision.KEPT: frozenset({Decision.REMOVED}),
    Decision.SUSPENDED: frozenset({Decision.KEPT, Decision.REMOVED}),
}
"""A suspended one may be kept after all; what was removed must be given anew."""


@dataclass(frozen=True, slots=True)
class Review:
    """`project`: its id; empty for the roles held everywhere. `due_on`: the last day to decide."""

    id: str
    project: str
    quarter: str
    opened_on: date
    due_on: date
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One membership, or one role held everywhere, of one person."""

    review: str
    person: str
    role: str
    decision: Decision = Decision.WAITING
    decided_by: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suspended:
    """What somebody held and nobody confirmed: kept as it was, without its rights."""

    project: str
    person: str
    role: str
    since: datetime
    review: str = ""


def quarter_of(day: date) -> str:
    """`2026-Q4`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def is_over(review: Review, today: date) -> bool:
    """The last day counts."""
    return review.closed_at is None and today > review.due_on


def check_next(now: Decision, then: Decision) -> None:
    """Raises WrongState where the table does not let it come there."""
    if then is not now and then not in _NEXT.get(now, frozenset()):
        raise WrongState(f"that is {now} already", fix="give it anew: fabriek project invite, or fabriek org appoint")
