from datetime import datetime, timedelta

from fabriek.compute.forecasting.forecasts import Basis, Forecast
from fabriek.compute.forecasting.ports import Kept
from fabriek.compute.forecasting.scores import Score, score_of
from tests.factories.compute import NOON


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def kept(job: str, started: float, basis: Basis = Basis.CALIBRATED) -> Kept:
    told = Forecast(NOON, basis, hours(1), hours(2), hours(4))
    return Kept(job, told, None, told, hours(started))


def test_starts_within_the_interval_are_counted_its_ends_among_them() -> None:
    found = score_of([kept("a", 0.5), kept("b", 1), kept("c", 2), kept("d", 4), kept("e", 5)])
    assert (found.forecasts, found.held, found.early, found.late, found.part) == (5, 3, 1, 1, 0.6)
    assert (found.hours_wide, found.since) == (3.0, NOON)


def test_what_was_not_set_right_yet_counts_in_none() -> None:
    assert score_of([kept("a", 2, Basis.PLAYED), kept("b", 2, Basis.ASKED)]) == Score()
