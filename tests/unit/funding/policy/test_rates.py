from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.policy.rates import Cost, actual, rate_on, rates_of, table_on, with_own, worst_case
from fabriek.funding.policy.tariffs import Taken
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput
from tests.factories.funding import TODAY, shipped_rates

RATES = shipped_rates()


def test_a_job_with_gpus_pays_in_gpu_hours_and_another_in_cpu_hours() -> None:
    assert worst_case(RATES, TODAY, Taken(gpus_milli=2_000, cpus=16), wall_seconds_max=5400) == Cost(
        Resource.GPU_HOUR, 3_000_000
    )
    assert worst_case(RATES, TODAY, Taken(gpus_milli=0, cpus=4), wall_seconds_max=1800) == Cost(
        Resource.CPU_HOUR, 2_000_000
    )


def test_one_second_costs_something() -> None:
    assert worst_case(RATES, TODAY, Taken(gpus_milli=0, cpus=1), wall_seconds_max=1).amount_micro == 278


def a_bill(gpus_milli: int, cpus: int, wall: int, ran: float) -> Cost:
    held = worst_case(RATES, TODAY, Taken(gpus_milli=gpus_milli, cpus=cpus), wall_seconds_max=wall)
    return actual(RATES, TODAY, Taken(gpus_milli=gpus_milli, cpus=cpus), ran_seconds=ran, held=held)


def test_a_clock_that_jumped_charges_neither_less_than_nothing_nor_more_than_was_held() -> None:
    assert [a_bill(1_000, 1, 3600, ran).amount_micro for ran in (-86_400, 86_400)] == [0, 1_000_000]


