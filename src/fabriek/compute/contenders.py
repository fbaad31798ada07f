"""Who contends for the machine: those that have their room on it, and those that wait for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from fabriek.compute.gates import Gate
from fabriek.compute.jobs import Job, Priority, Shape, State, reserved_end
from fabriek.compute.placement import Placement


@dataclass(frozen=True, slots=True)
class Running:
    """A job whose room is taken. `ends` is when it is gone at the latest. `placed`: None where nobody wrote down on which nodes.
    `preemptible`: it may be put back into the queue for others; `leaving`: it is being put back. `owner`: whose recent use it counts as.
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
    waited_seconds: float = 0.0
    owner: str = ""


class Waiting(NamedTuple):
    """A job that waits to be let in. `gate`: why it has no turn now, whatever the room. `number`: in which order those came that came at one
    instant. `owner`: whose recent use counts in its order; `preemptible`: once it runs, it may be put back.
    `label`, `purpose`: for which of the machine's partitions take it.
    """

    job: str
    share: str
    shape: Shape
    submitted_at: datetime
    priority: Priority = Priority.NORMAL
    gate: Gate | None = None
    array: str = ""
    array_at_once: int = 0
    number: int = 0
    owner: str = ""
    preemptible: bool = False
    label: str = ""
    purpose: str = ""


LEAVES_SECONDS = 60
"""How long a job that is being put back is expected to stand, beyond the time that it asked for to save its state."""


def running_of(job: Job, now: datetime, shapes: Mapping[Shape, Shape] | None = None) -> Running:
    """An admitted, starting or running job as admission sees it. shapes: those that are known, each as the object that stands for it."""
    shape = job.shape
    ends = reserved_end(job, now)
    if job.preempting:
        ends = min(ends, now + timedelta(seconds=job.terms.signal_seconds + LEAVES_SECONDS))
    return Running(
        job.id, job.share, shapes.get(shape, shape) if shapes else shape, ends, job.array, job.placed, job.priority,
        preemptible=job.terms.preemptible and job.state is State.RUNNING, leaving=job.preempting, waited_seconds=_waited(job),
        owner=job.project,
    )  # fmt: skip


def _waited(job: Job) -> float:
    """Until its latest attempt began, without what earlier ones ran; one that has not begun waits no more, and its last step was to be let in."""
    begun = job.started_at or job.changed_at or job.submitted_at
    return max(0.0, (begun - job.submitted_at).total_seconds() - job.ran_seconds)
