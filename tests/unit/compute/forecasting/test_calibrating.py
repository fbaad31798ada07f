from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.forecasting.calibrating import ENOUGH, Calibration, quantile
from fabriek.compute.forecasting.forecasts import Features, Outcome

CHANCE = Random(7)  # noqa: S311  # draws, no secrets


def a_feature(middle: float = 8.0, **changes: float) -> Features:
    known = {"middle": middle, "spread": 1.0, "beyond": 0.5, "size": -2.0, "length": 8.0} | changes
    return Features(**known)


def drawn(calibration: Calibration, count: int, noise: float, *, shift: float = 0.0) -> float:
    """Forecasts of waits whose logarithm is off by a normal error; the part that the interval held."""
    held = 0
    for _ in range(count):
        features = a_feature(CHANCE.uniform(5, 11))
        error = CHANCE.gauss(shift, noise)
        if not calibration.enough:
            calibration.learn(Outcome(features, error))
            continue
        low, _, high = calibration.of(features)
        at = features.middle + error
        held += low <= at <= high
        calibration.learn(Outcome(features, error, early=at < low, late=at > high))
    return held / count


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_four_of_five_lie_in_the_interval_however_wide_the_errors(noise: float) -> None:
    calibration = Calibration()
    drawn(calibration, 300, noise)
    assert 0.76 <= drawn(calibration, 3_000, noise) <= 0.84


def test_the_interval_goes_on_holding_when_everything_becomes_later_and_wilder() -> None:
    calibration = Calibration()
    drawn(calibration, 1_000, 0.3)
    drawn(calibration, 800, 0.9, shift=1.5)
    assert 0.75 <= drawn(calibration, 2_000, 0.9, shift=1.5) <= 0.85


def test_the_middle_is_moved_by_what_was_off_before() -> None:
    calibration = Calibration(Outcome(a_feature(8.0), 0.7) for _ in range(100))
    assert calibration.of(a_feature(8.0)) == (8.7, 8.7, 8.7)


def test_only_forecasts_that_are_alike_say_something() -> None:
    short, long = a_feature(5.0), a_feature(11.0)
    calibration = Calibration([*(Outcome(short, 2.0) for _ in range(100)), *(Outcome(long, -1.0) for _ in range(100))])
    assert calibration.of(short)[1] == 7.0
    assert calibration.of(long)[1] == 10.0


def test_few_outcomes_are_not_enough() -> None:
    calibration = Calibration(Outcome(a_feature(), 0.0) for _ in range(ENOUGH - 1))
    assert not calibration.enough
    calibration.learn(Outcome(a_feature(), 0.0))
    assert calibration.enough


outcomes = st.lists(
    st.builds(
        Outcome, st.builds(a_feature, st.floats(4, 14)), st.floats(-8, 8), early=st.booleans(), late=st.booleans()
    ),
    min_size=ENOUGH,
    max_size=ENOUGH + 30,
)


@given(outcomes, st.floats(4, 14))
def test_an_interval_is_in_order_whatever_was_learnt(past: list[Outcome], middle: float) -> None:
    low, median, high = Calibration(past).of(a_feature(middle))
    assert low <= median <= high


def test_a_quantile_lies_between_its_neighbours() -> None:
    assert [quantile([1.0, 2.0, 4.0], level) for level in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1.0, 1.5, 2.0, 3.0, 4.0]
    assert quantile([3.0], 0.9) == 3.0
