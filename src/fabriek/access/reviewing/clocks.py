"""The clock of a review: so many working days from a start, standing still while the applicant is asked.

A working day is a day's office hours. What comes in on Friday at 16:00 with two working days is due on Tuesday at 16:00; what comes in after
closing time or at a weekend counts as come in at the next opening. So the two ways in which people count agree: by hours, and by days after
the day of receipt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fabriek.access.reviewing.working_days import Calendar
from fabriek.kernel.errors import WrongState

ALARMS = (50, 80, 100)
"""At which parts of the time somebody is told, in percent."""


@dataclass(frozen=True, slots=True)
class Pause:
    """`ended_at` is None while it goes on."""

    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReviewClock:
    """`days`: working days that were promised. `stopped_at`: when the answer was given."""

    started_at: datetime
    days: int
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].ended_at is None


def paused(clock: ReviewClock, at: datetime) -> ReviewClock:
    """Raises WrongState on one that stands still already."""
    if clock.is_paused or clock.stopped_at is not None:
        raise WrongState("this clock stands still already", fix="fabriek review show APPLICATION")
    return replace(clock, pauses=(*clock.pauses, Pause(at)))


def resumed(clock: ReviewClock, at: datetime) -> ReviewClock:
    """Raises WrongState on one that does not stand still."""
    if not clock.is_paused:
        raise WrongState("this clock runs already", fix="fabriek review show APPLICATION")
    return replace(clock, pauses=(*clock.pauses[:-1], replace(clock.pauses[-1], ended_at=at)))


def stopped(clock: ReviewClock, at: datetime) -> ReviewClock:
    """Over, for good: the answer is there."""
    going = resumed(clock, at) if clock.is_paused else clock
    return replace(going, stopped_at=at)


def started_again(clock: ReviewClock, at: datetime) -> ReviewClock:
    """An answer was overruled: the time between does not count."""
    if clock.stopped_at is None:
        return clock
    return replace(clock, stopped_at=None, pauses=(*clock.pauses, Pause(clock.stopped_at, at)))


def due(clock: ReviewClock, calendar: Calendar, *, percent: int = 100) -> datetime | None:
    """The first instant of office hours at which that part of the time is used up; None while it stands still: nobody knows yet."""
    left = _promised(clock, calendar) * percent / 100
    for begin, end in _running(clock, calendar):
        if end is None:
            return None
        # Strictly: time that is used up at closing is due at the next opening, as what comes in at closing counts from there.
        if left < end - begin:
            return begin + left
        left -= end - begin
    raise AssertionError("open_from never ends quietly")


def used_percent(clock: ReviewClock, calendar: Calendar, now: datetime) -> int:
    """How much of the time is used at that instant, in percent rounded down; above 100 when it is late."""
    until = min(now, clock.stopped_at) if clock.stopped_at else now
    used = timedelta()
    for begin, end in _running(clock, calendar):
        if end is None or begin >= until:
            break
        used += min(end, until) - begin
    promised = _promised(clock, calendar)
    return int(used * 100 // promised) if promised else 100


def alarm_now(clock: ReviewClock, calendar: Calendar, now: datetime) -> int:
    """The highest alarm that has come; 0 before the first, and for a clock that stands still or is stopped."""
    if clock.is_paused or clock.stopped_at is not None:
        return 0
    come = [part for part in ALARMS if (at := due(clock, calendar, percent=part)) is not None and at <= now]
    return max(come, default=0)


def _promised(clock: ReviewClock, calendar: Calendar) -> timedelta:
    hours = calendar.on(clock.started_at.astimezone(calendar.zone).date())
    a_day = timedelta(hours=hours.closes.hour, minutes=hours.closes.minute, seconds=hours.closes.second) - timedelta(
        hours=hours.opens.hour, minutes=hours.opens.minute, seconds=hours.opens.second
    )
    return clock.days * a_day


def _running(clock: ReviewClock, calendar: Calendar) -> Iterator[tuple[datetime, datetime | None]]:
    """The stretches in which it runs; the end is None where a pause begins that has not ended."""
    hours = calendar.on(clock.started_at.astimezone(calendar.zone).date())
    for opened, closes in calendar.open_from(clock.started_at, like=hours):
        begin = opened
        for pause in clock.pauses:
            if pause.began_at >= closes:
                break
            if pause.ended_at is not None and pause.ended_at <= begin:
                continue
            if pause.began_at > begin:
                yield begin, pause.began_at
            if pause.ended_at is None:
                yield max(begin, pause.began_at), None
                return
            begin = max(begin, pause.ended_at)
        if begin < closes:
            yield begin, closes
