"""What is told of a job in one sentence, whatever its state."""

from dataclasses import dataclass
from datetime import datetime

from fabriek.compute.decisions import Because, Decision
from fabriek.compute.forecasting.forecasts import Forecast
from fabriek.compute.jobs import Job, State
from fabriek.compute.reasons import without_expected


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, the instant it promises, if any, and when the job will probably start, where that was forecast."""

    sentence: str
    until: datetime | None = None
    forecast: Forecast | None = None


OF_ROOM = frozenset({Because.NO_ROOM, Because.POWER, Because.SHARE, Because.BEHIND})
"""Waits that end when others leave: the ones of which there are forecasts."""


_PLAIN = {
    State.SUBMITTED: "It was just submitted.",
    State.ADMITTED: "It was let in and is about to start.",
    State.STARTING: "It starts: its environment and inputs are being opened.",
    State.RUNNING: "It runs.",
    State.SUSPENDED: "It is suspended and will wait its turn again.",
    State.SUCCEEDED: "It ended well.",
    State.FAILED: "It failed.",
    State.CANCELLED: "It was cancelled.",
    State.LOST: "It vanished from the machine before it wrote how it ended.",
}


def told(job: Job, decided: Decision | None) -> Told:
    """Why the job is where it is. `decided`: the last decision, for one that waits."""
    if job.state is State.QUEUED:
        if decided is None:
            return Told("It waits for the next round of decisions.")
        return Told(decided.reason, decided.until)
    if job.reason:
        return Told(f"{_PLAIN[job.state].rstrip('.')}: {job.reason.rstrip('.')}.")
    return Told(_PLAIN[job.state])


def expecting(found: Told, forecast: Forecast, when: str) -> Told:
    """The same sentence, with when the job will probably start in place of the worst case. when: the forecast in words."""
    reason = without_expected(found.sentence).rstrip(".")
    return Told(f"{reason}; it will probably start {when}.", found.until, forecast)
