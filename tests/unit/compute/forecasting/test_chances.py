from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.forecasting.calibrating import Calibration
from fabriek.compute.forecasting.chances import Chances, chances, features_of, forecast_of, outcome_of
from fabriek.compute.forecasting.forecasts import Basis, Features, Forecast, Outcome
from fabriek.compute.forecasting.futures import AsAsked
from fabriek.compute.forecasting.pacing import Pace
from tests.factories.compute import NOON, a_running, a_shape, a_snapshot, a_waiting

HOUR = timedelta(hours=1)
NOTHING = Calibration()
WHOLE = a_snapshot().capacity


def after(*hours: float) -> tuple[datetime, ...]:
    return tuple(NOON + timedelta(hours=one) for one in hours)


def features(chance: Chances) -> Features:
    return features_of(chance, a_shape(cpus=2), NOON, WHOLE)


def test_what_starts_at_once_is_told_so() -> None:
    found = forecast_of(Chances(NOON), None, NOON, NOTHING)
    assert (found.basis, found.earliest, found.latest) == (Basis.NOW, NOON, NOON)


def test_without_a_past_only_the_latest_is_told_from_the_times_asked_for() -> None:
    found = forecast_of(Chances(NOON + HOUR), None, NOON, NOTHING)
    assert found == Forecast(NOON, Basis.ASKED, latest=NOON + HOUR)


def test_what_never_starts_is_not_known() -> None:
    assert forecast_of(Chances(None), None, NOON, NOTHING).basis is Basis.UNKNOWN


def test_with_few_outcomes_the_interval_is_what_was_played_and_says_so() -> None:
    chance = Chances(NOON + 9 * HOUR, after(1, 2, 4))
    found = forecast_of(chance, features(chance), NOON, NOTHING)
    assert found == Forecast(NOON, Basis.PLAYED, *after(1, 2, 4), futures=3)


starts = st.lists(st.floats(0.01, 100), min_size=1, max_size=5).map(sorted)
errors = st.lists(st.floats(-20, 20), min_size=30, max_size=60)


@given(starts, st.none() | st.floats(0.01, 500), errors)
def test_a_forecast_is_in_order_and_never_before_now(
    hours: list[float], asked: float | None, past: list[float]
) -> None:
    chance = Chances(None if asked is None else NOON + timedelta(hours=asked), after(*hours))
    mine = features(chance)
    found = forecast_of(chance, mine, NOON, Calibration(Outcome(mine, one) for one in past))
    assert found.basis is Basis.CALIBRATED
    assert found.earliest is not None
    assert found.median is not None
    assert found.latest is not None
    assert NOON <= found.earliest <= found.median <= found.latest


def test_what_comes_of_a_forecast_says_how_far_off_it_was_and_on_which_side() -> None:
    chance = Chances(NOON + 2 * HOUR, after(1))
    mine = features(chance)
    told = Forecast(NOON, Basis.CALIBRATED, *after(1, 2, 3))
    assert outcome_of(told, mine, NOON + HOUR) == Outcome(mine, 0.0)
    assert outcome_of(told, mine, NOON + HOUR / 2).early
    assert outcome_of(told, mine, NOON + 4 * HOUR).late
    unchecked = outcome_of(Forecast(NOON, Basis.PLAYED, *after(1, 2, 3)), mine, NOON + 4 * HOUR)
    assert (unchecked.late, unchecked.error > 0) == (False, True)


def test_one_future_at_least_is_played_when_the_time_is_over() -> None:
    snapshot = a_snapshot(a_waiting("b", cpus=8), running=(a_running("a", cpus=8),))
    futures = [AsAsked(), AsAsked(), AsAsked()]
    assert len(chances(snapshot, NOON, ["b"], futures)["b"].starts) == 3
    over = Pace(lambda: 1.0, 0.0)
    assert len(chances(snapshot, NOON, ["b"], futures, pace=over)["b"].starts) == 1
