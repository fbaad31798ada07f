"""The bills of CSC, LUMI and SURF to the last unit, by the code that charges jobs."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.policy.rates import (
    Cost,
    Rate,
    actual,
    kept,
    rate_on,
    rates_of,
    wall_hours_max,
    with_own,
    worst_case,
)
from fabriek.funding.policy.tariffs import GIB, TIB, Taken, of_all_nodes
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput
from tests.factories.funding import TODAY, shipped_rates

HOUR = 3600
UNIT = 10**6


def rates_at(site: str) -> tuple[Rate, ...]:
    """As an operator has them who names the file in `FABRIEK_RATES`."""
    return with_own(shipped_rates(), rates_of(shipped("fabriek.funding", f"tariffs/{site}.toml")))


CSC, LUMI, SURF = rates_at("csc"), rates_at("lumi"), rates_at("surf")


def a_bill(rates: tuple[Rate, ...], taken: Taken, hours: float, kind: str = "") -> Cost:
    """Held for so long, and settled after all of it: the same to the millionth."""
    held = worst_case(rates, TODAY, taken, wall_seconds_max=int(hours * HOUR), kinds=[kind])
    assert actual(rates, TODAY, taken, ran_seconds=hours * HOUR, held=held, kind=kind) == held
    return held


def test_bill_of_csc_for_4_cores_and_16_gib_in_2_hours_is_12() -> None:
    assert a_bill(CSC, Taken(cpus=4, memory_bytes=16 * GIB), 2) == Cost(Resource.CPU_HOUR, 12 * UNIT)


def test_bill_of_csc_counts_cores_where_these_are_dearer_than_their_memory() -> None:
    assert a_bill(CSC, Taken(cpus=8, memory_bytes=4 * GIB), 2) == Cost(Resource.CPU_HOUR, 12 * UNIT)


def test_bill_of_csc_adds_local_disk_to_the_dearer_of_cores_and_memory() -> None:
    taken = Taken(cpus=4, memory_bytes=16 * GIB, local_bytes=100 * GIB)
    assert a_bill(CSC, taken, 2) == Cost(Resource.CPU_HOUR, 16 * UNIT)


def test_bill_of_csc_for_2_gpus_in_5_hours_is_2000() -> None:
    assert a_bill(CSC, Taken(cpus=144, gpus_milli=2_000, memory_bytes=434 * GIB), 5) == Cost(
        Resource.GPU_HOUR, 2_000 * UNIT
    )


def test_bill_of_csc_for_1_tib_of_scratch_in_180_days_is_25920() -> None:
    half_a_year = Fraction(180 * 24 * HOUR)
    assert kept(CSC, TODAY, stored_bytes=TIB, seconds=half_a_year) == Cost(Resource.TIB_HOUR, 25_920 * UNIT)
    assert kept(CSC, TODAY, stored_bytes=TIB, seconds=half_a_year, kind="home").amount_micro == 43_200 * UNIT


def test_bill_of_lumi_for_16_nodes_in_12_hours_is_24576_core_hours() -> None:
    assert a_bill(LUMI, Taken(cpus=128, nodes=16), 12) == Cost(Resource.CPU_HOUR, 24_576 * UNIT)


def test_bill_of_lumi_counts_every_core_of_a_node_that_is_had_whole() -> None:
    assert a_bill(LUMI, Taken(cpus=1, nodes=16), 12) == Cost(Resource.CPU_HOUR, 24_576 * UNIT)


@pytest.mark.parametrize(("kind", "hours"), [("h100", 5_208), ("a100", 7_812)])
def test_bill_of_surf_leaves_so_many_hours_of_a_million_units(kind: str, hours: int) -> None:
    hour = a_bill(SURF, Taken(cpus=16, gpus_milli=1_000), 1, kind)
    assert 1_000_000 * UNIT // hour.amount_micro == hours


def test_bill_of_surf_for_the_smallest_slice_is_a_quarter_of_a_gpu_node() -> None:
    part = [a_bill(SURF, Taken(cpus=1, gpus_milli=milli), 1, "a100").amount_micro for milli in (250, 1_000, 2_000)]
    assert part == [128 * UNIT, 128 * UNIT, 256 * UNIT]


def test_bill_of_surf_for_one_gpu_with_half_of_the_memory_is_half_of_the_node() -> None:
    assert a_bill(SURF, Taken(cpus=1, gpus_milli=1_000, memory_bytes=240 * GIB), 1, "a100").amount_micro == 256 * UNIT
    assert a_bill(SURF, Taken(cpus=19, gpus_milli=1_000), 1, "a100").amount_micro == 256 * UNIT


def test_bill_of_surf_for_one_core_is_an_eighth_of_a_node() -> None:
    assert a_bill(SURF, Taken(cpus=1), 1) == Cost(Resource.CPU_HOUR, 16 * UNIT)


def test_bill_of_surf_knows_no_job_of_more_than_120_hours() -> None:
    taken = Taken(cpus=16, gpus_milli=1_000)
    assert {wall_hours_max(SURF, TODAY, taken, kinds=[kind]) for kind in ("", "a100", "h100")} == {120}
    assert wall_hours_max(CSC, TODAY, taken) == 0


def test_bill_of_a_job_by_the_shipped_rates_is_what_it_always_was() -> None:
    rates = shipped_rates()
    assert a_bill(rates, Taken(cpus=16, gpus_milli=2_500, memory_bytes=TIB, local_bytes=TIB, nodes=3), 2) == Cost(
        Resource.GPU_HOUR, 15 * UNIT
    )
    assert a_bill(rates, Taken(cpus=4, memory_bytes=TIB, nodes=2), 0.5) == Cost(Resource.CPU_HOUR, 4 * UNIT)


def test_bill_is_rounded_up_once_and_not_for_each_term() -> None:
    rates = rates_of(
        '[[rate]]\nresource = "cpu_hour"\nvalid_from = 2026-01-01\nsource = "s"\n'
        "sum = [{ per = 'cpu', amount = 0.000001 }, { per = 'gib_memory', amount = 0.000001 }]\n"
    )
    # A third of a millionth twice: two thirds, and so one; each rounded by itself they would be two.
    assert worst_case(rates, TODAY, Taken(cpus=1, memory_bytes=GIB), wall_seconds_max=HOUR // 3).amount_micro == 1


SITES = st.sampled_from([CSC, LUMI, SURF, shipped_rates()])
JOBS = st.builds(
    Taken, cpus=st.integers(1, 512), gpus_milli=st.integers(0, 16_000), memory_bytes=st.integers(1, 2 * TIB),
    local_bytes=st.integers(0, TIB), nodes=st.integers(1, 64),
)  # fmt: skip


@given(SITES, JOBS, st.integers(1, 432_000), st.floats(0, 10**6))
def test_bill_is_above_what_is_due_by_less_than_a_millionth_and_never_above_what_was_held(
    rates: tuple[Rate, ...], taken: Taken, wall: int, ran: float
) -> None:
    held = worst_case(rates, TODAY, taken, wall_seconds_max=wall, kinds=["a100", "h100", ""])
    for kind in ("a100", "h100", ""):
        used = actual(rates, TODAY, taken, ran_seconds=ran, held=held, kind=kind)
        assert 0 <= used.amount_micro <= held.amount_micro
        assert used.resource is held.resource
        rate = rate_on(used.resource, rates, TODAY, kind)
        due = rate.term.hourly(of_all_nodes(taken, rate.node)) * Fraction(ran) / HOUR
        assert 0 <= used.amount_micro - due < 1 or used == held


@given(SITES, JOBS)
def test_nobody_pays_less_by_taking_more(rates: tuple[Rate, ...], taken: Taken) -> None:
    more = Taken(
        taken.cpus + 1, taken.gpus_milli, taken.memory_bytes + GIB, taken.local_bytes + GIB, taken.nodes + 1
    )  # fmt: skip
    assert a_bill(rates, taken, 1).amount_micro <= a_bill(rates, more, 1).amount_micro


def test_a_tariff_reads_as_a_formula() -> None:
    assert (
        str(rate_on(Resource.CPU_HOUR, CSC, TODAY).term)
        == "max(0.75 per CPU, 0.375 per GiB of memory) + 0.02 per GiB of local disk"
    )
    assert str(rate_on(Resource.GPU_HOUR, SURF, TODAY, "a100").node) == (
        "nodes of 4 GPUs, 72 CPUs, 480 GiB of memory; at least 1/4 of one"
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("per = 'cpus'\namount = 1", "nothing is charged by 'cpus'"),
        ("amount = 1", "per and amount"),
        ("per = 'cpu'\namount = 1\nsum = [{ per = 'cpu', amount = 1 }]", "either per and amount"),
        ("sum = []", "sum lists terms"),
        ("max = [{ per = 'cpu', amount = -1 }]", "below zero"),
        ("max = [{ per = 'cpu', amount = 1, times = 2 }]", "no 'times'"),
        ("per = 'cpu'\namount = 1\nsmalest = 0.25", "no 'smalest'"),
        ("per = 'cpu'\namount = 1\nsmallest = 0.25", "stand together"),
        ("per = 'cpu'\namount = 1\nnode = { cpu = 128 }\nsmallest = 0.3", "evenly"),
        ("per = 'cpu'\namount = 1\nnode = { cpu = 0 }\nsmallest = 1", "holds something"),
        ("per = 'cpu'\namount = 1\nnode = { cores = 4 }\nsmallest = 1", "cores"),
        ("per = 'cpu'\namount = 1\nwall_hours_max = 1.5", "whole number"),
        ("per = 'cpu'\namount = 0", "costs nothing"),
        ("per = 'gib_local'\namount = 1", "costs nothing"),
        ("per = 'gpu'\namount = 1", "costs nothing"),
    ],
)
def test_a_row_that_would_bill_something_else_than_it_says_is_refused(words: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        rates_of(f"[[rate]]\nresource = 'cpu_hour'\n{words}\nvalid_from = 2026-01-01\nsource = 's'\n")


def test_storage_has_neither_nodes_nor_wall_time() -> None:
    with pytest.raises(InvalidInput, match="of jobs"):
        rates_of(
            "[[rate]]\nresource = 'tib_hour'\nper = 'tib'\namount = 1\nwall_hours_max = 3\nvalid_from = 2026-01-01\nsource = 's'"
        )


def test_what_one_costs_is_not_asked_of_a_tariff_of_several_terms() -> None:
    with pytest.raises(InvalidInput, match=r"charged by max\(0.75"):
        _ = rate_on(Resource.CPU_HOUR, CSC, TODAY).amount_micro


@pytest.mark.parametrize("rates", [CSC, LUMI, SURF])
def test_no_day_of_the_shipped_rates_is_without_one(rates: tuple[Rate, ...]) -> None:
    assert all(rate_on(resource, rates, date(2026, 1, 1)).source for resource in Resource)
