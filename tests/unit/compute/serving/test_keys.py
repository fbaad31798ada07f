"""Budgets, periods and ends of keys, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fabriek.compute.serving.keys import (
    Answered,
    Budget,
    Period,
    ServingKey,
    Unit,
    as_of,
    begun,
    budget_of,
    counted,
    expiry,
    is_open,
    left,
    next_period,
    standing,
)
from fabriek.kernel.errors import InvalidInput

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TODAY = date(2026, 11, 28)


def a_key(budget: str = "100 tokens", used_from: date = TODAY, used: int = 0) -> ServingKey:
    return ServingKey(
        "key_1", "srv_1", "prj_1", "h", "abcd", "", "per_1", budget_of(budget), NOW, NOW + timedelta(days=1), used_from, used
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1000 requests", Budget(1_000, Unit.REQUESTS, Period.ONCE)),
        ("2M tokens/month", Budget(2_000_000, Unit.TOKENS, Period.MONTH)),
        (" 50k tokens/day ", Budget(50_000, Unit.TOKENS, Period.DAY)),
        ("1_000tokens", Budget(1_000, Unit.TOKENS, Period.ONCE)),
    ],
)
def test_budgets_are_read_as_people_write_them(said: str, meant: Budget) -> None:
    assert budget_of(said) == meant
    assert budget_of(str(meant)) == meant


@pytest.mark.parametrize(
    "said",
    ["", "tokens", "-1 tokens", "0 tokens", "1.5 tokens", "1 token", "1 tokens/week", "10000G tokens", "\u0661 tokens", "9" * 99 + " tokens"],
)  # fmt: skip
def test_what_is_no_budget_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput):
        budget_of(said)


def test_the_last_instant_opens_nothing() -> None:
    key = a_key()
    assert is_open(key, key.expires_at - timedelta(microseconds=1))
    assert not is_open(key, key.expires_at)
    assert standing(key, key.expires_at) == "expired"
    for days in (0, 91):
        with pytest.raises(InvalidInput):
            expiry(days, NOW)
    assert expiry(90, NOW) == NOW + timedelta(days=90)


def test_a_budget_begins_anew_with_its_period_and_not_before() -> None:
    day, month = date(2026, 11, 28), date(2026, 11, 1)
    daily = a_key("10 tokens/day", day, used=10)
    assert (left(as_of(daily, day)), left(as_of(daily, day + timedelta(days=1)))) == (0, 10)
    monthly = a_key("10 tokens/month", month, used=10)
    assert (left(as_of(monthly, date(2026, 11, 30))), left(as_of(monthly, date(2026, 12, 1)))) == (0, 10)
    once = a_key("10 tokens", day, used=10)
    assert left(as_of(once, date(2027, 11, 28))) == 0
    assert next_period(Period.MONTH, date(2026, 12, 31)) == date(2027, 1, 1)
    assert next_period(Period.MONTH, date(2026, 1, 31)) == date(2026, 2, 1)
    assert next_period(Period.DAY, date(2026, 2, 28)) == date(2026, 3, 1)
    assert next_period(Period.ONCE, day) is None
    assert begun(Period.MONTH, date(2026, 11, 28), day) == month


def test_tokens_are_spent_by_answers_and_requests_before_them() -> None:
    after = counted(a_key("100 tokens"), Answered(60, 70), NOW)
    assert (after.used, left(after), after.requests, after.tokens_in, after.tokens_out) == (130, 0, 1, 60, 70)
    assert counted(a_key("100 requests", used=1), Answered(60, 70), NOW).used == 1
