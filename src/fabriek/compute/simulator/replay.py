"""The replay: a virtual clock that jumps from event to event, and at each asks the real admission what may start."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fabriek.compute.admission import starts
from fabriek.compute.board import EVER, Board
from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Waiting
from fabriek.compute.order import FirstCome, Order
from fabriek.compute.power import Contract, Limit, PowerTable
from fabriek.compute.simulator.outcomes import Outcome, Placed, outcome_of
from fabriek.compute.simulator.traces import TraceRow
from fabriek.compute.snapshot import Snapshot
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
    """What the funders agreed: share id → its part of the machine, in millionths; and which of a share's jobs goes first."""

    shares: Mapping[str, int]
    order: Order = field(default_factory=FirstCome)


def scaled(policy: Policy, factors: Mapping[str, float]) -> Policy:
    """The policy with some shares made larger or smaller, all parts cut again to sum to one. Raises InvalidInput."""
    if unknown := sorted(set(factors) - set(policy.shares)):
        raise InvalidInput(f"there is no share {unknown[0]}", fix="fabriek funding shares")
    weights = {share: round(part * factors.get(share, 1.0)) for share, part in policy.shares.items()}
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise InvalidInput("a share is scaled by a factor above zero", fix="give a factor such as 2.0")
    return replace(policy, shares=apportion(MICRO, weights))


def replay(trace: Sequence[TraceRow], machine: Machine, policy: Policy) -> Outcome:
    """Runs every job of the trace as long as it really ran, in the order and at the times that admission decides."""
    if len({row.job for row in trace}) < len(trace):
        raise InvalidInput("a job stands twice in the trace", fix="give every row a name of its own")
    return _Replay(trace, machine, policy).run()


class _Replay:
    """State of one replay. The clock stops wherever a decision could change: a job arrives or leaves, a limit begins or ends."""

    def __init__(self, trace: Sequence[TraceRow], machine: Machine, policy: Policy) -> None:
        self._machine, self._policy = machine, policy
        self._arriving = sorted(trace, key=lambda row: (row.submitted_at, row.job), reverse=True)
        limits = sorted({at for limit in machine.limits for at in (limit.starts, limit.ends)}, reverse=True)
        self._limits, self._leaving = limits, list[tuple[datetime, int, str]]()
        self._rows: dict[str, TraceRow] = {}
        self._waiting: dict[str, Waiting] = {}
        self._standing: dict[str, Placed] = {}
        self._gone: list[Placed] = []
        start = min([*(limits[-1:]), *(row.submitted_at for row in self._arriving[-1:])], default=EVER)
        # Nothing in it that changes: what stands and who waits is on the board.
        self._snapshot = Snapshot(
            capacity=machine.capacity, table=machine.table, shares=policy.shares, contract=machine.contract, limits=machine.limits,
            order=policy.order,
        )  # fmt: skip
        self._board = Board(self._snapshot, start)

    def run(self) -> Outcome:
        while (now := self._next()) is not None:
            self._see(now)
            if self._waiting:
                self._decide(now)
        return outcome_of(self._gone, sorted(self._waiting), self._machine.capacity, self._machine.table)

    def _next(self) -> datetime | None:
        """The next instant at which anything happens."""
        coming = [self._leaving[0][0]] if self._leaving else []
        if self._arriving:
            coming.append(self._arriving[-1].submitted_at)
        if self._limits and self._waiting:
            coming.append(self._limits[-1])
        return min(coming, default=None)

    def _see(self, now: datetime) -> None:
        """Who left, and who came."""
        self._board.advance(now)
        while self._limits and self._limits[-1] <= now:
            self._limits.pop()
        while self._leaving and self._leaving[0][0] <= now:
            _, _, job = heapq.heappop(self._leaving)
            self._gone.append(self._standing.pop(job))
            self._board.leave(job, now)
        while self._arriving and self._arriving[-1].submitted_at <= now:
            row = self._arriving.pop()
            number = len(self._rows)
            self._rows[row.job] = row
            waiting = Waiting(row.job, row.share, row.shape, row.submitted_at, row.priority, number=number)
            self._waiting[row.job] = waiting
            self._board.wait(waiting)

    def _decide(self, now: datetime) -> None:
        made, _ = starts(self._board, self._snapshot, now)
        for start in made:
            waiting, row = start.waiting, self._rows[start.waiting.job]
            del self._waiting[waiting.job]
            self._board.take(waiting)
            # A job past its limit would have been killed at it.
            ran = min(max(0.0, row.ran_seconds), float(row.shape.wall_seconds_max))
            placed = Placed(row, now, now + timedelta(seconds=ran), start.placed)
            self._standing[row.job] = placed
            heapq.heappush(self._leaving, (placed.ended_at, waiting.number, row.job))
