"""The replay: a virtual clock that jumps from event to event, and at each asks the real admission what may start."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.compute.admission import admit
from fabriek.compute.capacity import Capacity
from fabriek.compute.power import Contract, Limit, PowerTable
from fabriek.compute.simulator.outcomes import Outcome, Placed, outcome_of
from fabriek.compute.simulator.traces import TraceRow
from fabriek.compute.snapshot import Running, Snapshot, Waiting
from fabriek.funding.giving.shares import apportion
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO


@dataclass(frozen=True, slots=True)
class Machine:
    """What is there and what may be drawn, the same under every policy."""

    capacity: Capacity
    table: PowerTable
    contract: Contract | None = None
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the funders agreed: share id → its part of the machine, in millionths."""

    shares: Mapping[str, int]


def scaled(policy: Policy, factors: Mapping[str, float]) -> Policy:
    """The policy with some shares made larger or smaller, all parts cut again to sum to one. Raises InvalidInput."""
    if unknown := sorted(set(factors) - set(policy.shares)):
        raise InvalidInput(f"there is no share {unknown[0]}", fix="fabriek funding shares")
    weights = {share: round(part * factors.get(share, 1.0)) for share, part in policy.shares.items()}
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise InvalidInput("a share is scaled by a factor above zero", fix="give a factor such as 2.0")
    return Policy(apportion(MICRO, weights))


def replay(trace: Sequence[TraceRow], machine: Machine, policy: Policy) -> Outcome:
    """Runs every job of the trace as long as it really ran, in the order and at the times that admission decides."""
    if len({row.job for row in trace}) < len(trace):
        raise InvalidInput("a job stands twice in the trace", fix="give every row a name of its own")
    return _Replay(trace, machine, policy).run()


class _Replay:
    """State of one replay. The clock stops wherever a decision could change: a job arrives or leaves, a limit begins or ends."""

    def __init__(self, trace: Iterable[TraceRow], machine: Machine, policy: Policy) -> None:
        self._machine, self._policy = machine, policy
        self._events = [row.submitted_at for row in trace]
        self._events += [at for limit in machine.limits for at in (limit.starts, limit.ends)]
        heapq.heapify(self._events)
        self._arriving = sorted(trace, key=lambda row: (row.submitted_at, row.job), reverse=True)
        self._waiting: dict[str, TraceRow] = {}
        self._standing: dict[str, Placed] = {}
        self._gone: list[Placed] = []

    def run(self) -> Outcome:
        while self._events:
            now = heapq.heappop(self._events)
            while self._events and self._events[0] == now:
                heapq.heappop(self._events)
            self._see(now)
            if self._waiting:
                self._decide(now)
        return outcome_of(self._gone, sorted(self._waiting), self._machine.capacity, self._machine.table)

    def _see(self, now: datetime) -> None:
        """Who left, and who came."""
        for job in [job for job, placed in self._standing.items() if placed.ended_at <= now]:
            self._gone.append(self._standing.pop(job))
        while self._arriving and self._arriving[-1].submitted_at <= now:
            row = self._arriving.pop()
            self._waiting[row.job] = row

    def _decide(self, now: datetime) -> None:
        for decision in admit(self._snapshot(), now):
            if decision.starts:
                row = self._waiting.pop(decision.job)
                # A job past its limit would have been killed at it.
                ran = min(max(0.0, row.ran_seconds), float(row.shape.wall_seconds_max))
                placed = Placed(row, now, now + timedelta(seconds=ran), decision.placed)
                self._standing[row.job] = placed
                heapq.heappush(self._events, placed.ended_at)

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            capacity=self._machine.capacity,
            table=self._machine.table,
            contract=self._machine.contract,
            limits=self._machine.limits,
            shares=self._policy.shares,
            running=tuple(
                Running(
                    job,
                    placed.row.share,
                    placed.row.shape,
                    placed.started_at + _longest(placed.row),
                    placed=placed.where,
                )
                for job, placed in self._standing.items()
            ),
            queued=tuple(
                Waiting(job, row.share, row.shape, row.submitted_at, row.priority) for job, row in self._waiting.items()
            ),
        )


def _longest(row: TraceRow) -> timedelta:
    return timedelta(seconds=row.shape.wall_seconds_max)
