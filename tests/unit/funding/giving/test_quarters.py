"""Quarters, and what contributions are entitled to in one."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.giving.contributions import Contribution, FunderKind
from fabriek.funding.giving.entitling import Terms, entitled, lapsing
from fabriek.funding.giving.quarters import Quarter, quarter_named, quarter_of
from fabriek.funding.giving.shares import shares_of
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO

Q = Quarter(2026, 4)
HALF = {FunderKind.EU: 500_000}
KINDS = st.sampled_from([FunderKind.EU, FunderKind.NATIONAL, FunderKind.DEFENCE])


@given(st.dates(date(2, 1, 1), date(9998, 12, 31)))
def test_every_day_is_in_its_quarter_and_quarters_follow_each_other(day: date) -> None:
    quarter = quarter_of(day)
    assert day in quarter
    assert quarter_named(str(quarter)) == quarter
    assert quarter.next.previous == quarter < quarter.next
    assert list(quarter.days)[-1] + timedelta(days=1) == quarter.next.first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026Q5",
        "2026Q0",
        "Q4",
        "26Q4",
        "2026Q44",
        "0001Q1",
        "9999Q1",
        "\u0662\u0660\u0662\u0666Q4",
        "2026Q4; drop",
    ],
)
def test_what_names_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a quarter"):
        quarter_named(text)


def contribution(number: int, kind: FunderKind, euro: int, first: int, last: int | None) -> Contribution:
    day = Q.first + timedelta(days=first)
    gone = Q.first + timedelta(days=first + last) if last is not None else None
    return Contribution(f"con_{number}", f"org_{number}", kind, euro, day, day, None, gone)


CONTRIBUTIONS = st.lists(
    st.tuples(KINDS, st.integers(1, 10**12), st.integers(0, 100), st.none() | st.integers(0, 100)), max_size=5
).map(lambda rows: [contribution(number, *row) for number, row in enumerate(rows)])
FIXED = st.dictionaries(st.sampled_from([f"org_{number}" for number in range(6)]), st.integers(0, MICRO), max_size=4)


@given(CONTRIBUTIONS, FIXED)
def test_parts_sum_to_the_machine_and_no_kind_is_beyond_its_bound(
    given_: list[Contribution], fixed: dict[str, int]
) -> None:
    for day in (Q.first, Q.first + timedelta(days=50), Q.last):
        parts = shares_of(given_, day, most=HALF, fixed=fixed)
        kinds = {one.funder: one.kind for one in given_}
        assert sum(part for funder, part in parts.items() if kinds[funder] is FunderKind.EU) <= 500_000
        assert all(part >= 0 for part in parts.values())
        assert sum(parts.values()) <= MICRO
        if any(kinds[funder] is not FunderKind.EU and funder not in fixed for funder in parts):
            assert sum(parts.values()) == MICRO


@given(CONTRIBUTIONS, st.integers(0, 10**15))
def test_a_quarter_is_the_sum_of_its_days_and_a_later_day_changes_none_before(
    given_: list[Contribution], each_day: int
) -> None:
    terms = {day: Terms(each_day, HALF, {}) for day in Q.days}
    whole = entitled(given_, Q, terms)
    summed: dict[str, int] = {}
    for day in Q.days:
        for name, amount in entitled(given_, Q, {day: terms[day]}).items():
            summed[name] = summed.get(name, 0) + amount
    assert whole == summed
    assert sum(whole.values()) <= each_day * 92
    middle = Q.first + timedelta(days=45)
    early = {day: now for day, now in terms.items() if day < middle}
    later = Contribution("con_new", "org_new", FunderKind.NATIONAL, 10**9, middle, middle)
    assert entitled([*given_, later], Q, early) == entitled(given_, Q, early)


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, MICRO))
def test_no_more_lapses_than_is_left_of_the_quarters_own(unawarded: int, entitlement: int, carried: int) -> None:
    gone = lapsing(unawarded, entitlement, carried)
    assert 0 <= gone <= min(unawarded, entitlement)
    assert lapsing(unawarded, entitlement, MICRO) == 0
    assert lapsing(unawarded, entitlement, 0) == min(unawarded, entitlement)


def test_use_it_or_lose_it_to_the_last_unit() -> None:
    assert lapsing(60, 100, 400_000) == 20
    assert lapsing(30, 100, 400_000) == 0
    assert lapsing(500, 100, 400_000) == 60  # older credits are spent first
