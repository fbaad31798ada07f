"""Stretches of time, summed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.simulator.reporting.axes import lasting, moment, time_ticks, up_to
from fabriek.compute.simulator.reporting.windows import DAY, Span, Window, busiest, sums_between, whole


def test_sums_between_edges() -> None:
    assert sums_between([(0, 10, 2), (5, 15, 1)], [0, 5, 10, 20]) == [10, 15, 5]
    assert sums_between([(-5, 5, 2)], [0, 1]) == [2]
    assert sums_between([], [0, 1, 2]) == [0, 0]
    assert sums_between([(3, 4, 1)], [0, 1, 2]) == [0, 0]


spans = st.lists(
    st.tuples(st.integers(-5, 30), st.integers(1, 20), st.integers(1, 5)).map(
        lambda one: (one[0], one[0] + one[1], one[2])
    ),
    max_size=12,
)


@given(spans, st.lists(st.integers(0, 40), min_size=2, max_size=8, unique=True).map(sorted))
def test_sums_are_those_of_each_second(drawn: list[Span], edges: list[float]) -> None:
    found = sums_between(drawn, edges)
    for number, total in enumerate(found):
        seconds = range(int(edges[number]), int(edges[number + 1]))
        assert total == pytest.approx(
            sum(amount for start, end, amount in drawn for at in seconds if start <= at < end)
        )


def test_the_busiest_week_is_the_one_with_most_in_it() -> None:
    drawn: list[Span] = [(0, 100 * DAY, 1), (50 * DAY, 57 * DAY, 9)]
    assert busiest(drawn, Window(0, 100 * DAY), 7 * DAY) == Window(50 * DAY, 57 * DAY)
    assert busiest(drawn, Window(0, 3 * DAY), 7 * DAY) == Window(0, 3 * DAY)
    # The earliest of those that are equal.
    assert busiest([(0, 100 * DAY, 1)], Window(0, 100 * DAY), 7 * DAY).start == 0
    assert whole([]).length > 0


def test_scales_are_round_and_reach_the_highest() -> None:
    assert up_to(0.83, "%") == (1.0, [(0.0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1.0, "100 %")])
    top, ticks = up_to(1_317, "kW")
    assert (top, ticks[-1][1]) == (1_500, "1,500 kW")
    assert up_to(0, "kW")[0] > 0
    assert [word for _, word in time_ticks(Window(0, 10 * DAY))] == ["day 0", "2.5", "5", "7.5", "10"]
    assert time_ticks(Window(0, 4 * 3600))[0] == (0, "h 0")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (5_400, "1.5 h"), (DAY, "24 h"), (3 * DAY, "3 days")]
)
def test_times_are_said_shortly(seconds: float, said: str) -> None:
    assert lasting(seconds) == said
    assert moment(DAY + 3_660) == "day 1, 01:01"
