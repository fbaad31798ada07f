"""Forecasts of a trace: at each submission, with what was known then, beside what came of it.

The trace is played as it is, by the admission that decides; whatever a forecast learns from had ended, started or come before it was made.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from statistics import median

from fabriek.compute.admission import starts
from fabriek.compute.board import INSTANT, Board
from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.forecasting.calibrating import Calibration
from fabriek.compute.forecasting.chances import chances, features_of, forecast_of, outcome_of
from fabriek.compute.forecasting.forecasts import Features, Forecast
from fabriek.compute.forecasting.futures import Drawn
from fabriek.compute.forecasting.past import WEEK, WEEKS_BACK, Came, Lengths, Owner, Ran
from fabriek.compute.placement import Placement
from fabriek.compute.simulator.replay import Machine, Policy
from fabriek.compute.simulator.traces import TraceRow
from fabriek.compute.snapshot import Snapshot

FUTURES = 4
WAITS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """A forecast, and the wait that came of it, in seconds. `backfill_seconds`: what backfilling planned with the times asked for;
    `usual_seconds`: the middle of the latest waits of whoever submitted it.
    """

    job: str
    forecast: Forecast
    wait_seconds: float
    backfill_seconds: float
    usual_seconds: float

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """The waits that were said, in seconds: the ends of the interval and its middle."""
        made, last = self.forecast.made_at, self.forecast.made_at + timedelta(seconds=self.backfill_seconds)
        low, middle, high = (at or last for at in (self.forecast.earliest, self.forecast.median, self.forecast.latest))
        return (low - made).total_seconds(), (middle - made).total_seconds(), (high - made).total_seconds()


@dataclass(slots=True)
class _Open:
    """A forecast whose job has not started."""

    forecast: Forecast
    features: Features | None
    backfill_seconds: float
    usual_seconds: float


def backtest(
    rows: Sequence[TraceRow], owner_of: Mapping[str, Owner], machine: Machine, policy: Policy, *,
    asked: Callable[[TraceRow], bool], seed: int = 1,
) -> Iterator[Judged]:  # fmt: skip
    """In the order in which they started. owner_of: a job of the trace → whose it is. asked: which submissions are forecast."""
    return _Backtest(rows, owner_of, machine, policy, asked, Random(seed)).run()  # noqa: S311  # draws, no secrets


@dataclass(slots=True)
class _Backtest:
    rows: Sequence[TraceRow]
    owner_of: Mapping[str, Owner]
    machine: Machine
    policy: Policy
    asked: Callable[[TraceRow], bool]
    chance: Random
    lengths: Lengths = field(default_factory=Lengths)
    came: Came = field(default_factory=Came)
    calibration: Calibration = field(default_factory=Calibration)
    ran: dict[str, float] = field(default_factory=dict)
    open: dict[str, _Open] = field(default_factory=dict)
    standing: dict[str, tuple[datetime, Placement]] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    usual: dict[str, deque[float]] = field(default_factory=dict)

    def run(self) -> Iterator[Judged]:
        coming = sorted(self.rows, key=lambda row: (row.submitted_at, row.job), reverse=True)
        by_job, numbers = {row.job: row for row in coming}, {row.job: n for n, row in enumerate(reversed(coming))}
        capacity, table = self.machine.capacity, self.machine.table
        bare = Snapshot(
            capacity=capacity, table=table, shares=self.policy.shares, order=self.policy.order, rules=self.policy.rules
        )
        if not coming:
            return
        board, leaving = Board(bare, coming[-1].submitted_at), list[tuple[datetime, int, str]]()
        while coming or leaving:
            now = min([one[0] for one in leaving[:1]] + [row.submitted_at for row in coming[-1:]])
            board.advance(now)
            while leaving and leaving[0][0] <= now:
                _, _, job = heapq.heappop(leaving)
                board.leave(job, now)
                self._gone(by_job[job])
            new = list[TraceRow]()
            while coming and coming[-1].submitted_at <= now:
                new.append(coming.pop())
            self._foretell(new, bare, now, numbers, by_job)
            for row in new:
                board.wait(self.waiting[row.job])
            for start in starts(board, bare, now)[0] if self.waiting else ():
                job, row = start.waiting.job, by_job[start.waiting.job]
                board.take(self.waiting.pop(job))
                self.standing[job] = now, start.placed
                ran = min(max(0.0, row.ran_seconds), float(row.shape.wall_seconds_max))
                heapq.heappush(leaving, (now + timedelta(seconds=ran), numbers[job], job))
                yield from self._began(row, now)

    def _gone(self, row: TraceRow) -> None:
        self.standing.pop(row.job)
        self.ran[row.job] = row.ran_seconds
        self.lengths.note(self.owner_of[row.job], row.shape.wall_seconds_max, row.ran_seconds)

    def _foretell(
        self, new: Sequence[TraceRow], bare: Snapshot, now: datetime, numbers: Mapping[str, int], by_job: Mapping[str, TraceRow]
    ) -> None:  # fmt: skip
        """One after the other, as they came: each with those before it in line."""
        for row in new:
            waiting = Waiting(row.job, row.share, row.shape, row.submitted_at, row.priority, number=numbers[row.job])
            self.waiting[row.job] = waiting
            owner = self.owner_of[row.job]
            if self.asked(row):
                running = tuple(
                    Running(
                        job, by_job[job].share, by_job[job].shape,
                        at + timedelta(seconds=by_job[job].shape.wall_seconds_max) + numbers[job] * INSTANT, placed=placed,
                        waited_seconds=(at - by_job[job].submitted_at).total_seconds(),
                    )
                    for job, (at, placed) in self.standing.items()
                )  # fmt: skip
                snapshot = replace(bare, running=running, queued=tuple(self.waiting.values()))
                self.open[row.job] = self._told(snapshot, row, now)
            self.came.add(Ran(row.job, owner, row.share, row.shape, row.submitted_at, None, row.priority))
        self.came.forget(now - WEEK * (WEEKS_BACK + 1))

    def _told(self, snapshot: Snapshot, row: TraceRow, now: datetime) -> _Open:
        futures = [
            Drawn(number, now, self.lengths, self.came, self.owner_of, lambda one: self.ran.get(one.job), self.chance)
            for number in range(FUTURES if self.lengths.enough else 0)
        ]
        chance = chances(snapshot, now, [row.job], futures)[row.job]
        features = features_of(chance, row.shape, now, self.machine.capacity) if chance.starts else None
        backfill = (chance.asked - now).total_seconds() if chance.asked is not None else 0.0
        waits = self.usual.get(self.owner_of[row.job].person) or self.usual.get("") or [0.0]
        return _Open(forecast_of(chance, features, now, self.calibration), features, backfill, median(waits))

    def _began(self, row: TraceRow, now: datetime) -> Iterator[Judged]:
        wait = (now - row.submitted_at).total_seconds()
        for name in ("", self.owner_of[row.job].person):
            self.usual.setdefault(name, deque(maxlen=WAITS_KEPT)).append(wait)
        told = self.open.pop(row.job, None)
        if told is None:
            return
        if told.features is not None and not told.forecast.starts_now:
            self.calibration.learn(outcome_of(told.forecast, told.features, now))
        yield Judged(row.job, told.forecast, wait, told.backfill_seconds, told.usual_seconds)
