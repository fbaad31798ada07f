from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.rates import Cost, actual, rates_of, worst_case
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput
from tests.factories.funding import TODAY, shipped_rates

RATES = shipped_rates()


def test_a_job_with_gpus_pays_in_gpu_hours_and_another_in_cpu_hours() -> None:
    assert worst_case(RATES, TODAY, gpus=2, cpus=16, wall_seconds_max=5400) == Cost(Resource.GPU_HOUR, 3_000_000)
    assert worst_case(RATES, TODAY, gpus=0, cpus=4, wall_seconds_max=1800) == Cost(Resource.CPU_HOUR, 2_000_000)


def test_one_second_costs_something() -> None:
    assert worst_case(RATES, TODAY, gpus=0, cpus=1, wall_seconds_max=1).amount_micro == 278


def test_a_clock_that_jumped_charges_neither_less_than_nothing_nor_more_than_was_held() -> None:
    bill = [actual(RATES, TODAY, gpus=1, cpus=1, wall_seconds_max=3600, ran_seconds=s) for s in (-86_400, 86_400)]
    assert [cost.amount_micro for cost in bill] == [0, 1_000_000]


@given(st.integers(0, 64), st.integers(1, 512), st.integers(1, 432_000), st.floats(0, 10**6), st.floats(0, 10**6))
def test_the_bill_grows_with_use_and_stays_below_the_worst_case(
    gpus: int, cpus: int, wall: int, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    worst = worst_case(RATES, TODAY, gpus=gpus, cpus=cpus, wall_seconds_max=wall)
    bills = [actual(RATES, TODAY, gpus=gpus, cpus=cpus, wall_seconds_max=wall, ran_seconds=s) for s in (less, more)]
    assert 0 <= bills[0].amount_micro <= bills[1].amount_micro <= worst.amount_micro
    assert {bill.resource for bill in bills} == {worst.resource}


def test_a_new_rate_counts_from_its_day() -> None:
    row = '[[rate]]\nresource = "gpu_hour"\nper = "gpu"\namount = {}\nvalid_from = {}\nsource = "s"\n'
    rates = rates_of(row.format(1, "2026-01-01") + row.format(0.75, "2026-12-01"))
    costs = [worst_case(rates, on, gpus=1, cpus=1, wall_seconds_max=3600) for on in (TODAY, date(2026, 12, 1))]
    assert [cost.amount_micro for cost in costs] == [1_000_000, 750_000]


def test_nothing_is_free_because_a_row_is_missing() -> None:
    with pytest.raises(InvalidInput):
        worst_case(RATES, date(2020, 1, 1), gpus=1, cpus=1, wall_seconds_max=60)


@pytest.mark.parametrize("amount", ["-1", "0.0000001", '"free"', "nan", "inf"])
def test_a_rate_that_pays_people_or_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput):
        rates_of(
            f'[[rate]]\nresource = "gpu_hour"\nper = "gpu"\namount = {amount}\nvalid_from = 2026-01-01\nsource = "s"'
        )


def test_every_currency_has_a_rate() -> None:
    assert {rate.resource for rate in RATES} == set(Resource)
