"""How fast a project spends, and on which day it runs out: a guess with an interval, from whole weeks, and none where there are too few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

from fabriek.funding.resources import Resource

WEEK = timedelta(days=7)
WEEKS_MAX = 8
"""What was longer ago says little of now."""

WEEKS_MIN = 2
WEEKS_TRIMMED = 5
"""From so many weeks on the busiest and the quietest are left out: one campaign, or one holiday, is no pace."""

DAYS_MAX = 10 * 366


class Outlook(StrEnum):
    RUNS_OUT = "runs_out"
    LASTS = "lasts"
    STANDS_STILL = "stands_still"
    TOO_LITTLE = "too_little_history"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`on`: the day it runs out at the pace of the middle week; `earliest` and `latest` at those of the busy and the quiet weeks, None where
    it does not run out before it ends. each_week: micro-units of the middle week. weeks: whole ones that were looked at.
    """

    outlook: Outlook
    weeks: int
    each_week: int = 0
    on: date | None = None
    earliest: date | None = None
    latest: date | None = None


@dataclass(frozen=True, slots=True)
class Burndown:
    """One resource of a project. left: today; daily: what was used each day, the oldest first; ends_on: the last day of what it has."""

    resource: Resource
    granted: int
    left: int
    held: int
    owed: int
    ends_on: date | None
    daily: Sequence[tuple[date, int]]
    forecast: Forecast

    @property
    def remaining(self) -> Sequence[tuple[date, int]]:
        """What was left at the end of each day, if nothing but use changed it: from today backwards."""
        points, now = [], self.left + self.held
        for day, used in reversed(self.daily):
            points.append((day, now))
            now += used
        return points[::-1]


def forecast(daily: Mapping[date, int], left: int, today: date, ends_on: date | None) -> Forecast:
    """daily: what was used on each day; days before the first use are not counted, and today is not over. left: what can be spent still."""
    weeks = _weeks(daily, today)
    if left <= 0:
        return Forecast(Outlook.EMPTY, len(weeks))
    if len(weeks) < WEEKS_MIN:
        return Forecast(Outlook.TOO_LITTLE, len(weeks))
    kept = sorted(weeks)[1:-1] if len(weeks) >= WEEKS_TRIMMED else sorted(weeks)
    middle = round(median(weeks))
    on = _runs_out(left, middle, today, ends_on)
    earliest, latest = _runs_out(left, kept[-1], today, ends_on), _runs_out(left, kept[0], today, ends_on)
    if kept[-1] == 0:
        return Forecast(Outlook.STANDS_STILL, len(weeks))
    outlook = Outlook.RUNS_OUT if on else Outlook.LASTS
    return Forecast(outlook, len(weeks), middle, on, earliest, latest)


def _weeks(daily: Mapping[date, int], today: date) -> list[int]:
    """What each whole week before today used, the newest first, no further back than the first use."""
    began = min((day for day, used in daily.items() if used), default=today)
    sums: list[int] = []
    end = today
    while len(sums) < WEEKS_MAX and end - WEEK >= began:
        days = (end - timedelta(days=number) for number in range(1, 8))
        sums.append(max(0, sum(daily.get(day, 0) for day in days)))
        end -= WEEK
    return sums


def _runs_out(left: int, each_week: int, today: date, ends_on: date | None) -> date | None:
    if each_week <= 0:
        return None
    days = left * WEEK.days // each_week
    if days > DAYS_MAX:
        return None
    day = today + timedelta(days=days)
    return None if ends_on is not None and day > ends_on else day


def sentence(one: Burndown) -> str:
    """The forecast in words."""
    told = one.forecast
    match told.outlook:
        case Outlook.EMPTY:
            return "nothing is left"
        case Outlook.TOO_LITTLE:
            return f"no forecast yet: it takes {WEEKS_MIN} whole weeks of use, and there are {told.weeks}"
        case Outlook.STANDS_STILL:
            return f"nothing was used in {told.weeks} weeks: it does not run out at this pace"
        case Outlook.LASTS:
            end = f"it lasts until it ends on {one.ends_on}" if one.ends_on else "it lasts for years"
            return end + (f"; at the pace of busy weeks it runs out on {told.earliest}" if told.earliest else "")
        case Outlook.RUNS_OUT:
            late = f"{told.latest}" if told.latest else "not before it ends"
            return f"runs out about {told.on}: between {told.earliest} and {late}, by {told.weeks} weeks"
