"""The time that a report is about: a quarter, or a year. What counts is when a line was booked, so that a past report never changes."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fabriek.funding.giving.quarters import Quarter


@dataclass(frozen=True, slots=True)
class Period:
    """Both days count. `start` and `end` are the instants around them in the installation's zone, the second not within."""

    name: str
    first: date
    last: date
    start: datetime
    end: datetime
    quarters: tuple[Quarter, ...]

    @property
    def entitling(self) -> tuple[str, ...]:
        """The memos under which its own quarters brought something."""
        return tuple(f"entitled {one}" for one in self.quarters)


def of_quarter(quarter: Quarter, zone: ZoneInfo) -> Period:
    return _period(str(quarter), (quarter,), zone)


def of_year(year: int, zone: ZoneInfo) -> Period:
    return _period(str(year), tuple(Quarter(year, number) for number in range(1, 5)), zone)


def _period(name: str, quarters: tuple[Quarter, ...], zone: ZoneInfo) -> Period:
    first, last = quarters[0].first, quarters[-1].last
    midnight = time(tzinfo=zone)
    return Period(
        name, first, last, datetime.combine(first, midnight), datetime.combine(last + timedelta(days=1), midnight), quarters
    )  # fmt: skip
