"""What admission looks at: the machine, what stands on it, who waits, and what power may be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from fabriek.compute.capacity import Capacity
from fabriek.compute.gates import Gate
from fabriek.compute.jobs import Job, Priority, Shape, State, reserved_end
from fabriek.compute.placement import Placement
from fabriek.compute.power import Contract, Limit, PowerTable


@dataclass(frozen=True, slots=True)
class Running:
    """A job whose room is taken. `ends` is when it is gone at the latest. `placed`: None where nobody wrote down on which nodes.
    `preemptible`: it may be put back into the queue for others; `leaving`: it is being put back.
    """

    job: str
    share: str
    shape: Shape
    ends: datetime
    array: str = ""
    placed: Placement | None = None
    priority: Priority = Priority.NORMAL
    preemptible: bool = False
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits to be let in. `gate`: why it has no turn now, whatever the room."""

    job: str
    share: str
    shape: Shape
    submitted_at: datetime
    priority: Priority = Priority.NORMAL
    gate: Gate | None = None
    array: str = ""
    array_at_once: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one instant, so that deciding needs nothing else.

    shares: share id → its part of the machine in millionths; an unknown share is entitled to nothing and may borrow.
    contract: None where nobody limits the meter. starts_held: why no job may start now, as a sentence's end; empty
    when jobs may. zone: for the clock times in reasons.
    """

    capacity: Capacity
    table: PowerTable
    running: tuple[Running, ...] = ()
    queued: tuple[Waiting, ...] = ()
    shares: Mapping[str, int] = field(default_factory=dict)
    contract: Contract | None = None
    limits: tuple[Limit, ...] = ()
    starts_held: str = ""
    zone: tzinfo = UTC


LEAVES_SECONDS = 60
"""How long a job that is being put back is expected to stand, beyond the time that it asked for to save its state."""


def running_of(job: Job, now: datetime) -> Running:
    """An admitted, starting or running job as admission sees it."""
    ends = reserved_end(job, now)
    if job.preempting:
        ends = min(ends, now + timedelta(seconds=job.terms.signal_seconds + LEAVES_SECONDS))
    return Running(
        job.id, job.share, job.shape, ends, job.array, job.placed, job.priority,
        preemptible=job.terms.preemptible and job.state is State.RUNNING, leaving=job.preempting,
    )  # fmt: skip
