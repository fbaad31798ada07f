from datetime import datetime, timedelta

import pytest

from fabriek.compute.powering.quarters import LENGTH, From, Quarter, begin_of, closed, counted
from fabriek.compute.powering.readings import Reading, check, same, watts_of_now, watts_within
from fabriek.kernel.errors import AlreadyExists, InvalidInput
from tests.factories.compute import NOON

MINUTE = timedelta(minutes=1)


def reading(at: datetime = NOON, watts: int | None = None, counter: int | None = None, meter: str = "main") -> Reading:
    return Reading(meter, at, watts, counter, NOON)


def test_watts_of_a_quarter_are_the_mean_of_what_was_read_in_it() -> None:
    said = [reading(NOON, 100), reading(NOON + 5 * MINUTE, 300), reading(NOON + 15 * MINUTE, 900)]
    assert watts_within(said, NOON, NOON + LENGTH) == 200
    assert watts_within([], NOON, NOON + LENGTH) is None


def test_a_counter_says_what_was_drawn_between_and_goes_before_single_looks() -> None:
    said = [
        reading(NOON - 5 * MINUTE, counter=1_000),
        reading(NOON + 5 * MINUTE, counter=1_100, watts=9),
        reading(NOON + 20 * MINUTE, counter=1_250),
    ]
    assert watts_within(said, NOON, NOON + LENGTH) == 600


def test_a_counter_that_runs_backwards_or_was_away_for_long_says_nothing() -> None:
    assert (
        watts_within(
            [reading(NOON - MINUTE, counter=900), reading(NOON + 16 * MINUTE, counter=10)], NOON, NOON + LENGTH
        )
        is None
    )
    far = [reading(NOON - 60 * MINUTE, counter=0), reading(NOON + 60 * MINUTE, counter=1_000)]
    assert watts_within(far, NOON, NOON + LENGTH) is None


def test_meters_are_added_and_one_that_is_silent_leaves_the_sum_unknown() -> None:
    both = [reading(NOON, 100), reading(NOON, 50, meter="second")]
    assert watts_within(both, NOON, NOON + LENGTH) == 150
    silent = [reading(NOON, 100), reading(NOON - MINUTE, 50, meter="second")]
    assert watts_within(silent, NOON, NOON + LENGTH) is None
    assert watts_of_now(both, NOON - MINUTE, NOON) == 150
    assert (
        watts_of_now([reading(NOON - 2 * MINUTE, counter=0), reading(NOON, counter=20)], NOON - 5 * MINUTE, NOON) == 600
    )
    assert watts_of_now([reading(NOON + MINUTE, 100)], NOON - MINUTE, NOON) is None


@pytest.mark.parametrize(
    "wrong",
    [
        reading(),
        reading(watts=-1),
        reading(counter=-1),
        reading(watts=10**11),
        reading(NOON + timedelta(hours=1), 5),
        reading(watts=1, meter=""),
    ],
)
def test_what_no_meter_reads_is_refused(wrong: Reading) -> None:
    with pytest.raises(InvalidInput):
        check(wrong, NOON)


def test_one_meter_says_one_thing_of_one_instant() -> None:
    same(reading(watts=5), reading(watts=5))
    with pytest.raises(AlreadyExists):
        same(reading(watts=5), reading(watts=6))


def test_a_quarter_is_counted_a_look_at_a_time_and_twice_counts_once() -> None:
    quarter = Quarter(NOON, NOON)
    for minutes in (1, 2, 2, 1):  # the same look again, and a clock that was set back
        quarter = counted(quarter, NOON + minutes * MINUTE, 100, 50)
    assert (quarter.known_seconds, quarter.planned_joules, quarter.estimated_joules) == (120, 12_000, 6_000)
    assert quarter.planned_watts is None
    for minutes in range(3, 20):
        quarter = counted(quarter, NOON + minutes * MINUTE, 100, 50)
    assert (quarter.known_seconds, quarter.planned_watts) == (900, 100)
    done = closed(quarter, None, 60)
    assert (done.drawn_watts, done.drawn_from, done.is_over) == (50, From.ESTIMATE, False)
    assert closed(quarter, 61, 60).is_over


def test_what_nobody_looked_at_for_long_is_not_known() -> None:
    quarter = counted(Quarter(NOON, NOON), NOON + LENGTH, 100, 50)
    done = closed(quarter, None, 60)
    assert (done.planned_watts, done.drawn_watts, done.drawn_from, done.is_over) == (None, None, From.UNKNOWN, False)
    assert begin_of(NOON + 14 * MINUTE) == NOON
