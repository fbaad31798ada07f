"""A trace: when jobs were submitted, how long they ran, what they took, and whose share paid."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fabriek.compute.jobs import Job, Priority, Shape, State


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One job. `ran_seconds` is what it really ran, which admission never knows beforehand; `shape` is what it asked. `owner`: whose recent use
    it counts as. `preemptible`: it may be put back, and has then done what it had at its last checkpoint, one each `checkpoint_seconds` of its own
    time; 0: it saves when it is told to leave, and loses nothing. `work`: its kind of work, where that is known.
    """

    job: str
    share: str
    shape: Shape
    submitted_at: datetime
    ran_seconds: float
    priority: Priority = Priority.NORMAL
    owner: str = ""
    preemptible: bool = False
    checkpoint_seconds: int = 0
    work: str = ""


def trace_of(jobs: Iterable[Job]) -> tuple[TraceRow, ...]:
    """The jobs that ran to an end of their own, oldest first. The rest say nothing about how long they would have run."""
    rows = [
        TraceRow(
            job=job.id,
            share=job.share,
            shape=Shape(job.cpus, job.gpus, job.memory_bytes, job.wall_seconds_max, job.nodes),
            submitted_at=job.submitted_at,
            ran_seconds=job.ran_seconds,
            priority=job.priority,
            owner=job.project,
            preemptible=job.terms.preemptible,
            work=job.terms.work,
        )
        for job in jobs
        if job.state in {State.SUCCEEDED, State.FAILED} and job.started_at is not None
    ]
    return tuple(sorted(rows, key=lambda row: (row.submitted_at, row.job)))
