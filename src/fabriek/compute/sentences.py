"""What is told of a job in one sentence, whatever its state."""

from dataclasses import dataclass
from datetime import datetime

from fabriek.compute.decisions import Decision
from fabriek.compute.jobs import Job, State


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and the instant it promises, if any."""

    sentence: str
    until: datetime | None = None


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
