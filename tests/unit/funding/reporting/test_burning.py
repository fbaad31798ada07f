"""When a project runs out: by whole weeks, with an interval, and honest where there is little to go by."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fabriek.funding.reporting.burning import Burndown, Outlook, forecast, sentence
from fabriek.funding.resources import Resource

TODAY = date(2026, 11, 24)


def weeks(*each: int) -> dict[date, int]:
    """What each week used on its first day, the newest first."""
    return {TODAY - timedelta(days=7 * number): used for number, used in enumerate(each, 1)}


def test_an_even_pace_runs_out_on_a_day() -> None:
    found = forecast(weeks(70, 70, 70), 700, TODAY, None)
    assert (found.outlook, found.each_week, found.weeks) == (Outlook.RUNS_OUT, 70, 3)
    assert found.on == found.earliest == found.latest == TODAY + timedelta(days=70)


def test_one_campaign_moves_neither_the_day_nor_the_interval() -> None:
    calm = forecast(weeks(70, 80, 70, 60, 70, 80), 700, TODAY, None)
    stormy = forecast(weeks(70, 80, 7000, 60, 70, 80), 700, TODAY, None)
    assert calm.on == TODAY + timedelta(days=70)
    assert stormy.on is not None
    assert stormy.earliest is not None
    assert abs((stormy.on - calm.on).days) <= 5
    assert stormy.earliest >= TODAY + timedelta(days=60)


def test_busy_and_quiet_weeks_make_the_interval() -> None:
    found = forecast(weeks(70, 140, 35), 700, TODAY, None)
    assert (found.earliest, found.on, found.latest) == tuple(TODAY + timedelta(days=days) for days in (35, 70, 140))


def test_too_little_history_gives_no_day() -> None:
    for daily in ({}, {TODAY: 50}, {TODAY - timedelta(days=3): 50}, weeks(70)):
        assert forecast(daily, 700, TODAY, None).outlook is Outlook.TOO_LITTLE
    assert "takes 2 whole weeks of use, and there are 1" in _said(forecast(weeks(70), 700, TODAY, None))


def test_today_is_not_over_and_does_not_count() -> None:
    assert forecast(weeks(70, 70) | {TODAY: 9_999}, 700, TODAY, None).each_week == 70


def test_what_ends_first_lasts_and_busy_weeks_are_told() -> None:
    ends = TODAY + timedelta(days=40)
    found = forecast(weeks(70, 140, 35), 700, TODAY, ends)
    assert (found.outlook, found.on, found.earliest, found.latest) == (
        Outlook.LASTS,
        None,
        TODAY + timedelta(days=35),
        None,
    )
    assert "at the pace of busy weeks it runs out on 2026-12-29" in _said(found, ends)


def test_nothing_left_and_nothing_used() -> None:
    assert forecast(weeks(70, 70), 0, TODAY, None).outlook is Outlook.EMPTY
    still = forecast(weeks(0, 0, 0, 0, 0, 0, 0, 1), 700, TODAY, None)
    assert (still.outlook, still.on) == (Outlook.STANDS_STILL, None)


@given(st.lists(st.integers(0, 10**9), max_size=12), st.integers(-5, 10**12), st.integers(0, 400))
def test_the_interval_is_around_the_day_and_within_the_end(each: list[int], left: int, days: int) -> None:
    ends = TODAY + timedelta(days=days)
    found = forecast(weeks(*each), left, TODAY, ends)
    told = [day for day in (found.earliest, found.on, found.latest) if day is not None]
    assert told == sorted(told)
    assert all(TODAY <= day <= ends for day in told)
    assert _said(found, ends)


def _said(found: object, ends: date | None = None) -> str:
    return sentence(Burndown(Resource.GPU_HOUR, 0, 0, 0, 0, ends, [], found))  # type: ignore[arg-type]
