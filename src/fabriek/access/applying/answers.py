"""Answers to a form: what is wrong with them, what is still missing, and sums that must agree. Pure: no clock, no store."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fabriek.access.applying.calls import ROWS_MAX, Asked, Form, Section, Total
from fabriek.access.applying.faults import (
    Answers,
    Fault,
    fault,
    faults_in,
    fields_of,
    is_empty,
    missing,
    number_of,
    shown,
)
from fabriek.kernel.errors import InvalidInput

ANSWERS_MAX = 500_000
"""Characters of all answers together."""
SMALLEST = 0.005
"""Sums of hours that differ by less agree: people write 0.1 three times."""
_UNSEEN = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)))
"""Marks that turn the order of what is read around, so that a reviewer sees another text than the one that was written."""


class Done(StrEnum):
    """How far a section is."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """A section with how far it is, and what is wrong or missing in it."""

    section: Section
    state: Done
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class Sum:
    """A total as found. `group`: of which value of the column that it goes by; `wanted`: None where it is only shown."""

    total: Total
    found: float
    wanted: float | None = None
    group: str = ""

    @property
    def agrees(self) -> bool:
        return self.wanted is None or abs(self.found - self.wanted) < SMALLEST


def cleaned(value: Any) -> Any:
    """The answer as it is kept: one kind of line end, composed letters, and without characters that nobody sees."""
    match value:
        case str():
            text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
            return "".join(one for one in text if not _is_unseen(one))
        case list():
            return [cleaned(one) for one in value[: ROWS_MAX + 1]]
        case dict():
            return {cleaned(name) if isinstance(name, str) else name: cleaned(one) for name, one in value.items()}
        case _:
            return value


def _is_unseen(one: str) -> bool:
    return one not in "\n\t" and (one in _UNSEEN or unicodedata.category(one) in {"Cc", "Cs"})


def check_answers(call: Form, answers: Answers, *, complete: bool) -> None:
    """Raises InvalidInput naming every field that is wrong; with `complete`, also what is missing, and totals that do not agree."""
    faults = faults_of(call, answers)
    faults = [*faults, *missing_of(call, answers)] if complete else [one for one in faults if not one.missing]
    if faults:
        raise refusal(call, faults)


def refusal(call: Form, faults: Sequence[Fault]) -> InvalidInput:
    """The error that names them all."""
    errors = [{"field": one.field, "message": one.says.en} for one in faults]
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return InvalidInput(
        f"{errors[0]['field']}: {errors[0]['message']}{more}", fix=f"{call.shown_by} shows the form", errors=errors
    )  # fmt: skip


def faults_of(call: Form, answers: Answers) -> list[Fault]:
    """What is wrong with what is there."""
    found: list[Fault] = []
    for name, answer in answers.items():
        field = call.field(name)
        if field is None:
            found += [] if is_empty(answer) else [fault(name, "not_asked")]
        elif not is_empty(answer):
            found += faults_in(field, answer, answers)
    if len(str(answers)) > ANSWERS_MAX:
        found.append(fault("", "all", most=ANSWERS_MAX))
    return found


def missing_of(call: Form, answers: Answers) -> list[Fault]:
    """What must be answered and is not, and totals that do not agree."""
    asked = [field for field in call.fields if is_asked(field, answers)]
    unanswered = [missing(field) for field in asked if field.required and is_empty(answers.get(field.name))]
    return [*unanswered, *(_disagreement(one) for one in sums_of(call, answers) if not one.agrees)]


def is_asked(field: Asked, answers: Answers) -> bool:
    """Whether the other answers call for this one."""
    return all(
        any(one in wanted for one in _as_list(answers.get(other)) if isinstance(one, str | bool))
        for other, wanted in field.when.items()
    )


def progress_of(call: Form, answers: Answers) -> list[Progress]:
    """Each section with how far it is. A total belongs to the section of the table that is summed."""
    wrong = [*faults_of(call, answers), *missing_of(call, answers)]
    # Answers to questions that the call no longer has belong nowhere, and must be seen all the same.
    known, made = frozenset(field.name for field in call.fields), []
    for number, section in enumerate(call.sections):
        names = {field.name for field in section.fields}
        faults = [one for one in wrong if fields_of([one]) <= names or (number == 0 and not fields_of([one]) <= known)]
        started = any(not is_empty(answers.get(name)) for name in names)
        asked = [field for field in section.fields if is_asked(field, answers)]
        if not faults and (started or not any(field.required for field in asked)):
            # A part in which nothing must be answered is not in anybody's way, but says so only once something before it is.
            state = Done.DONE if started or not asked else Done.NOT_STARTED
        else:
            state = Done.IN_PROGRESS if started else Done.NOT_STARTED
        made.append(Progress(section, state, faults))
    return made


def sums_of(call: Form, answers: Answers) -> list[Sum]:
    """Every total; one for each value of its column where it goes by one. Rows that are not numbers count as nothing."""
    made: list[Sum] = []
    for total in call.totals:
        table = call.field(total.table)
        if table is None or not is_asked(table, answers) or is_empty(answers.get(table.name)):
            continue
        found = _grouped(_rows(answers.get(table.name)), total.factors, total.by)
        if not total.equals:
            made.append(Sum(total, found.get("", 0.0)))
            continue
        other, _, column = total.equals.partition(".")
        if column:
            wanted = _grouped(_rows(answers.get(other)), (column,), total.by)
            made += [
                Sum(total, found.get(one, 0.0), wanted.get(one, 0.0), one) for one in dict.fromkeys([*wanted, *found])
            ]
        elif (number := number_of(answers.get(other))) is not None:
            made.append(Sum(total, found.get("", 0.0), number))
    return made


def _disagreement(one: Sum) -> Fault:
    """Both totals and the difference, in the words of the call."""
    assert one.wanted is not None, "what is only shown always agrees"
    unit, more = f" {one.total.unit}" if one.total.unit else "", one.found > one.wanted
    return fault(
        one.total.table, "sum", en=one.total.title.en, nl=one.total.title.nl, group=f" ({one.group})" if one.group else "",
        found=f"{shown(one.found)}{unit}", wanted=f"{shown(one.wanted)}{unit}", apart=shown(abs(one.found - one.wanted)),
        en_more="many" if more else "few", nl_more="veel" if more else "weinig", kept=True,
    )  # fmt: skip


def _grouped(rows: Sequence[Mapping[str, Any]], factors: Sequence[str], by: str) -> dict[str, float]:
    made: dict[str, list[float]] = {}
    for row in rows:
        numbers = [number_of(row.get(name)) or 0.0 for name in factors]
        made.setdefault(str(row.get(by, "")) if by else "", []).append(math.prod(numbers))
    return {group: math.fsum(found) for group, found in made.items()}


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    return [one for one in _as_list(answer) if isinstance(one, dict)]


def _as_list(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else [answer]
