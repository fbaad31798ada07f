"""A legal hold, and the dates of retention: why a dataset may not be erased now, or must be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from fabriek.kernel.errors import InvalidInput, WrongState

REASON_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Hold:
    """While it is not lifted nothing of the dataset is erased, removed or collected. Kept for ever: who set it, who lifted it, and why."""

    id: str
    dataset: str
    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lifted_because: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    """`keep_until`: not erased before the end of this day. `erase_after`: erased when this day has passed. None: no such date."""

    keep_until: date | None = None
    erase_after: date | None = None


def check_reason(reason: str) -> str:
    """Raises InvalidInput on none, and on more than fits."""
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        raise InvalidInput("say why, in at most 2,000 characters", fix='--reason "…"')
    return reason.strip()


def lift(hold: Hold, by: str, because: str, now: datetime) -> Hold:
    """Raises WrongState on one that was lifted."""
    if hold.lifted_at is not None:
        raise WrongState("this hold was lifted already", fix="fabriek data holds NAME")
    return replace(hold, lifted_by=by, lifted_at=now, lifted_because=because)


def changed(before: Retention, wanted: Retention, today: date) -> Retention:
    """Keeping can be promised for longer, never for shorter. Raises InvalidInput, WrongState."""
    if before.keep_until and today <= before.keep_until and (wanted.keep_until or date.min) < before.keep_until:
        raise WrongState(f"this data was promised to be kept until {before.keep_until}", fix="name a later day")
    if wanted.erase_after and wanted.erase_after < today:
        raise InvalidInput(f"{wanted.erase_after} has passed", fix="name a day to come, or fabriek data erase NAME")
    if wanted.keep_until and wanted.erase_after and wanted.erase_after < wanted.keep_until:
        raise InvalidInput("it cannot be erased before it may be", fix="let --erase-after be the later day")
    return wanted


def refuse_removal(holds: Sequence[Hold], retention: Retention, today: date) -> None:
    """For everything that takes data away for ever. Raises WrongState naming the hold or the day."""
    standing = [hold for hold in holds if hold.lifted_at is None]
    if standing:
        raise WrongState(
            f"a legal hold is on this data: {standing[0].reason}",
            fix="a security officer lifts it: fabriek data unhold NAME",
            rule="hold",
            hold=standing[0].id,
        )
    if retention.keep_until and today <= retention.keep_until:
        raise WrongState(
            f"this data is to be kept until {retention.keep_until}", fix="wait until that day is over", rule="retention"
        )
