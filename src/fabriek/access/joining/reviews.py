"""A review of access: every quarter somebody says of each membership and role whether it is still needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from fabriek.kernel.dated import in_force, read_rows, shipped
from fabriek.kernel.errors import WrongState


@dataclass(frozen=True, slots=True)
class Terms:
    """`days`: how long there is to decide; the last day counts. `remind_before`: so many days before it whoever must answer is reminded."""

    days: int
    remind_before: Sequence[int]
    source: str
    valid_from: date


def terms_of(text: str) -> tuple[Terms, ...]:
    """The rows of a data file. Raises InvalidInput, naming the row, on one that reminds outside of its days, or twice on one."""

    def read(row: dict[str, Any]) -> Terms:
        made = Terms(
            int(row["days"]), tuple(int(one) for one in row["remind_before"]), row["source"], row["valid_from"]
        )
        if made.days < 1 or len(set(made.remind_before)) < len(made.remind_before):
            raise ValueError("days must be 1 or more, and each reminder has a day of its own")
        if any(not 0 <= one < made.days for one in made.remind_before):
            raise ValueError(f"a reminder comes 0 to {made.days - 1} days before the last day")
        return made

    return read_rows(text, "review", read)


@cache
def _shipped() -> Sequence[Terms]:
    return terms_of(shipped("fabriek.access", "reviews.toml"))


def terms_on(day: date) -> Terms:
    """Those that hold for a review that is opened on that day."""
    return in_force(_shipped(), day) or _shipped()[0]


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


def reminder_due(review: Review, remind_before: Sequence[int], today: date) -> int | None:
    """How many days before the last one the newest reminder is that has come; of several, only the most pressing. None before the first, and
    once the review is over.
    """
    if review.closed_at is not None or today > review.due_on:
        return None
    return min((one for one in remind_before if (review.due_on - today).days <= one), default=None)


def check_next(now: Decision, then: Decision) -> None:
    """Raises WrongState where the table does not let it come there."""
    if then is not now and then not in _NEXT.get(now, frozenset()):
        raise WrongState(f"that is {now} already", fix="give it anew: fabriek project invite, or fabriek org appoint")
