"""What a replay came to: who waited how long, who used how much, and how two policies differ."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.placement import Placement
from fabriek.compute.power import PowerTable, expected_draw
from fabriek.compute.simulator.traces import TraceRow

SECONDS_PER_HOUR = 3600


class Placed(NamedTuple):
    """A job of the trace, and when and where the replay let it run. `before_seconds`: what it ran before, where it was put back; `lost_seconds`: what
    of this was not saved when it was.
    """

    row: TraceRow
    started_at: datetime
    ended_at: datetime
    where: Placement | None = None
    before_seconds: float = 0.0
    lost_seconds: float = 0.0

    @property
    def wait_seconds(self) -> float:
        return (self.started_at - self.row.submitted_at).total_seconds() - self.before_seconds

    @property
    def ran_seconds(self) -> float:
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`used_by_share` is in hours of the whole machine: a job counts by the largest part of CPUs, GPUs or memory it takes.

    Utilisations are 0..1 of the makespan, which is from the first submission to the last end. `unstarted`: jobs that this
    machine can never run. `put_back`: what stood and left before it was done; the same job is among `placed` with its last attempt. Means over
    nothing are 0.
    """

    placed: tuple[Placed, ...]
    unstarted: tuple[str, ...]
    wait_seconds_mean: float
    wait_seconds_max: float
    wait_seconds_by_share: Mapping[str, float]
    used_by_share: Mapping[str, float]
    makespan_seconds: float
    cpu_utilisation: float
    gpu_utilisation: float
    energy_joules: float
    put_back: tuple[Placed, ...] = ()

    @property
    def stood(self) -> tuple[Placed, ...]:
        """Every attempt."""
        return self.placed + self.put_back

    @property
    def lost_seconds_max(self) -> float:
        """The most that one job lost by being put back once."""
        return max((one.lost_seconds for one in self.put_back), default=0.0)

    @property
    def jobs(self) -> int:
        return len(self.placed)


@dataclass(frozen=True, slots=True)
class ShareChange:
    """One share under two policies: mean wait in seconds, use in hours of the whole machine."""

    share: str
    wait_seconds_before: float
    wait_seconds_after: float
    used_before: float
    used_after: float


def outcome_of(
    placed: Sequence[Placed],
    put_back: Sequence[Placed],
    unstarted: Sequence[str],
    capacity: Capacity,
    table: PowerTable,
    parts: Mapping[str, Decimal],
) -> Outcome:
    """The figures over what a replay placed. parts: kind of work → the part of a GPU that it draws."""
    stood = [*placed, *put_back]
    waits: dict[str, list[float]] = defaultdict(list)
    used: dict[str, float] = defaultdict(float)
    for one in placed:
        waits[one.row.share].append(one.wait_seconds)
    for one in stood:
        used[one.row.share] += part_of(one.row, capacity) * one.ran_seconds / SECONDS_PER_HOUR
    makespan = _makespan(placed)
    alike = {(one.row.shape, one.row.work) for one in stood}
    watts = {(shape, work): expected_draw(shape, table, parts.get(work)) for shape, work in alike}
    return Outcome(
        placed=tuple(placed),
        unstarted=tuple(unstarted),
        wait_seconds_mean=_mean([one.wait_seconds for one in placed]),
        wait_seconds_max=max((one.wait_seconds for one in placed), default=0.0),
        wait_seconds_by_share={share: _mean(some) for share, some in sorted(waits.items())},
        used_by_share=dict(sorted(used.items())),
        makespan_seconds=makespan,
        cpu_utilisation=_utilisation(stood, lambda row: row.shape.cpus_in_all, capacity.cpus, makespan),
        gpu_utilisation=_utilisation(stood, lambda row: row.shape.gpus_milli_in_all, capacity.gpus * MILLI, makespan),
        energy_joules=sum(watts[one.row.shape, one.row.work] * one.ran_seconds for one in stood),
        put_back=tuple(put_back),
    )


def compare(before: Outcome, after: Outcome) -> list[ShareChange]:
    """What a policy changes for each share, in order of share."""
    shares = sorted({*before.used_by_share, *after.used_by_share})
    return [
        ShareChange(
            share=share,
            wait_seconds_before=before.wait_seconds_by_share.get(share, 0.0),
            wait_seconds_after=after.wait_seconds_by_share.get(share, 0.0),
            used_before=before.used_by_share.get(share, 0.0),
            used_after=after.used_by_share.get(share, 0.0),
        )
        for share in shares
    ]


def part_of(row: TraceRow, whole: Capacity) -> float:
    """The largest part that a job takes of CPUs, GPUs or memory, 0..1."""
    shape = row.shape
    return max(
        shape.cpus_in_all / max(1, whole.cpus),
        shape.gpus_milli_in_all / max(1, whole.gpus * MILLI),
        shape.memory_bytes_in_all / max(1, whole.memory_bytes),
    )


def _makespan(placed: Sequence[Placed]) -> float:
    if not placed:
        return 0.0
    first = min(one.row.submitted_at for one in placed)
    return (max(one.ended_at for one in placed) - first).total_seconds()


def _utilisation(placed: Sequence[Placed], count: Callable[[TraceRow], int], whole: int, makespan: float) -> float:
    if whole == 0 or makespan == 0:
        return 0.0
    return sum(count(one.row) * one.ran_seconds for one in placed) / (whole * makespan)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
