"""How often the intervals of an installation held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from fabriek.compute.forecasting.forecasts import LEVELS, Basis
from fabriek.compute.forecasting.ports import Kept

MEANT = LEVELS[2] - LEVELS[0]
"""The part of all starts that an interval is meant to hold."""

SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Score:
    """Of the starts of jobs that had to wait and were given an interval: how many there are, and how many lay in it, before it and after it.
    `hours_wide`: of half of the intervals at most. `since`: the first of them was made.
    """

    forecasts: int = 0
    held: int = 0
    early: int = 0
    late: int = 0
    hours_wide: float = 0.0
    since: datetime | None = None

    @property
    def part(self) -> float:
        """0..1; 0 where there is none yet."""
        return self.held / self.forecasts if self.forecasts else 0.0


def score_of(outcomes: Sequence[Kept]) -> Score:
    """By what was said first of each. What could not be set right yet counts in none."""
    judged = [
        (one.first.earliest, one.first.latest, one.started_at, one.first.made_at)
        for one in outcomes
        if one.first.basis is Basis.CALIBRATED
    ]
    whole = [
        (low, high, at, made)
        for low, high, at, made in judged
        if low is not None and high is not None and at is not None
    ]
    if not whole:
        return Score()
    early, late = sum(at < low for low, _, at, _ in whole), sum(at > high for _, high, at, _ in whole)
    wide = median((high - low).total_seconds() for low, high, _, _ in whole) / SECONDS_PER_HOUR
    since = min(made for _, _, _, made in whole)
    return Score(len(whole), len(whole) - early - late, early, late, wide, since)
