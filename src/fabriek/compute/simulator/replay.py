"""The replay: a virtual clock that jumps from event to event, and at each asks the real admission what may start."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from fabriek.compute.admission import starts
from fabriek.compute.board import EVER, Board
from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Waiting
from fabriek.compute.deciding import Start
from fabriek.compute.order import FirstCome, Order
from fabriek.compute.power import Contract, Limit, PowerTable
from fabriek.compute.sharing.rules import PLAIN, ShareRules
from fabriek.compute.simulator.climbing import Climbing
from fabriek.compute.simulator.outcomes import Outcome, Placed, outcome_of
from fabriek.compute.simulator.traces import TraceRow
from fabriek.compute.snapshot import Snapshot
from fabriek.funding.giving.shares import apportion
from fabriek.funding.policy.ladders import Ladder
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO

ROUNDS_MAX = 10
"""At one instant: each puts somebody back for another, and nobody who waits may make those leave who come before them."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is there and what may be drawn, the same under every policy. `parts`: kind of work → the part of a GPU that it draws on average."""

    capacity: Capacity
    table: PowerTable
    contract: Contract | None = None
    limits: tuple[Limit, ...] = ()
    parts: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the funders agreed: share id → its part of the machine, in millionths; which of a share's jobs goes first; how shares stand to each
    other; and what is done where a limit on power becomes known while jobs run.
    """

    shares: Mapping[str, int]
    order: Order = field(default_factory=FirstCome)
    rules: ShareRules = PLAIN
    ladder: Ladder | None = None


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
        self._numbers: dict[str, int] = {}
        self._gone: list[Placed] = []
        self._put_back: list[Placed] = []
        self._done: dict[str, tuple[float, float]] = {}
        start = min(
            [
                *(limits[-1:]),
                *(limit.known_from for limit in machine.limits if limit.known_from),
                *(row.submitted_at for row in self._arriving[-1:]),
            ],
            default=EVER,
        )
        # Nothing in it that changes: what stands and who waits is on the board.
        self._snapshot = Snapshot(
            capacity=machine.capacity, table=machine.table, shares=policy.shares, contract=machine.contract, limits=machine.limits,
            order=policy.order, rules=policy.rules,
        )  # fmt: skip
        self._board = Board(self._snapshot, start)
        self._climbing = Climbing(machine.limits, machine.table, self._board.idle, machine.contract, policy.ladder)

    def run(self) -> Outcome:
        while (now := self._next()) is not None:
            self._see(now)
            if self._waiting:
                self._decide(now)
        return outcome_of(
            self._gone,
            self._put_back,
            sorted(self._waiting),
            self._machine.capacity,
            self._machine.table,
            self._machine.parts,
        )

    def _next(self) -> datetime | None:
        """The next instant at which anything happens."""
        first = self._leaving[0][0] if self._leaving else None
        if self._arriving and (first is None or self._arriving[-1].submitted_at < first):
            first = self._arriving[-1].submitted_at
        if self._limits and self._waiting and (first is None or self._limits[-1] < first):
            first = self._limits[-1]
        looks = self._climbing.looks
        if looks and (first is not None or self._waiting) and (first is None or looks[-1] < first):
            first = looks[-1]
        return first

    def _see(self, now: datetime) -> None:
        """Who left, and who came."""
        self._board.advance(now)
        while self._limits and self._limits[-1] <= now:
            self._limits.pop()
        while self._leaving and self._leaving[0][0] <= now:
            ends, _, job = heapq.heappop(self._leaving)
            standing = self._standing.get(job)
            if standing is None or standing.ended_at != ends:  # it was put back since
                continue
            self._gone.append(self._standing.pop(job))
            self._board.leave(job, now)
        if self._climbing.looks and self._climbing.looks[-1] <= now:
            for limit in self._climbing.told(now):
                self._board.announce(limit, now)
            for act in self._climbing.acts(self._standing.values(), now):
                self._return(act.job, now)
        while self._arriving and self._arriving[-1].submitted_at <= now:
            row = self._arriving.pop()
            number = len(self._rows)
            self._rows[row.job] = row
            self._wait(Waiting(
                row.job, row.share, row.shape, row.submitted_at, row.priority, number=number, owner=row.owner, preemptible=row.preemptible
            ))  # fmt: skip

    def _wait(self, waiting: Waiting) -> None:
        self._waiting[waiting.job] = waiting
        self._numbers[waiting.job] = waiting.number
        self._board.wait(waiting)

    def _decide(self, now: datetime) -> None:
        """Whoever is put back is gone at once, and those for whom it left have their turn at the same instant."""
        for _ in range(ROUNDS_MAX):
            made, leave = starts(self._board, self._snapshot, now)
            for start in made:
                self._begin(start, now)
            for job in leave:
                self._return(job, now)
            if not leave or not self._waiting:
                return

    def _begin(self, start: Start, now: datetime) -> None:
        waiting, row = start.waiting, self._rows[start.waiting.job]
        del self._waiting[waiting.job]
        self._board.take(waiting)
        done, before = self._done.get(row.job, (0.0, 0.0))
        # A job past its limit would have been killed at it.
        left = min(max(0.0, row.ran_seconds - done), float(waiting.shape.wall_seconds_max))
        placed = Placed(row, now, now + timedelta(seconds=left), start.placed, before)
        self._standing[row.job] = placed
        heapq.heappush(self._leaving, (placed.ended_at, waiting.number, row.job))

    def _return(self, job: str, now: datetime) -> None:
        """It waits again, for what it has still to do; it asks for the time that it has not run. One that cannot be put back begins anew."""
        stood, row = self._standing.pop(job), self._rows[job]
        done, before = self._done.get(job, (0.0, 0.0))
        ran = (now - stood.started_at).total_seconds()
        lost = ran if not row.preemptible else ran % row.checkpoint_seconds if row.checkpoint_seconds else 0.0
        self._put_back.append(stood._replace(ended_at=now, lost_seconds=lost))
        self._done[job] = done + ran - lost, before + ran
        left = max(1, ceil(row.shape.wall_seconds_max - done - ran + lost))
        self._board.leave(job, now)
        shape = replace(row.shape, wall_seconds_max=left)
        self._wait(Waiting(
            job, row.share, shape, row.submitted_at, row.priority, number=self._numbers[job], owner=row.owner, preemptible=row.preemptible
        ))  # fmt: skip
