"""An agreement: the terms under which a project may use a dataset."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum

from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.kernel.purposes import Purpose


class DataRight(Enum):
    """What one may do with data, each including those before it: let a job compute on it, look at it, take it away."""

    COMPUTE = "compute"
    VIEW = "view"
    TAKE_AWAY = "take_away"

    def includes(self, other: "DataRight") -> bool:
        steps = list(DataRight)
        return steps.index(self) >= steps.index(other)


@dataclass(frozen=True, slots=True)
class Agreement:
    """`project` is the one that may use the data, for these purposes, until the end of the day `until`.

    `terms`: the number of the terms that each person accepts first; 0 for none. `places`: where it may be computed on; empty means
    wherever the label allows. One whose last day has passed gets `ended_at` too, once its grants are closed.
    """

    id: str
    dataset: str
    project: str
    purposes: frozenset[str]
    right: DataRight
    until: date
    signed_by: str
    signed_at: datetime
    ended_at: datetime | None = None
    terms: int = 0
    places: tuple[str, ...] = ()


def is_in_force(agreement: Agreement, today: date) -> bool:
    """The last day counts."""
    return agreement.ended_at is None and today <= agreement.until


def has_run_out(agreement: Agreement, today: date) -> bool:
    """Its last day has passed, and nobody has closed it yet."""
    return agreement.ended_at is None and today > agreement.until


def end(agreement: Agreement, at: datetime) -> Agreement:
    """Raises WrongState on one that was ended before."""
    if agreement.ended_at is not None:
        raise WrongState(f"the agreement {agreement.id} has ended already", fix="fabriek data agreements NAME")
    return replace(agreement, ended_at=at)


def read_right(text: str) -> DataRight:
    """Raises InvalidInput."""
    try:
        return DataRight(text.strip().lower().replace("-", "_"))
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is not a right on data", fix="compute, view or take_away") from None


def read_purposes(texts: Iterable[str]) -> frozenset[str]:
    """Raises InvalidInput on a purpose that is not one, and on none at all."""
    known = {str(purpose) for purpose in Purpose}
    asked = {text.strip().lower().replace("-", "_") for text in texts}
    if not asked or not asked <= known:
        raise InvalidInput(
            "an agreement names the purposes it allows", fix=f"one or more of: {', '.join(sorted(known))}"
        )
    return frozenset(asked)
