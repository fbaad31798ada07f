from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.giving.contributions import Contribution, FunderKind, State, state_on, step
from fabriek.funding.giving.shares import apportion, shares_of
from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.kernel.units import MICRO
from tests.factories.funding import TODAY, a_contribution

MILLION = 1_000_000


def test_the_four_funders_of_groningen_get_the_shares_of_the_plan() -> None:
    given_millions = {"eu": 71, "nij_begun": 60, "national": 40, "defence": 30}
    shares = shares_of([a_contribution(name, sum_ * MILLION) for name, sum_ in given_millions.items()], TODAY)
    assert {name: round(part / 10_000, 1) for name, part in shares.items()} == {
        "eu": 35.3,
        "nij_begun": 29.9,
        "national": 19.9,
        "defence": 14.9,
    }
    assert sum(shares.values()) == MICRO


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 10**12), max_size=8), st.integers(0, 10**12))
def test_nothing_is_lost_or_made_when_something_is_cut_by_weight(weights: dict[str, int], total: int) -> None:
    parts = apportion(total, weights)
    if not any(weights.values()):
        assert parts == {}
        return
    assert sum(parts.values()) == total
    whole = sum(weights.values())
    assert all(0 <= parts[name] - total * weight // whole <= 1 for name, weight in weights.items())
    assert parts == apportion(total, dict(reversed(weights.items())))


def test_two_sums_of_one_funder_are_one_share() -> None:
    twice = [a_contribution("a", 1), a_contribution("b", 2), a_contribution("a", 1)]
    assert shares_of(twice, TODAY) == {"a": 500_000, "b": 500_000}


def test_money_that_was_only_asked_for_or_was_withdrawn_makes_no_share() -> None:
    asked = a_contribution("a", granted_on=None)
    left = step(a_contribution("b"), State.WITHDRAWN, TODAY)
    assert shares_of([asked, left, a_contribution("c")], TODAY) == {"c": MICRO}
    assert shares_of([asked], TODAY) == {}


def test_any_past_day_can_be_asked_about() -> None:
    left = step(a_contribution("b"), State.WITHDRAWN, TODAY)
    assert shares_of([left, a_contribution("c")], date(2026, 6, 1)) == {"b": 500_000, "c": 500_000}
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2), TODAY]
    assert [state_on(left, day) for day in days] == [None, State.APPLIED, State.GRANTED, State.WITHDRAWN]


def test_money_goes_from_asked_to_granted_to_received_and_skips_nothing() -> None:
    asked = a_contribution(granted_on=None)
    with pytest.raises(WrongState):
        step(asked, State.RECEIVED, TODAY)
    received = step(step(asked, State.GRANTED, TODAY), State.RECEIVED, TODAY)
    assert state_on(received, TODAY) is State.RECEIVED
    with pytest.raises(WrongState):
        step(received, State.GRANTED, TODAY)


def test_a_step_is_not_dated_before_the_last() -> None:
    with pytest.raises(WrongState, match="2026-01-02"):
        step(a_contribution(), State.RECEIVED, date(2026, 1, 1))


@pytest.mark.parametrize("amount", [0, -5])
def test_a_contribution_is_above_zero(amount: int) -> None:
    with pytest.raises(InvalidInput):
        Contribution("con_1", "org_1", FunderKind.EU, amount, TODAY)
