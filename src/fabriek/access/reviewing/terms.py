"""What a call promises: how long, by which route, judged by how many. All of it is dated data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from fabriek.access.reviewing.assessments import Form, read_form
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput, WrongState

ANY_CALL = "*"
EXPERTS_MIN = 2


class Route(StrEnum):
    """How it is decided."""

    SHORT = "short"
    COMMITTEE = "committee"


@dataclass(frozen=True, slots=True)
class Terms:
    """`days`: working days, from the cut-off where there are any. `second_signature_above`: GPU-hours; 0: one person decides."""

    call: str
    valid_from: date
    source: str
    days: int
    route: Route
    experts: int = EXPERTS_MIN
    second_signature_above: int = 0
    cut_off_at: time = time(10)
    cut_offs: tuple[date, ...] = ()

    def round_of(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """The cut-off that something submitted then is in time for; None where the call is always open. What comes in at the very
        instant of a cut-off is for the next one. Raises WrongState when no further one is set.
        """
        if not self.cut_offs:
            return None
        moments = sorted(datetime.combine(day, self.cut_off_at, zone) for day in self.cut_offs)
        for moment in moments:
            if at < moment:
                return moment
        raise WrongState(
            f"the call {self.call} has no further cut-off",
            fix="ask the operator for the dates: they add them to the terms",
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What every review has in common. `objection_days`: days in which the applicant may object."""

    valid_from: date
    source: str
    expert_days: int
    common_project_years: int
    objection_days: int
    efficiency_percent: int
    measured_counts: int


@dataclass(frozen=True, slots=True)
class Promises:
    """The whole of a terms file."""

    terms: Sequence[Terms]
    rules: Sequence[Rules]
    forms: Sequence[Form]

    def of(self, call: str, on: date) -> Terms:
        """Those of a call, as they stood on the day it was submitted."""
        own = [one for one in self.terms if one.call == call] or [one for one in self.terms if one.call == ANY_CALL]
        found = in_force(own, on) or (own[0] if own else None)
        if found is None:
            raise InvalidInput(f"nothing says how the call {call} is judged", fix='add a [[terms]] with call = "*"')
        return found

    def rules_on(self, day: date) -> Rules:
        return in_force(self.rules, day) or self.rules[0]

    def form_on(self, day: date) -> Form:
        return in_force(self.forms, day) or self.forms[0]


def read_promises(text: str) -> Promises:
    """The rows of data/terms.toml, or of an operator's own. Raises InvalidInput."""
    rules = read_rows(text, "rules", lambda row: Rules(**row))
    return Promises(read_rows(text, "terms", _terms), rules, read_rows(text, "form", read_form))


def _terms(row: dict[str, Any]) -> Terms:
    made = Terms(**row | {"route": Route(row["route"]), "cut_offs": tuple(row.get("cut_offs", ()))})
    if made.days < 1:
        raise InvalidInput(f"the call {made.call} promises {made.days} days", fix="promise one working day or more")
    if made.route is Route.COMMITTEE and made.experts < EXPERTS_MIN:
        raise InvalidInput(
            f"the call {made.call} asks {made.experts} experts", fix=f"ask {EXPERTS_MIN} or more: one judges alone"
        )
    return made
