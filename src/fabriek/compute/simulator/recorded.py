"""A job as a trace tells it, whatever the file; and what of a file could not be used, by reason."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI, Gpus
from fabriek.compute.jobs import WALL_SECONDS_LIMIT, Shape
from fabriek.compute.simulator.traces import TraceRow

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""Where a trace's second 0 lies. Limits in a file count from it too, where they are in seconds."""


SUBMITTED_BEFORE = 10**10
"""Seconds: three hundred years on, a calendar has still days."""


AMOUNT_MAX = 10**12
"""Of processors or of nodes: what is above that is a slip, and would not go into a float."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Of all of its nodes together: `processors`, and `gpus_milli` in thousandths. `wanted_seconds`: 0 where nobody said. `words`: user, group,
    queue and kind of work, as far as the file has them.
    """

    name: str
    submitted_seconds: float
    ran_seconds: float
    processors: int
    wanted_seconds: float = 0.0
    gpus_milli: int = 0
    memory_bytes: int = 0
    nodes: int = 1
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """`skipped`: reason → how many; `first`: reason → the line at which it was met first. `procs`: of the machine, as the file's head says."""

    jobs: list[Recorded] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    procs: int = 0
    guessed: int = 0
    words: dict[tuple[int, ...], Mapping[str, str]] = field(default_factory=dict)

    def skip(self, why: str, line: int) -> None:
        self.skipped[why] += 1
        self.first.setdefault(why, line)


NOT_RUN = "never ran, or for no time"
DAMAGED_AMOUNT = "an amount that nobody can take"
WIDER = "wider than the machine"
LONGER = "longer than a year"


def fault_of(job: Recorded) -> str:
    """Why it says nothing about a schedule; empty where it does. What is not a number is in no order with anything."""
    if not 0 < job.ran_seconds < math.inf or not 0 <= job.submitted_seconds < SUBMITTED_BEFORE:
        return NOT_RUN
    least, most = (
        min(job.processors, job.nodes, job.gpus_milli + 1, job.memory_bytes + 1),
        max(job.processors, job.nodes, job.gpus_milli),
    )
    return DAMAGED_AMOUNT if least < 1 or most > AMOUNT_MAX or not math.isfinite(job.wanted_seconds) else ""


def rows_on(reading: Reading, capacity: Capacity, share_of: Mapping[str, str]) -> list[TraceRow]:
    """The jobs that this machine can run, as the replay takes them, in the order in which they came. The rest are counted in `reading`.
    share_of: a job's name → who pays. Where nobody said how long a job may run, it asks for as long as it did, and is counted as guessed.
    """
    rows, each = list[TraceRow](), capacity.each()
    # One object for all jobs that ask for the same: a replay looks shapes up millions of times, and knows the same object at once.
    shapes: dict[Shape, Shape] = {}
    for number, job in enumerate(in_order(reading)):
        wanted = math.ceil(max(job.wanted_seconds, job.ran_seconds))
        reading.guessed += job.wanted_seconds <= 0
        shape = _shape(job, wanted, capacity, each)
        if shape is None:
            reading.skip(LONGER if wanted > WALL_SECONDS_LIMIT else WIDER, 0)
            continue
        shape = shapes.setdefault(shape, shape)
        at = BEGIN + timedelta(seconds=job.submitted_seconds)
        rows.append(
            TraceRow(
                f"{number:09}",
                share_of.get(job.name, ""),
                shape,
                at,
                job.ran_seconds,
                owner=job.words.get("user", ""),
                work=job.words.get("work", ""),
            )
        )
    return rows


def in_order(reading: Reading) -> list[Recorded]:
    """As they came. Its number in this list is how a job's row is called."""
    return sorted(reading.jobs, key=lambda one: one.submitted_seconds)


def pool(procs: int) -> Capacity:
    """So many processors and nothing else: what is told of GPUs counts as processors there."""
    return Capacity(cpus=procs, gpus=0, memory_bytes=2**62)


def _shape(job: Recorded, wanted: int, capacity: Capacity, each: Capacity) -> Shape | None:
    """None for what this machine cannot run. In a pool a job takes its processors, or its GPUs where the trace counts those."""
    if wanted > WALL_SECONDS_LIMIT:
        return None
    if not capacity.gpus:
        processors = math.ceil(job.gpus_milli / MILLI) or job.processors
        return Shape(processors, Gpus(), 1, max(1, wanted)) if processors <= capacity.cpus else None
    nodes = max(1, job.nodes)
    if job.gpus_milli and nodes == 1:
        nodes = max(1, math.ceil(job.gpus_milli / MILLI / max(1, each.gpus)))
    cpus, gpus = max(1, math.ceil(job.processors / nodes)), job.gpus_milli // nodes
    gpus = gpus if gpus < MILLI else math.ceil(gpus / MILLI) * MILLI
    memory = max(1, job.memory_bytes // nodes)
    fits = nodes <= capacity.nodes and cpus <= each.cpus and gpus <= each.gpus * MILLI and memory <= each.memory_bytes
    return Shape(cpus, Gpus(gpus), memory, max(1, wanted), nodes) if fits else None
