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
    """Where it is. The names say what it has passed; `experts` and `committee` say who has it; in `asked` the applicant has."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ELIGIBLE = "eligible"
    TECHNICAL = "technical"
    EXPERTS = "experts"
    COMMITTEE = "committee"
    ASKED = "asked"
    AWARDED = "awarded"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_S = ApplicationState
_ALWAYS = frozenset({_S.ASKED, _S.WITHDRAWN})
GOING = frozenset({_S.SUBMITTED, _S.ELIGIBLE, _S.TECHNICAL, _S.EXPERTS, _S.COMMITTEE})
"""Somebody of the factory has it."""

TRANSITIONS: dict[ApplicationState, frozenset[ApplicationState]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
    _S.SUBMITTED: frozenset({_S.ELIGIBLE, _S.REFUSED}) | _ALWAYS,
    # Awarded from here by the short routes alone; `reviewing` says whether one is ready.
    _S.ELIGIBLE: frozenset({_S.TECHNICAL, _S.AWARDED, _S.REFUSED}) | _ALWAYS,
    _S.TECHNICAL: frozenset({_S.EXPERTS, _S.AWARDED, _S.REFUSED}) | _ALWAYS,
    _S.EXPERTS: frozenset({_S.COMMITTEE}) | _ALWAYS,
    _S.COMMITTEE: frozenset({_S.AWARDED, _S.REFUSED}) | _ALWAYS,
    _S.ASKED: GOING | {_S.WITHDRAWN},
    # Only what the automatic check refused, where a person overrules it.
    _S.REFUSED: frozenset({_S.ELIGIBLE}),
    _S.AWARDED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
DECIDED = frozenset({_S.AWARDED, _S.REFUSED, _S.WITHDRAWN})


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
    moved = replace(application, state=to, decided_at=at if to in DECIDED else None)
    if to is ApplicationState.SUBMITTED and application.state is ApplicationState.DRAFT:
        return replace(moved, submitted_at=at)
    return moved


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
