from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.power import (
    Contract,
    Limit,
    draw,
    energy_joules,
    envelope,
    idle_watts,
    lowest,
    next_rise,
    table_on,
    tables_of,
)
from fabriek.kernel.errors import InvalidInput
from tests.factories.compute import NOON, a_limit, a_shape, a_table, shipped_tables

HOUR = timedelta(hours=1)
CONTRACT = Contract(500)

some_limits = st.lists(
    st.builds(
        lambda start, hours, watts: a_limit(watts, starts=NOON + start * HOUR, hours=hours),
        st.integers(-5, 5),
        st.integers(1, 5),
        st.integers(0, 800),
    ),
    max_size=5,
)


def test_a_limit_counts_from_its_start_until_just_before_its_end() -> None:
    limits = [a_limit(40, hours=2)]
    assert envelope(CONTRACT, limits, NOON - timedelta(microseconds=1)) == 500
    assert envelope(CONTRACT, limits, NOON) == 40
    assert envelope(CONTRACT, limits, NOON + 2 * HOUR) == 500


def test_of_several_limits_the_lowest_holds_and_none_lifts_the_contract() -> None:
    assert envelope(CONTRACT, [a_limit(300), a_limit(200), a_limit(900)], NOON) == 200
    assert envelope(CONTRACT, [a_limit(900)], NOON) == 500


def test_without_contract_and_limit_nothing_is_said() -> None:
    assert envelope(None, [], NOON) is None
    assert envelope(None, [a_limit(40)], NOON) == 40
    assert next_rise(None, [a_limit(40)], NOON) == NOON + 2 * HOUR


def test_more_may_be_drawn_when_the_last_of_the_low_limits_ends() -> None:
    limits = [a_limit(40, hours=2), a_limit(40, starts=NOON + HOUR, hours=3), a_limit(60, hours=9)]
    assert next_rise(CONTRACT, limits, NOON) == NOON + 4 * HOUR
    assert next_rise(CONTRACT, [], NOON) is None


@given(some_limits, st.integers(0, 4))
def test_the_lowest_over_a_time_is_the_least_of_its_moments(limits: list[Limit], hours: int) -> None:
    moments = [NOON + timedelta(minutes=30) * half for half in range(2 * hours + 1)]
    end = moments[-1] + timedelta(microseconds=1)
    assert lowest(CONTRACT, limits, NOON, end) == min(envelope(CONTRACT, limits, at) or 0 for at in moments)


@given(some_limits)
def test_nothing_rises_before_the_next_rise(limits: list[Limit]) -> None:
    now, rise = envelope(CONTRACT, limits, NOON), next_rise(CONTRACT, limits, NOON)
    assert now is not None
    for half in range(24):
        at = NOON + timedelta(minutes=30) * half
        then = envelope(CONTRACT, limits, at)
        assert then is not None
        assert then <= now or (rise is not None and at >= rise)


def test_a_limit_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Limit(NOON, NOON, 40)
    with pytest.raises(InvalidInput):
        a_limit(-1)


def test_a_job_draws_for_its_devices_at_the_meter_rounded_up() -> None:
    assert draw(a_shape(cpus=4, gpus=2), a_table()) == 240
    assert draw(a_shape(cpus=3), a_table(pue="1.21")) == 37
    assert idle_watts(a_table(pue="1.2"), 2) == 68
    assert energy_joules(a_shape(cpus=4), a_table(), 90) == 3600
    assert energy_joules(a_shape(cpus=4), a_table(), -90) == 0


def test_the_shipped_table_gives_the_nameplate_draw_of_a_full_machine() -> None:
    tables = tables_of(shipped_tables())
    workstation = table_on("workstation", tables, date(2026, 11, 24))
    assert draw(a_shape(cpus=8), workstation) == 65
    assert idle_watts(workstation, 1) == 28
    assert draw(a_shape(cpus=8, gpus=4), table_on("gpu_node", tables, date(2026, 11, 24))) == 3414


def test_a_machine_without_a_table_in_force_is_refused_not_free() -> None:
    tables = tables_of(shipped_tables())
    with pytest.raises(InvalidInput):
        table_on("toaster", tables, date(2026, 11, 24))
    with pytest.raises(InvalidInput):
        table_on("workstation", tables, date(2020, 1, 1))


@pytest.mark.parametrize("slip", ["pue = 0.5", "watts_per_gpu = -1", 'pue = "much"', "valid_from = 3", 'source = ""'])
def test_a_slip_in_the_power_file_is_named_not_swallowed(slip: str) -> None:
    name = slip.split(" ", maxsplit=1)[0]
    lines = shipped_tables().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(name))
    with pytest.raises(InvalidInput, match="number 1"):
        tables_of("\n".join([*lines[:at], slip, *lines[at + 1 :]]))
