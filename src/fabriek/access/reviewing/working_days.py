"""When the office is open: working days, in the zone of the installation. Which holidays count is dated data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput

SATURDAY = 5
EARLIEST = time(4)
"""Clocks are put forward and back before this hour: an office that opens later has the same hours on every day."""

LONGEST = 3_700
"""Days that are looked at before we say that the office never opens."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When one office is open, from a day on. `off`: names of holidays; `also`: days on which this house is closed besides."""

    name: str
    valid_from: date
    source: str
    opens: time
    closes: time
    off: frozenset[str]
    good_friday: bool
    liberation_day_every: int
    also: frozenset[date]

    def is_off(self, day: date) -> bool:
        """Whether nobody is expected at work on that day."""
        if day.weekday() >= SATURDAY or day in self.also:
            return True
        named = holiday(day)
        if named == "Good Friday":
            return self.good_friday
        if named == "Liberation Day":
            return self.liberation_day_every > 0 and day.year % self.liberation_day_every == 0
        return named in self.off


def holiday(day: date) -> str:
    """The Dutch holiday of that day, in English; empty on any other. A day that has two has the one that counts more."""
    return _holidays(day.year).get(day, "")


@cache
def _holidays(year: int) -> dict[date, str]:
    found = holidays.country_holidays("NL", years=year, language="en_US", categories=("public", "optional"))
    # Two names on one day come joined; Ascension Day and Liberation Day were one in 2016, and the first is always off.
    return {day: name.split("; ")[0] if "Ascension" not in name else "Ascension Day" for day, name in found.items()}


def read_calendar(text: str) -> tuple[Hours, ...]:
    """The rows of data/calendar.toml, or of an operator's own. Raises InvalidInput."""
    return read_rows(text, "calendar", _hours)


def _hours(row: dict[str, Any]) -> Hours:
    made = Hours(
        row["name"], row["valid_from"], row["source"], row["opens"], row["closes"], frozenset(row["off"]), bool(row["good_friday"]),
        int(row["liberation_day_every"]), frozenset(row.get("also", ())),
    )  # fmt: skip
    if not EARLIEST <= made.opens < made.closes:
        raise InvalidInput(f"the office {made.name} opens before 4:00 or after it closes", fix="mend opens and closes")
    known = {name for year in (2025, 2026) for name in _holidays(year).values()}
    if unknown := sorted(made.off - known):
        raise InvalidInput(f"{unknown[0]!r} is no Dutch holiday", fix=f"names are {', '.join(sorted(known))}")
    return made


@dataclass(frozen=True, slots=True)
class Calendar:
    """One office: rows of the same name, and the zone in which its hours are read."""

    rows: Sequence[Hours]
    zone: ZoneInfo

    def on(self, day: date) -> Hours:
        """The row in force on that day; the first one before any was."""
        return in_force(self.rows, day) or self.rows[0]

    def is_working(self, day: date) -> bool:
        return not self.on(day).is_off(day)

    def open_from(self, start: datetime, *, like: Hours) -> Iterator[tuple[datetime, datetime]]:
        """The stretches in which the office is open from then on, in UTC. like: whose hours count; days off are by the row of each day."""
        day = start.astimezone(self.zone).date()
        for _ in range(LONGEST):
            if self.is_working(day):
                begin, end = self._at(day, like.opens), self._at(day, like.closes)
                if start < end:
                    yield max(begin, start.astimezone(UTC)), end
            day += timedelta(days=1)
        raise InvalidInput("the office is never open again by its calendar", fix="mend the calendar's days off")

    def next_working(self, day: date) -> date:
        """That day, or the first working day after it."""
        for number in range(LONGEST):
            if self.is_working(day + timedelta(days=number)):
                return day + timedelta(days=number)
        raise InvalidInput("the office is never open again by its calendar", fix="mend the calendar's days off")

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, self.zone).astimezone(UTC)


def calendar_named(name: str, rows: Sequence[Hours], zone: ZoneInfo) -> Calendar:
    """Raises InvalidInput where the data has no such office."""
    own = [row for row in rows if row.name == name]
    if not own:
        raise InvalidInput(f"the calendar has no office {name!r}", fix=f'add a [[calendar]] with name = "{name}"')
    return Calendar(own, zone)
