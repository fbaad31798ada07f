"""When another call fits better: an amount above a call's limit is led on to the call that takes it, and what was answered goes along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.access.applying.call_files import call
from fabriek.access.applying.calls import Call
from fabriek.access.applying.guide import choice_of, guide_on, words_of
from fabriek.access.applying.intake import Intake
from fabriek.access.organisations import OrganisationKind
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, WrongState

SCIENCE = frozenset({OrganisationKind.UNIVERSITY, OrganisationKind.HOSPITAL, OrganisationKind.PUBLIC})
GPUS_PER_NODE = 4
"""Of the machine that the amounts of AI for Science are counted on."""


@dataclass(frozen=True, slots=True)
class Better:
    """The call that fits, why, and what its form takes over from the answers that were given."""

    call: str
    reason: str
    carries: Mapping[str, Any]


def better_call(
    asked: Call,
    answers: Mapping[str, Any],
    today: date,
    kind: OrganisationKind | None = None,
    *,
    named: Callable[[str], Call] = call,
) -> Better | None:
    """None where the asked call takes the amount, or no other one does. `kind`: of the applicant's organisation, where it is known.

    `named`: the calls that there are.
    """
    hours = answers.get("gpu_hours")
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not asked.gpu_hours_max < hours < float("inf"):
        return None
    guide, whole = guide_on(today), -int(-hours // 1)
    name, amount = ("node_hours", -(-whole // GPUS_PER_NODE)) if kind in SCIENCE else ("gpu_hours", whole)
    try:
        choice = choice_of(guide.questions[name], words_of(guide, {name: str(amount)})[name])
    except InvalidInput:
        return None
    if not choice.call or choice.call == asked.name:
        return None
    reason = (
        f"{hours:,} GPU-hours are more than the {asked.gpu_hours_max:,} of {asked.name}; {choice.call} takes them "
        f"({choice.label['en'].lower()} {guide.questions[name].unit})"
    )
    return Better(choice.call, reason, _taken(choice.call, answers, named))


def file_where_it_fits(
    intake: Intake, name: str, answers: Mapping[str, Any], today: date, kind: OrganisationKind, *, by: Caller
) -> tuple[Application, Better | None]:
    """A draft of the call that was asked, or of the one that fits better, with why. Raises InvalidInput naming that one where it is not open here."""
    better = better_call(intake.calls.of(name), answers, today, kind, named=intake.calls.of)
    if better is None:
        return intake.file(name, answers, by=by), None
    try:
        intake.check_takes(intake.calls.of(better.call))
    except (NotFound, WrongState):
        raise InvalidInput(
            f"{better.reason}; this factory has no call {better.call} open",
            fix=f'fabriek ask "When does {better.call} open?"',
            errors=[{"field": "gpu_hours", "message": better.reason}],
            better_call=better.call,
        ) from None
    return intake.file(better.call, better.carries, by=by), better


def move_on(intake: Intake, application_id: str, today: date, kind: OrganisationKind, *, by: Caller) -> Application:
    """A draft of the call that takes what this draft asks, with its answers; the draft itself stays. Raises NotFound, WrongState where it is
    no draft or its call takes the amount, InvalidInput where the better call is not open.
    """
    found = intake.own(application_id, by=by)
    better = better_call(intake.calls.of(found.call), found.answers, today, kind, named=intake.calls.of)
    if found.state is not ApplicationState.DRAFT or better is None:
        raise WrongState("this application is where it belongs", fix=f"fabriek apply show {found.id}")
    return file_where_it_fits(intake, found.call, found.answers, today, kind, by=by)[0]


def _taken(name: str, answers: Mapping[str, Any], named: Callable[[str], Call]) -> dict[str, Any]:
    """The answers that the other call asks too, and can take: of a choice that it does not have, nothing goes along."""
    try:
        fields = {one.name: one for one in named(name).fields}
    except NotFound:
        return dict(answers)
    return {
        field: answer
        for field, answer in answers.items()
        if field in fields and (not fields[field].choices or answer in fields[field].values)
    }
