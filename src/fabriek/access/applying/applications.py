"""An application to a call: its answers, its state, and the automatic checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from fabriek.access.applying.calls import Call
from fabriek.access.organisations import Organisation
from fabriek.kernel.errors import WrongState


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    ELIGIBLE = "eligible"
    REFUSED = "refused"
    AWARDED = "awarded"


TRANSITIONS: dict[ApplicationState, frozenset[ApplicationState]] = {
    ApplicationState.DRAFT: frozenset({ApplicationState.SUBMITTED}),
    ApplicationState.SUBMITTED: frozenset({ApplicationState.ELIGIBLE, ApplicationState.REFUSED}),
    ApplicationState.ELIGIBLE: frozenset({ApplicationState.AWARDED, ApplicationState.REFUSED}),
    ApplicationState.REFUSED: frozenset(),
    ApplicationState.AWARDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what was found."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True, slots=True)
class Application:
    """Filed by one person of one organisation. `project` is what it became, once it was awarded."""

    id: str
    call: str
    person: str
    organisation: str
    answers: Mapping[str, Any]
    made_at: datetime
    state: ApplicationState = ApplicationState.DRAFT
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    checks: tuple[Check, ...] = field(default=())
    project: str = ""


def move(application: Application, to: ApplicationState, *, at: datetime) -> Application:
    """The application one step on. Raises WrongState on a step that the table does not have."""
    if to not in TRANSITIONS[application.state]:
        raise WrongState(
            f"application {application.id} is {application.state}, it cannot become {to}",
            fix=f"fabriek apply show {application.id}",
        )
    moved = replace(application, state=to)
    if to is ApplicationState.SUBMITTED:
        return replace(moved, submitted_at=at)
    return replace(moved, decided_at=at)


def technical_check(application: Application, call: Call, organisation: Organisation) -> tuple[Check, ...]:
    """Eligibility and the technical check of the short routes: no person is needed for them. Each check says what it found."""
    hours = application.answers.get("gpu_hours", 0)
    return (
        Check("country", organisation.country in call.countries, f"{organisation.name} sits in {organisation.country}"),
        Check("kind", organisation.kind in call.kinds, f"{organisation.kind} organisations"),
        Check("amount", 0 < hours <= call.gpu_hours_max, f"{hours} of at most {call.gpu_hours_max} GPU-hours"),
        Check(
            "length",
            int(application.answers.get("months", 0)) in call.months,
            f"{application.answers.get('months')} months",
        ),
    )
