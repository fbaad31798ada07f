"""Use it or lose it, and the warnings before the end: to the day and to the unit."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.spending.lapsing import Grant, cut_micro, is_looked_at, months_later
from fabriek.funding.spending.rules import rules_on, running_out_of
from fabriek.funding.spending.warnings import warning_due
from fabriek.kernel.dated import shipped
from fabriek.kernel.units import MICRO
from tests.factories.funding import an_allocation

RULES = rules_on(running_out_of(shipped("fabriek.funding", "running_out.toml")), date(2026, 11, 24))
LAPSE, ENDS = RULES.get("spending.use_it_or_lose_it"), RULES.get("spending.ends_soon")
assert LAPSE is not None
assert ENDS is not None
YEAR = an_allocation(ends_on=date(2026, 12, 31))
"""From 1 January."""
GIVEN = 100_000 * MICRO


def left_of(used: int) -> int:
    """Of 100,000 so many were used in six months: what remains of the grant."""
    return (GIVEN - cut_micro(Grant(GIVEN, GIVEN - used * MICRO, used * MICRO), LAPSE)) // MICRO


def test_bill_of_100000_of_which_nothing_was_used_60000_remain() -> None:
    assert left_of(0) == 60_000


def test_bill_of_100000_of_which_39999_were_used_60000_remain_and_with_40000_all() -> None:
    assert [left_of(used) for used in (39_999, 40_000, 100_000)] == [60_000, 100_000, 100_000]


def test_bill_grants_are_looked_at_six_months_after_they_began() -> None:
    days = [date(2026, 6, 30), date(2026, 7, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [is_looked_at(YEAR, LAPSE, day) for day in days] == [False, True, True, False]


def test_bill_commercial_projects_lose_nothing() -> None:
    assert not is_looked_at(replace(YEAR, commercial=True), LAPSE, date(2026, 7, 1))


def test_a_grant_that_came_due_before_the_rule_held_is_not_cut() -> None:
    old = replace(YEAR, starts_on=date(2025, 6, 1))
    assert not is_looked_at(old, LAPSE, date(2026, 7, 1))


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2026, 1, 1), date(2026, 7, 1)),
        (date(2027, 8, 29), date(2028, 2, 29)),
    ],
)
def test_six_months_later_is_a_day_that_there_is(day: date, later: date) -> None:
    assert months_later(day, 6) == later


@given(st.integers(0, 10**15), st.integers(0, 100), st.integers(0, 100))
def test_what_is_cut_was_never_used_nor_held_and_leaves_what_the_rule_says(granted: int, used: int, held: int) -> None:
    spent = granted * used // 100
    waits = (granted - spent) * held // 100
    grant = Grant(granted, granted - spent - waits, spent + waits)
    cut = cut_micro(grant, LAPSE)
    assert 0 <= cut <= grant.left
    assert cut == 0 or (granted - cut) * 100 >= granted * 60


def test_bill_warnings_come_90_60_and_30_days_before_the_end() -> None:
    told: set[int] = set()
    said = {}
    for days in range(120, -2, -1):
        today = YEAR.ends_on - timedelta(days=days)
        if (warning := warning_due(YEAR, ENDS, today, told=told)) is not None:
            told.add(warning)
            said[days] = warning
    assert said == {90: 90, 60: 60, 30: 30}


def test_of_warnings_that_came_while_nobody_looked_the_nearest_alone_is_told() -> None:
    today = YEAR.ends_on - timedelta(days=25)
    assert warning_due(YEAR, ENDS, today, told=()) == 30
    assert warning_due(YEAR, ENDS, today, told={30}) is None


def test_who_gets_31_days_is_warned_once_and_not_on_the_first() -> None:
    short = replace(YEAR, starts_on=date(2026, 11, 30), ends_on=date(2026, 12, 31))
    days = [short.starts_on + timedelta(days=one) for one in range(32)]
    assert [day for day in days if warning_due(short, ENDS, day, told=()) == 30] == days[1:]
    assert warning_due(short, ENDS, days[0], told=()) is None
