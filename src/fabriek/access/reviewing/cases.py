"""What reviewing keeps of one application beside its answers: its round, its clock, who took it, what was measured, what was asked."""

from dataclasses import dataclass
from datetime import date, datetime

from fabriek.access.reviewing.clocks import ReviewClock
from fabriek.access.reviewing.scaling import Measured


@dataclass(frozen=True, slots=True)
class Case:
    """`id` is the application's. `round_at`: the cut-off it was in time for. `told`: alarms that went out. `checked_by`: of the technical check.

    `objection_until`: the last day on which its applicant may object to a refusal, whoever refused it.
    """

    id: str
    call: str
    clock: ReviewClock
    round_at: datetime | None = None
    taken_by: str = ""
    checked_by: str = ""
    nodes_asked: int = 0
    measured: tuple[Measured, ...] = ()
    told: frozenset[int] = frozenset()
    objection_until: date | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What the applicant was asked. `back_to`: the state that it goes on from at the answer. `fields`: the answers that may be changed meanwhile."""

    id: str
    application: str
    text: str
    asked_by: str
    asked_at: datetime
    back_to: str
    fields: frozenset[str] = frozenset()
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
