from datetime import timedelta

from fabriek.compute.forecasting.forecasts import Basis, Forecast
from fabriek.compute.forecasting.smaller import is_sooner, variants
from tests.factories.compute import NOON, a_shape


def at(hours: float) -> Forecast:
    when = NOON + timedelta(hours=hours)
    return Forecast(NOON, Basis.CALIBRATED, when, when, when)


def test_half_and_a_quarter_of_the_width_and_half_of_the_time() -> None:
    assert variants(a_shape(gpus=8)) == [a_shape(gpus=4), a_shape(gpus=2), a_shape(gpus=8, seconds=1_800)]
    assert variants(a_shape(gpus="a100:2")) == [a_shape(gpus="a100:1"), a_shape(gpus="a100:2", seconds=1_800)]
    assert variants(a_shape(gpus=1, nodes=4))[:2] == [a_shape(gpus=1, nodes=2), a_shape(gpus=1)]
    assert variants(a_shape(cpus=3)) == [a_shape(cpus=1), a_shape(cpus=3, seconds=1_800)]


def test_the_smallest_has_no_variants() -> None:
    assert variants(a_shape(cpus=1, seconds=60)) == []
    assert variants(a_shape(gpus=0.25, cpus=4, seconds=60)) == []


def test_sooner_is_half_an_hour_and_a_third_of_the_wait() -> None:
    assert is_sooner(at(6), at(9))
    assert not is_sooner(at(6.1), at(9))
    assert is_sooner(at(0.1), at(0.6))
    assert not is_sooner(at(0.2), at(0.6))
    assert not is_sooner(Forecast(NOON, Basis.UNKNOWN), at(9))
    assert is_sooner(
        Forecast(NOON, Basis.ASKED, latest=NOON), Forecast(NOON, Basis.ASKED, latest=NOON + timedelta(hours=2))
    )
