"""The arithmetic of readings: exact, and cut at midnights."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.ledger import AMOUNT_MAX
from fabriek.funding.metering.readings import (
    TIB,
    beyond_free,
    check_reading,
    meter_on,
    slices,
    tib_hours,
)
from fabriek.funding.policy.policy import policy_of, shipped_policy
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_bill_of_one_tib_of_scratch_for_180_days_at_six_is_25_920_storage_units() -> None:
    amount, rest = tib_hours(TIB, 180 * 24 * 3600, 6 * MICRO, 0)
    assert (amount, rest) == (25_920 * MICRO, 0)


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=30), st.integers(0, 2**50), st.integers(0, 10 * MICRO))
def test_many_short_intervals_cost_to_the_millionth_what_one_long_one_does(
    parts: list[int], level: int, each: int
) -> None:
    total, rest = 0, 0
    for seconds in parts:
        amount, rest = tib_hours(level, seconds, each, rest)
        total += amount
    assert (total, rest) == tib_hours(level, sum(parts), each, 0)


@given(st.integers(0, 400 * 24), st.integers(1, 90 * 24))
def test_slices_leave_out_no_second_and_each_lies_within_one_civil_day(begin: int, hours: int) -> None:
    begins = datetime(2026, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=begin)
    ends = begins + timedelta(hours=hours)
    found = list(slices(begins, ends, AMSTERDAM))
    assert found[0].begins == begins
    assert found[-1].ends == ends
    assert all(one.ends == after.begins for one, after in pairwise(found))
    assert sum(one.seconds for one in found) == hours * 3600
    for one in found:
        last = one.ends - timedelta(seconds=1)
        assert one.begins.astimezone(AMSTERDAM).date() == last.astimezone(AMSTERDAM).date() == one.day


def test_the_days_on_which_clocks_change_have_their_own_length() -> None:
    begins = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Amsterdam, of the day that has 23 hours
    first = next(slices(begins, begins + timedelta(days=2), AMSTERDAM))
    assert first.seconds == 23 * 3600


def test_what_is_free_is_dated_data() -> None:
    before = meter_on(Resource.TIB_HOUR, shipped_policy().meters, date(2027, 6, 30))
    shipped = meter_on(Resource.TIB_HOUR, shipped_policy().meters, date(2027, 7, 1))
    assert before is not None
    assert shipped is not None
    assert beyond_free(1000 * TIB, before.free_micro) == 0
    assert (shipped.every_seconds, shipped.free_micro) == (3600, MICRO // 10)
    assert meter_on(Resource.TIB_HOUR, shipped_policy().meters, date(2025, 12, 31)) is None
    assert beyond_free(TIB // 20, shipped.free_micro) == 0
    assert beyond_free(TIB, shipped.free_micro) == TIB - TIB // 10


@pytest.mark.parametrize(("field", "wrong"), [("every_seconds", "0"), ("free", "-1"), ("resource", '"gold"')])
def test_a_rule_that_cannot_be_names_its_row(field: str, wrong: str) -> None:
    row = {"resource": '"tib_hour"', "every_seconds": "3600", "free": "1", "valid_from": "2026-01-01", "source": '"x"'}
    text = "[[meter]]\n" + "\n".join(f"{name} = {value}" for name, value in (row | {field: wrong}).items())
    with pytest.raises(InvalidInput, match="number 1"):
        policy_of(text)


@pytest.mark.parametrize("amount", [-1, AMOUNT_MAX + 1, 1.5, 2**63, True])
def test_no_reading_is_negative_fractional_or_beyond_what_is_posted_at_once(amount: int) -> None:
    with pytest.raises(InvalidInput, match="cannot be booked"):
        check_reading("k", amount, NOON, NOON)


def test_no_reading_is_of_a_day_to_come_or_has_no_key() -> None:
    with pytest.raises(InvalidInput, match="not come yet"):
        check_reading("k", 1, NOON + timedelta(seconds=1), NOON)
    with pytest.raises(InvalidInput, match="booked twice"):
        check_reading(" ", 1, NOON, NOON)
