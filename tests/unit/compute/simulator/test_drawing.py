"""What is drawn over time: summed up by hand for two jobs, and never above the envelope where admission decides."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.compute.capacity import Capacity
from fabriek.compute.power import Contract, Limit
from fabriek.compute.simulator.drawing import QUARTER, quarter_hours_above, steps_of
from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.traces import TraceRow
from tests.factories.compute import GIB, NOON, a_limit, a_row, a_table

CAPACITY = Capacity(8, 0, 64 * GIB)
HOUR = timedelta(hours=1)


def at(row: TraceRow, start: float, hours: float) -> Placed:
    return Placed(row, NOON + start * HOUR, NOON + (start + hours) * HOUR)


def test_each_step_sums_what_stands_and_the_idle_machine() -> None:
    machine = Machine(CAPACITY, a_table(idle=28, cpu=10), Contract(100), (a_limit(60, starts=NOON + HOUR, hours=1),))
    placed = [at(a_row("a", cpus=2), 0, 2), at(a_row("b", cpus=3), 1.5, 1)]
    assert [(one.watts, one.allowed) for one in steps_of(placed, machine)] == [(48, 100), (48, 60), (78, 60), (58, 100)]
    # From 13:30 to 14:00 it was above the limit of 60 W.
    assert quarter_hours_above(placed, machine) == 2
    assert quarter_hours_above(placed, Machine(CAPACITY, a_table())) == 0
    assert list(steps_of([], machine)) == []


def test_a_moment_above_makes_the_whole_quarter_count() -> None:
    machine = Machine(CAPACITY, a_table(idle=28, cpu=10), Contract(40))
    assert quarter_hours_above([at(a_row(cpus=2), 0.2, 0.1)], machine) == 2
    assert quarter_hours_above([at(a_row(cpus=2), 0, QUARTER / HOUR)], machine) == 1


rows = st.lists(
    st.builds(
        a_row,
        after_seconds=st.integers(0, 20_000),
        ran_seconds=st.integers(1, 5_000),
        cpus=st.integers(1, 8),
        seconds=st.integers(1, 5_000),
    ),
    max_size=15,
).map(lambda made: [TraceRow(f"job_{n}", "", r.shape, r.submitted_at, r.ran_seconds) for n, r in enumerate(made)])
limits = st.lists(
    st.builds(
        lambda start, hours, watts: a_limit(watts, starts=NOON + start * HOUR, hours=hours),
        st.integers(0, 5),
        st.integers(1, 3),
        st.integers(28, 90),
    ),
    max_size=3,
)


@settings(max_examples=100)
@given(rows, limits)
def test_what_admission_lets_in_is_never_above(trace: list[TraceRow], limited: list[Limit]) -> None:
    machine = Machine(CAPACITY, a_table(idle=28, cpu=10), Contract(90), tuple(limited))
    assert quarter_hours_above(replay(trace, machine, Policy({})).placed, machine) == 0
