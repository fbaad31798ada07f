"""Working days as people count them in the Netherlands, and the properties that no applicant may lose by."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.access.reviewing import clocks
from fabriek.access.reviewing.clocks import Pause, ReviewClock
from fabriek.access.reviewing.working_days import Calendar, calendar_named, read_calendar
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput, WrongState

ZONE = ZoneInfo("Europe/Amsterdam")
TEXT = shipped("fabriek.access.reviewing", "calendar.toml")
ROWS = read_calendar(TEXT)
OFFICE, LAW = calendar_named("office", ROWS, ZONE), calendar_named("law", ROWS, ZONE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def due(start: str, days: int, *pauses: tuple[str, str], calendar: Calendar = OFFICE) -> str:
    asked = tuple(Pause(at(began), at(ended)) for began, ended in pauses)
    found = clocks.due(ReviewClock(at(start), days, asked), calendar)
    assert found is not None
    return f"{found.astimezone(ZONE):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-27 16:00", 2, "2026-12-01 16:00"),  # Friday + 2 working days = Tuesday
        ("2026-11-27 17:00", 2, "2026-12-02 09:00"),  # at closing time: as if on Monday at nine, so Wednesday
        ("2026-11-27 23:30", 2, "2026-12-02 09:00"),
        ("2026-11-28 12:00", 2, "2026-12-02 09:00"),  # a Saturday
        ("2026-11-30 08:59", 2, "2026-12-02 09:00"),
        ("2026-11-30 09:00", 2, "2026-12-02 09:00"),
        ("2026-12-24 12:00", 2, "2026-12-29 12:00"),  # Christmas on a Friday and a Saturday
        ("2026-04-02 12:00", 2, "2026-04-07 12:00"),  # Good Friday is worked, Easter Monday is not
        ("2026-05-04 12:00", 1, "2026-05-05 12:00"),  # Liberation Day is worked in 2026 …
        ("2025-05-02 12:00", 1, "2025-05-06 12:00"),  # … and is not in 2025
        ("2027-04-26 12:00", 1, "2027-04-28 12:00"),  # King's Day
        ("2026-05-13 12:00", 2, "2026-05-18 12:00"),  # Ascension Day
        ("2026-03-27 16:00", 2, "2026-03-31 16:00"),  # the clocks go forward in that weekend
        ("2026-10-23 16:00", 2, "2026-10-27 16:00"),  # and back
    ],
)
def test_deadlines_as_people_count_them(start: str, days: int, expected: str) -> None:
    assert due(start, days) == expected


def test_the_law_has_days_that_the_office_does_not_have() -> None:
    assert due("2026-04-02 12:00", 1, calendar=LAW) == "2026-04-07 12:00"
    assert not LAW.is_working(date(2026, 5, 5))
    assert OFFICE.is_working(date(2026, 5, 5))
    assert LAW.next_working(date(2027, 1, 1)) == date(2027, 1, 4)
    assert not OFFICE.is_working(date(2016, 5, 5))  # Ascension Day and Liberation Day at once


def test_the_clock_stands_still_while_the_applicant_is_asked() -> None:
    assert due("2026-11-27 16:00", 2, ("2026-11-30 10:00", "2026-11-30 14:00")) == "2026-12-02 12:00"
    assert due("2026-11-27 16:00", 2, ("2026-11-30 10:00", "2026-12-07 10:00")) == "2026-12-08 16:00"
    weekend = ("2026-11-28 10:00", "2026-11-29 10:00")
    assert due("2026-11-27 16:00", 2, weekend) == "2026-12-01 16:00"


def test_nobody_knows_the_deadline_before_the_answer_is_in() -> None:
    going = clocks.paused(ReviewClock(at("2026-11-27 16:00"), 2), at("2026-11-30 10:00"))
    assert clocks.due(going, OFFICE) is None
    assert clocks.alarm_now(going, OFFICE, at("2027-11-30 10:00")) == 0
    assert clocks.used_percent(going, OFFICE, at("2027-11-30 10:00")) == 12
    with pytest.raises(WrongState):
        clocks.paused(going, at("2026-11-30 11:00"))
    answered = clocks.resumed(going, at("2026-11-30 14:00"))
    with pytest.raises(WrongState):
        clocks.resumed(answered, at("2026-11-30 15:00"))
    over = clocks.stopped(going, at("2026-12-01 09:00"))
    assert not over.is_paused
    with pytest.raises(WrongState):
        clocks.paused(over, at("2026-12-01 10:00"))


def test_alarms_come_at_a_half_four_fifths_and_the_end() -> None:
    clock = ReviewClock(at("2026-11-30 09:00"), 10)
    expected = {
        "2026-12-04 16:59": 0,
        "2026-12-07 09:00": 50,
        "2026-12-10 09:00": 80,
        "2026-12-14 08:59": 80,
        "2026-12-14 09:00": 100,
    }
    assert {when: clocks.alarm_now(clock, OFFICE, at(when)) for when in expected} == expected
    assert clocks.alarm_now(clocks.stopped(clock, at("2026-12-01 09:00")), OFFICE, at("2027-01-01 09:00")) == 0


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("opens = 09:00:00", "opens = 02:00:00", "before 4:00"),
        ("opens = 09:00:00", "opens = 18:00:00", "after it closes"),
        ('"King\'s Day"', '"Kingsday"', "no Dutch holiday"),
        ("opens = 09:00:00", "", "lacks 'opens'"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(was: str, becomes: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_calendar(TEXT.replace(was, becomes, 1))
    assert says in refused.value.detail


def test_an_office_that_never_opens_is_said_and_not_waited_for() -> None:
    shut = Calendar(
        [replace(OFFICE.rows[0], also=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(4_000)))], ZONE
    )
    with pytest.raises(InvalidInput):
        clocks.due(ReviewClock(at("2026-01-01 09:00"), 1), shut)
    with pytest.raises(InvalidInput):
        shut.next_working(date(2026, 1, 1))
    with pytest.raises(InvalidInput):
        calendar_named("moon", ROWS, ZONE)


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda one: one.replace(tzinfo=ZoneInfo("UTC")))  # noqa: DTZ001
DAYS = st.integers(0, 15)
LENGTHS = st.timedeltas(timedelta(), timedelta(days=9))


def pauses_of(start: datetime, lengths: list[timedelta]) -> tuple[Pause, ...]:
    """Pauses that follow each other, made of waits and lengths in turn."""
    made, moment = [], start
    for wait, length in zip(lengths[::2], lengths[1::2], strict=False):
        made.append(Pause(moment + wait, moment + wait + length))
        moment += wait + length
    return tuple(made)


def found(clock: ReviewClock, calendar: Calendar = OFFICE) -> datetime:
    answer = clocks.due(clock, calendar)
    assert answer is not None
    return answer


@settings(max_examples=120)
@given(MOMENTS, LENGTHS, DAYS, st.integers(0, 3), st.lists(LENGTHS, max_size=4))
def test_later_or_longer_is_never_due_sooner(
    start: datetime, later: timedelta, days: int, more: int, waits: list[timedelta]
) -> None:
    first = ReviewClock(start, days, pauses_of(start, waits))
    assert found(first) <= found(replace(first, days=days + more))
    assert found(ReviewClock(start, days)) <= found(ReviewClock(start + later, days))
    halves = [moment for part in (50, 80, 100) if (moment := clocks.due(first, OFFICE, percent=part))]
    assert halves == sorted(halves)
    assert len(halves) == 3


@settings(max_examples=120)
@given(MOMENTS, DAYS, st.lists(LENGTHS, max_size=6))
def test_a_pause_never_costs_the_reviewers_time(start: datetime, days: int, waits: list[timedelta]) -> None:
    pauses = pauses_of(start, waits)
    moments = [found(ReviewClock(start, days, pauses[:count])) for count in range(len(pauses) + 1)]
    assert moments == sorted(moments)


@settings(max_examples=120)
@given(MOMENTS, DAYS, st.lists(LENGTHS, max_size=4), st.sets(st.dates(date(2025, 1, 1), date(2028, 3, 1)), max_size=40))
def test_a_day_off_more_never_brings_the_deadline_forward(
    start: datetime, days: int, waits: list[timedelta], off: set[date]
) -> None:
    clock = ReviewClock(start, days, pauses_of(start, waits))
    with_more = Calendar([replace(row, also=row.also | off) for row in OFFICE.rows], ZONE)
    assert found(clock) <= found(clock, with_more)


@settings(max_examples=120)
@given(MOMENTS, st.integers(1, 15), st.lists(LENGTHS, max_size=4), LENGTHS)
def test_it_is_due_within_office_hours_exactly_when_the_time_is_used(
    start: datetime, days: int, waits: list[timedelta], after: timedelta
) -> None:
    clock = ReviewClock(start, days, pauses_of(start, waits))
    moment = found(clock)
    local = moment.astimezone(ZONE)
    assert OFFICE.is_working(local.date())
    assert 9 <= local.hour < 17
    assert clocks.used_percent(clock, OFFICE, moment) == 100
    assert clocks.used_percent(clock, OFFICE, moment + after) >= 100
    assert clocks.used_percent(clock, OFFICE, start) == 0
