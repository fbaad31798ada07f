"""By when something is promised, in working days of the office."""

from datetime import date, timedelta
from typing import Protocol


class Office(Protocol):
    """On which days it works."""

    def is_working(self, day: date) -> bool: ...

    def next_working(self, day: date) -> date:
        """That day, or the first working day after it."""


def days_after(office: Office, day: date, working_days: int) -> date:
    """The day on which so many working days have gone by; of none, the day itself."""
    for _ in range(working_days):
        day = office.next_working(day + timedelta(days=1))
    return day


def days_between(office: Office, start: date, end: date) -> int:
    """Working days after `start`, up to and with `end`; 0 where it is not later."""
    return sum(office.is_working(start + timedelta(days=number)) for number in range(1, (end - start).days + 1))
