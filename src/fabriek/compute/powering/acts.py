"""What the ladder did to a job, as it is kept: each step on each attempt is written down once, and its end."""

from dataclasses import dataclass
from datetime import datetime

from fabriek.compute.powering.ladder import Step

FOR_POWER = "is put back since less power may be drawn"
"""What its owner reads of a job that leaves for the ladder; without `is` it is what they read when it has left."""

ENDED_FOR_POWER = "is ended since less power may be drawn, and it may not be put back"

CAPPED_FOR_POWER = "draws less than it could since less power may be drawn"


@dataclass(frozen=True, slots=True)
class Taken:
    """One step on one attempt. `limit_at`: when the limit that it is for begins or began; `watts`: what it brings; `due_at`: by when it should have
    had its effect; `ended_at`: when it was over: the attempt has left, or draws its full power again. `failed`: the machine could not do it.
    """

    id: str
    job: str
    attempt: int
    step: Step
    limit_at: datetime
    allowed_watts: int
    planned_watts: int
    metered: bool
    watts: int
    at: datetime
    due_at: datetime
    done_at: datetime | None = None
    ended_at: datetime | None = None
    failed: bool = False
