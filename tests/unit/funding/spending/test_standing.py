"""A project's standing by day and balances: the rules of running out to the day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.resources import Resource
from fabriek.funding.spending.rules import rules_on, running_out_of
from fabriek.funding.spending.standing import (
    TRANSITIONS,
    Balance,
    Balances,
    Standing,
    State,
    after,
    check_data,
    check_new_job,
    closes_on,
    data_shuts_on,
    move,
)
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotPermitted

ROWS = running_out_of(shipped("fabriek.funding", "running_out.toml"))
DAY = date(2026, 11, 24)
RULES = rules_on(ROWS, DAY)
GPU, CPU, TIB = Resource.GPU_HOUR, Resource.CPU_HOUR, Resource.TIB_HOUR
FULL = {GPU: Balance(10, 10), CPU: Balance(10, 10), TIB: Balance(10, 10)}
OPEN = Standing("prj_1", DAY)


def then(standing: Standing, balances: Balances, days: int) -> Standing:
    return after(standing, balances, RULES, DAY + timedelta(days=days))


def refused(standing: Standing, balances: Balances, resource: Resource) -> str:
    """The rule that keeps a new job out; empty where it may come."""
    try:
        check_new_job(standing, balances, RULES, resource)
    except CreditsExhausted as error:
        return str(error.fields["rule"]) if "fabriek apply new" in error.fix else "no way out"
    return ""


def test_bill_a_type_that_is_empty_keeps_out_new_jobs_of_that_type_alone() -> None:
    balances = {**FULL, GPU: Balance(10, 0)}
    now = then(OPEN, balances, 0)
    assert now.state is State.NO_NEW_JOBS
    assert [refused(now, balances, one) for one in (GPU, CPU)] == ["spending.unit_empty", ""]


def test_bill_storage_that_is_empty_keeps_out_all_new_jobs() -> None:
    balances = {**FULL, TIB: Balance(10, 0)}
    now = then(OPEN, balances, 0)
    assert [refused(now, balances, one) for one in (GPU, CPU)] == ["spending.storage_empty"] * 2
    check_data(now)


def test_bill_access_to_data_is_shut_after_30_days_without_storage_and_not_after_29() -> None:
    balances = {**FULL, TIB: Balance(10, 0)}
    since = then(OPEN, balances, 0)
    assert [then(since, balances, days).state for days in (29, 30)] == [State.NO_NEW_JOBS, State.DATA_SHUT]
    with pytest.raises(NotPermitted, match="nothing is deleted") as shut:
        check_data(then(since, balances, 30))
    assert shut.value.fields["rule"] == "spending.data_shut"


def test_bill_gpu_hours_that_are_empty_never_shut_data() -> None:
    balances = {**FULL, GPU: Balance(10, 0)}
    assert then(then(OPEN, balances, 0), balances, 400).state is State.NO_NEW_JOBS


@pytest.mark.parametrize("resource", [GPU, TIB])
def test_bill_a_project_below_zero_is_closed_after_60_days_and_not_after_59(resource: Resource) -> None:
    balances = {**FULL, resource: Balance(10, 0, owed=1)}
    since = then(OPEN, balances, 0)
    assert then(since, balances, 59).state is not State.CLOSED
    closed = then(since, balances, 60)
    assert closed.state is State.CLOSED
    assert [refused(closed, balances, one) for one in (GPU, CPU)] == ["spending.closed"] * 2
    with pytest.raises(NotPermitted) as shut:
        check_data(closed)
    assert shut.value.fields["rule"] == "spending.closed"


def test_bill_a_project_with_nothing_left_that_owes_nothing_is_never_closed() -> None:
    balances = {GPU: Balance(10, 0), TIB: Balance(10, 0)}
    assert then(then(OPEN, balances, 0), balances, 400).state is State.DATA_SHUT


def test_bill_a_closed_project_is_open_again_on_the_day_credits_come() -> None:
    owing = {**FULL, TIB: Balance(10, 0, owed=1)}
    closed = then(then(OPEN, owing, 0), owing, 60)
    again = then(closed, FULL, 60)
    assert (again.state, again.since, again.empty, again.owing) == (State.OPEN, DAY + timedelta(days=60), {}, {})


def test_credits_that_just_cover_a_debt_leave_storage_empty_and_data_shut_later() -> None:
    owing = {**FULL, TIB: Balance(10, 0, owed=5)}
    closed = then(then(OPEN, owing, 0), owing, 60)
    covered = {**FULL, TIB: Balance(15, 5, owed=5)}
    assert then(closed, covered, 60).state is State.DATA_SHUT


def test_days_are_counted_anew_where_credits_came_between() -> None:
    empty = {**FULL, TIB: Balance(10, 0)}
    again = then(then(then(OPEN, empty, 0), FULL, 20), empty, 21)
    assert data_shuts_on(again, RULES) == DAY + timedelta(days=51)
    assert then(again, empty, 30).state is State.NO_NEW_JOBS


def test_what_jobs_hold_may_come_back_and_so_is_not_gone() -> None:
    assert then(OPEN, {GPU: Balance(10, 0, held=3)}, 0) == OPEN


def test_who_has_had_all_expert_hours_computes_on_and_is_closed_only_for_owing_them() -> None:
    expert = Resource.EXPERT_HOUR
    had = then(OPEN, {**FULL, expert: Balance(8, 0)}, 0)
    assert (had.state, set(had.empty), [refused(had, FULL, one) for one in (GPU, CPU)]) == (
        State.OPEN,
        {expert},
        ["", ""],
    )
    owing = {**FULL, expert: Balance(8, 0, owed=1)}
    since = then(OPEN, owing, 0)
    assert [since.state, then(since, owing, 59).state] == [State.OPEN, State.OPEN]
    assert then(then(since, owing, 60), owing, 60).state is State.CLOSED


def test_what_a_project_was_never_given_it_does_not_lack() -> None:
    assert then(OPEN, {GPU: Balance(10, 10), TIB: Balance()}, 0) == OPEN
    assert closes_on(OPEN, RULES) is None


def test_a_rule_that_an_operator_leaves_out_does_not_hold() -> None:
    rules = rules_on([row for row in ROWS if row.id == "spending.unit_empty"], DAY)
    empty = {**FULL, TIB: Balance(10, 0, owed=1)}
    since = after(OPEN, empty, rules, DAY)
    assert after(since, empty, rules, DAY + timedelta(days=400)).state is State.OPEN
    check_new_job(since, empty, rules, GPU)


def test_a_rule_of_tomorrow_does_not_hold_today() -> None:
    assert "spending.closed" not in rules_on(ROWS, date(2025, 12, 31))


def test_no_step_leads_past_the_table() -> None:
    with pytest.raises(AssertionError):
        move(OPEN, State.CLOSED, DAY)


AMOUNTS = st.builds(Balance, st.integers(0, 10), st.integers(0, 3), st.integers(0, 3), st.integers(0, 4))
DAYS = st.lists(st.tuples(st.integers(0, 40), st.dictionaries(st.sampled_from([GPU, CPU, TIB]), AMOUNTS)), max_size=12)


@given(DAYS)
def test_every_way_keeps_to_the_table_and_full_credits_lead_out_of_all_of_them(
    days: list[tuple[int, Balances]],
) -> None:
    standing, day = OPEN, DAY
    for later, balances in days:
        day += timedelta(days=later)
        now = after(standing, balances, RULES, day)
        assert now.state is standing.state or now.state in TRANSITIONS[standing.state]
        assert all(since <= day for since in (*now.empty.values(), *now.owing.values()))
        assert now.state is not State.CLOSED or now.owing
        standing = now
    assert after(standing, FULL, RULES, day).state is State.OPEN


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("id = 'spending.shut'", "no rule 'spending.shut'"),
        ("id = 'spending.closed'", "lacks 'days'"),
        ("id = 'spending.closed'\ndays = -1", "whole numbers"),
        ("id = 'spending.closed'\ndays = 1.5", "whole numbers"),
        ("id = 'spending.closed'\ndays = [60]", "whole numbers"),
        ("id = 'spending.ends_soon'\ndays = 30", "whole numbers"),
        ("id = 'spending.unit_empty'\ndays = 30", "has no 'days'"),
        ("id = 'spending.use_it_or_lose_it'\nmonths = 6\nbelow_percent = 40\nremains_percent = 160", "100 percent"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(words: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        running_out_of(f"[[rule]]\n{words}\nvalid_from = 2026-01-01\nsource = 's'\n")
