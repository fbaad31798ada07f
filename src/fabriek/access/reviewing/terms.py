"""How it is judged: what a call says of it, and what all reviews have in common, which is dated data of our own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fabriek.access.applying.calls import Call, DecidedBy
from fabriek.access.reviewing.assessments import Form, read_form
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import WrongState

EXPERTS_MIN = 2


class Route(StrEnum):
    """How it is decided."""

    SHORT = "short"
    COMMITTEE = "committee"


@dataclass(frozen=True, slots=True)
class Terms:
    """`experts`: how many at least. `by_person`: somebody checks it before it is awarded by the short route."""

    route: Route
    experts: int = EXPERTS_MIN
    by_person: bool = False


def terms_of(asked: Call) -> Terms:
    """What a call says of who decides. Fewer than two experts are never enough: one would judge alone."""
    if asked.decided_by is DecidedBy.EXPERTS:
        return Terms(Route.COMMITTEE, max(asked.experts_min, EXPERTS_MIN))
    return Terms(Route.SHORT, by_person=asked.decided_by is DecidedBy.PERSON)


def round_of(asked: Call, at: datetime) -> datetime | None:
    """The cut-off that something submitted then is in time for; None where the call is always open. What comes in at the very instant
    of a cut-off is for the next one. Raises WrongState when no further one is set.
    """
    if asked.cut_offs is None:
        return None
    found = asked.cut_offs.next_after(at)
    if found is None:
        raise WrongState(
            f"the call {asked.name} has no further cut-off",
            fix="ask the operator for the dates: they add them to the call",
        )
    return found


@dataclass(frozen=True, slots=True)
class Rules:
    """What every review has in common. `objection_days`: days in which the applicant may object. `second_signature_above`: GPU-hours of an
    award; 0 asks for none.
    """

    valid_from: date
    source: str
    expert_days: int
    common_project_years: int
    objection_days: int
    efficiency_percent: int
    measured_counts: int
    second_signature_above: int = 0


@dataclass(frozen=True, slots=True)
class Promises:
    """The whole of a terms file."""

    rules: Sequence[Rules]
    forms: Sequence[Form]

    def rules_on(self, day: date) -> Rules:
        return in_force(self.rules, day) or self.rules[0]

    def form_on(self, day: date) -> Form:
        return in_force(self.forms, day) or self.forms[0]


def read_promises(text: str) -> Promises:
    """The rows of data/terms.toml, or of an operator's own. Raises InvalidInput."""
    rules = read_rows(text, "rules", lambda row: Rules(**row))
    return Promises(rules, read_rows(text, "form", read_form))
