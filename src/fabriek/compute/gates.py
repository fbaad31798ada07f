"""What keeps a job from having its turn at all, before there is any question of room: a job it waits for, or an instant to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from fabriek.compute.decisions import Because
from fabriek.compute.jobs import ENDED, State
from fabriek.compute.reasons import clock_time
from fabriek.compute.terms import After, Once, Terms

States = Mapping[str, Sequence[State]]
"""Job or array id → the states of it, or of all its elements."""

NOT_BEGUN = frozenset({State.SUBMITTED, State.QUEUED, State.ADMITTED, State.STARTING})


@dataclass(frozen=True, slots=True)
class Gate:
    """Why it has no turn now; `until` where an instant opens it."""

    code: Because
    reason: str
    until: datetime | None = None


def gate_of(terms: Terms, states: States, now: datetime, zone: tzinfo) -> Gate | None:
    """None when the job may have its turn."""
    for after in terms.after:
        if not _holds(after, states):
            return Gate(Because.DEPENDENCY, f"Waits for {after.job}{_ONCE[after.once]}.")
    not_before = terms.not_before
    if not_before is not None and not_before > now:
        at = clock_time(not_before, now, zone)
        return Gate(Because.NOT_BEFORE, f"Waits until {at}, as asked.", not_before)
    return None


def hopeless(terms: Terms, wall_seconds_max: int, states: States, now: datetime) -> str:
    """Why a waiting job can never start any more; empty while it can."""
    for after in terms.after:
        found = states.get(after.job, ())
        ended = bool(found) and all(state in ENDED for state in found)
        if not found or (ended and not _holds(after, states)):
            return f"it waited for {after.job}{_ONCE[after.once]}, which will not come"
    deadline = terms.deadline
    if deadline is not None and now + timedelta(seconds=wall_seconds_max) > deadline:
        return f"it could not have ended by its deadline, {deadline:%Y-%m-%d %H:%M} UTC"
    return ""


_ONCE = {
    Once.BEGUN: " to begin",
    Once.ENDED: " to end",
    Once.SUCCEEDED: " to succeed",
    Once.FAILED: " to fail",
}


def _holds(after: After, states: States) -> bool:
    found = states.get(after.job, ())
    match after.once:
        case Once.BEGUN:
            return bool(found) and not any(state in NOT_BEGUN for state in found)
        case Once.ENDED:
            return bool(found) and all(state in ENDED for state in found)
        case Once.SUCCEEDED:
            return bool(found) and all(state is State.SUCCEEDED for state in found)
        case Once.FAILED:
            failed = any(state in ENDED and state is not State.SUCCEEDED for state in found)
            return failed and all(state in ENDED for state in found)
