"""Playing forward decides as admission does, on what each future says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.decisions import Because
from fabriek.compute.forecasting.ahead import play
from fabriek.compute.forecasting.futures import AsAsked
from fabriek.compute.forecasting.pacing import Pace
from fabriek.compute.gates import Gate
from fabriek.compute.power import Contract
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.traces import TraceRow
from tests.factories.compute import NOON, a_limit, a_running, a_shape, a_snapshot, a_waiting

HOUR = timedelta(hours=1)


@dataclass
class Told:
    """A future that is told: seconds by job, and who comes."""

    seconds: dict[str, float]
    coming: list[Waiting] = field(default_factory=list)

    def ends(self, running: Running, now: datetime) -> datetime:
        return now + timedelta(seconds=self.seconds[running.job])

    def runs(self, waiting: Waiting) -> timedelta:
        return timedelta(seconds=self.seconds[waiting.job])

    def comes(self) -> Iterator[Waiting]:
        return iter(self.coming)


def test_a_job_starts_once_the_one_before_it_has_left_in_that_future() -> None:
    snapshot = a_snapshot(a_waiting("b", cpus=8), running=(a_running("a", cpus=8),))
    assert play(snapshot, NOON, Told({"a": 600, "b": 60}), ["b"]).starts == {"b": NOON + timedelta(seconds=600)}
    assert play(snapshot, NOON, AsAsked(), ["b"]).starts == {"b": NOON + HOUR}


def test_what_fits_starts_at_once_whatever_the_future() -> None:
    found = play(a_snapshot(a_waiting("a")), NOON, Told({"a": 60}), ["a"])
    assert (found.starts, found.whole) == ({"a": NOON}, True)


def test_who_comes_later_may_overtake() -> None:
    urgent = a_waiting("+u", cpus=8, at=NOON + timedelta(seconds=10), priority="urgent")
    snapshot = a_snapshot(a_waiting("b", cpus=8), running=(a_running("a", cpus=8),))
    found = play(snapshot, NOON, Told({"a": 100, "b": 60, "+u": 500}, [urgent]), ["b"])
    assert found.starts == {"b": NOON + timedelta(seconds=600)}


def test_a_limit_that_ends_lets_jobs_start() -> None:
    snapshot = a_snapshot(a_waiting("a", cpus=6), contract=Contract(500), limits=(a_limit(40, hours=2),))
    assert play(snapshot, NOON, AsAsked(), ["a"]).starts == {"a": NOON + 2 * HOUR}


def test_what_can_never_start_and_what_has_no_turn_is_left_out() -> None:
    gated = Waiting("g", "shr_1", a_shape(), NOON, gate=Gate(Because.DEPENDENCY, "Waits for another."))
    found = play(a_snapshot(a_waiting("huge", cpus=99), gated, a_waiting("a")), NOON, AsAsked(), ["huge", "g", "a"])
    assert found.starts == {"a": NOON}


def test_what_there_is_no_time_to_play_is_put_where_the_line_comes_to_it() -> None:
    line = [a_waiting(f"job_{number:03}", cpus=8, at=NOON, seconds=100) for number in range(100)]
    seconds = iter(range(1_000))
    found = play(a_snapshot(*line), NOON, AsAsked(), ["job_099"], goes_on=lambda: next(seconds) < 3)
    assert not found.whole
    assert NOON < found.starts["job_099"] <= NOON + timedelta(seconds=100 * 101)
    assert abs((found.starts["job_099"] - NOON).total_seconds() - 9_900) < 900


def test_a_pace_shares_what_is_left_among_the_plays_that_are_left() -> None:
    at = [0.0]
    pace = Pace(lambda: at[0], 10.0)
    first = pace.turn(5)
    at[0] = 1.9
    assert first()
    at[0] = 2.0
    assert not first()
    assert pace.turn(4)()
    at[0] = 10.0
    assert (pace.left, pace.turn(1)()) == (0.0, False)


rows = st.lists(
    st.tuples(st.integers(1, 8), st.integers(1, 4_000), st.integers(0, 4_000), st.integers(0, 3_000)),
    min_size=1,
    max_size=12,
)


@given(rows)
def test_a_future_that_comes_true_is_what_the_replay_makes_of_the_trace(told: list[tuple[int, int, int, int]]) -> None:
    trace = [
        TraceRow(f"job_{n:02}", "shr_1", a_shape(cpus=cpus, seconds=asked), NOON + timedelta(seconds=after), ran)
        for n, (cpus, asked, ran, after) in enumerate(sorted(told, key=lambda one: one[3]))
    ]
    snapshot = a_snapshot()
    machine = Machine(snapshot.capacity, snapshot.table)
    real = {one.row.job: one.started_at for one in replay(trace, machine, Policy({}, snapshot.order)).placed}
    seconds = {row.job: min(row.ran_seconds, row.shape.wall_seconds_max) for row in trace}
    coming = [Waiting(row.job, row.share, row.shape, row.submitted_at, number=n) for n, row in enumerate(trace)]
    assert play(snapshot, trace[0].submitted_at, Told(seconds, coming), real).starts == real
