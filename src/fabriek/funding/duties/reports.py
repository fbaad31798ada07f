"""A report: what a project's lead answers to the questions that an award asks, and how far that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from fabriek.funding.allocations import Allocation
from fabriek.funding.duties.rules import ReportRule
from fabriek.kernel.errors import WrongState


class ReportState(StrEnum):
    """Before it was filed and after it was returned its lead has it; filed, whoever decides."""

    DUE = "due"
    FILED = "filed"
    ACCEPTED = "accepted"
    RETURNED = "returned"


_S = ReportState
TRANSITIONS: dict[ReportState, frozenset[ReportState]] = {
    _S.DUE: frozenset({_S.FILED}),
    _S.FILED: frozenset({_S.ACCEPTED, _S.RETURNED}),
    _S.RETURNED: frozenset({_S.FILED}),
    _S.ACCEPTED: frozenset(),
}
OPEN = frozenset({_S.DUE, _S.RETURNED})
"""It waits for the project."""


@dataclass(frozen=True, slots=True)
class Report:
    """One for each award and kind. `revision`: how often it was edited; `note`: why it was returned; `again_on`: until when then."""

    allocation: str
    kind: str
    state: ReportState = ReportState.DUE
    answers: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    edited_at: datetime | None = None
    filed_at: datetime | None = None
    filed_by: str = ""
    decided_at: datetime | None = None
    decided_by: str = ""
    note: str = ""
    again_on: date | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """A report that an award asks for."""

    rule: ReportRule
    allocation: Allocation
    report: Report

    @property
    def id(self) -> str:
        return duty_id(self.allocation.id, self.rule.kind)

    @property
    def due_on(self) -> date:
        """Of one that was returned the later day, so that nobody is late by what somebody else asked."""
        due = self.rule.due_on(self.allocation)
        return max(due, self.report.again_on) if self.report.again_on else due

    @property
    def is_open(self) -> bool:
        return self.report.state in OPEN

    def days_overdue(self, today: date) -> int:
        """0 while it is in time, or waits for nobody of the project."""
        return max(0, (today - self.due_on).days) if self.is_open else 0


def duty_id(allocation: str, kind: str) -> str:
    return f"{allocation}.{kind}"


def move(report: Report, to: ReportState, duty: str, **changed: Any) -> Report:
    """The report one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[report.state]:
        raise WrongState(
            f"the report {duty} is {report.state}, it cannot become {to}", fix=f"fabriek report show {duty}"
        )
    return replace(report, state=to, **changed)