@given(st.integers(0, 64_000), st.integers(1, 512), st.integers(1, 432_000), st.floats(0, 10**6), st.floats(0, 10**6))
def test_the_bill_grows_with_use_and_stays_below_the_worst_case(
    gpus_milli: int, cpus: int, wall: int, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    worst = worst_case(RATES, TODAY, Taken(gpus_milli=gpus_milli, cpus=cpus), wall_seconds_max=wall)
    bills = [a_bill(gpus_milli, cpus, wall, ran) for ran in (less, more)]
    assert 0 <= bills[0].amount_micro <= bills[1].amount_micro <= worst.amount_micro
    assert {bill.resource for bill in bills} == {worst.resource}


def test_a_part_of_a_gpu_pays_its_part_to_the_millionth() -> None:
    assert worst_case(RATES, TODAY, Taken(gpus_milli=250, cpus=8), wall_seconds_max=3600).amount_micro == 250_000
    four = sum(a_bill(250, 1, 3600, 1800).amount_micro for _ in range(4))
    assert four == a_bill(1_000, 1, 3600, 1800).amount_micro


def a_row(amount: float, since: str, kind: str = "") -> str:
    named = f'kind = "{kind}"\n' if kind else ""
    return (
        f'[[rate]]\nresource = "gpu_hour"\nper = "gpu"\n{named}amount = {amount}\nvalid_from = {since}\nsource = "s"\n'
    )


KINDS = "".join([
    a_row(1, "2026-01-01"), a_row(128, "2026-01-01", "A100"), a_row(192, "2026-01-01", "h100"), a_row(200, "2026-12-01", "h100"),
])  # fmt: skip
"""SBU of SURF for each hour, and from December BU of CSC."""


def test_a_million_units_of_surf_are_so_many_hours_of_each_kind() -> None:
    rates = rates_of(KINDS)
    hour = {
        kind: worst_case(
            rates, TODAY, Taken(gpus_milli=1_000, cpus=1), wall_seconds_max=3600, kinds=[kind]
        ).amount_micro
        for kind in ("a100", "h100")
    }
    assert {kind: 1_000_000 * 10**6 // price for kind, price in hour.items()} == {"a100": 7_812, "h100": 5_208}


def test_two_gpus_for_five_hours_at_two_hundred_are_two_thousand() -> None:
    later, rates = date(2026, 12, 1), rates_of(KINDS)
    cost = worst_case(rates, later, Taken(gpus_milli=2_000, cpus=1), wall_seconds_max=5 * 3600, kinds=["h100"])
    assert cost == Cost(Resource.GPU_HOUR, 2_000 * 10**6)


def test_where_the_kind_is_open_the_dearest_is_held_and_the_one_given_is_charged() -> None:
    rates = rates_of(KINDS)
    held = worst_case(
        rates, TODAY, Taken(gpus_milli=1_000, cpus=1), wall_seconds_max=3600, kinds=["a100", "h100", "other"]
    )
    assert held.amount_micro == 192 * 10**6
    ran = {
        kind: actual(rates, TODAY, Taken(gpus_milli=1_000, cpus=1), ran_seconds=3600, held=held, kind=kind).amount_micro
        for kind in ("a100", "other")
    }
    assert ran == {"a100": 128 * 10**6, "other": 10**6}


def test_a_new_rate_counts_from_its_day() -> None:
    rates = rates_of(a_row(1, "2026-01-01") + a_row(0.75, "2026-12-01"))
    costs = [
        worst_case(rates, on, Taken(gpus_milli=1_000, cpus=1), wall_seconds_max=3600)
        for on in (TODAY, date(2026, 12, 1))
    ]
    assert [cost.amount_micro for cost in costs] == [1_000_000, 750_000]


def test_nothing_is_free_because_a_row_is_missing() -> None:
    with pytest.raises(InvalidInput):
        worst_case(RATES, date(2020, 1, 1), Taken(gpus_milli=1_000, cpus=1), wall_seconds_max=60)


@pytest.mark.parametrize("amount", ["-1", "0.0000001", '"free"', "nan", "inf"])
def test_a_rate_that_pays_people_or_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput):
        rates_of(
            f'[[rate]]\nresource = "gpu_hour"\nper = "gpu"\namount = {amount}\nvalid_from = 2026-01-01\nsource = "s"'
        )


def test_every_currency_has_a_rate() -> None:
    assert {rate.resource for rate in RATES} == set(Resource)


def test_two_rows_for_one_kind_from_one_day_are_refused_and_both_are_named() -> None:
    rows = (
        a_row(1, "2026-01-01")
        + a_row(2, "2026-01-01", "H100")
        + a_row(3, "2026-02-01")
        + a_row(4, "2026-01-01", "h100")
    )
    with pytest.raises(InvalidInput, match=r"number 2 and number 4 are both for gpu_hour of h100 from 2026-01-01"):
        rates_of(rows)


def test_the_table_of_a_day_has_each_kind_once_by_the_rate_of_that_day() -> None:
    rates = rates_of(KINDS)
    tables = [table_on(rates, on) for on in (date(2025, 12, 31), TODAY, date(2026, 12, 1))]
    assert [[(one.kind, one.amount_micro // 10**6) for one in table] for table in tables] == [
        [],
        [("", 1), ("a100", 128), ("h100", 192)],
        [("", 1), ("a100", 128), ("h100", 200)],
    ]


def test_an_operators_rates_hold_from_their_day_and_the_shipped_ones_before_it_and_beside_them() -> None:
    rates = with_own(RATES, rates_of(a_row(7, "2026-11-01")))
    days = [date(2026, 10, 31), date(2026, 11, 1)]
    assert [rate_on(Resource.GPU_HOUR, rates, day).amount_micro for day in days] == [1_000_000, 7_000_000]
    assert rate_on(Resource.EXPERT_HOUR, rates, TODAY).amount_micro == 1_000_000


def test_an_operators_rate_that_is_older_than_the_shipped_one_is_not_overtaken_by_it() -> None:
    rates = with_own(RATES, rates_of(a_row(7, "2025-01-01")))
    assert rate_on(Resource.GPU_HOUR, rates, TODAY).amount_micro == 7_000_000
