"""What is said of a job's start before it starts, and by what forecasts are alike."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, log

SOFTENED_SECONDS = 60.0
"""Waits are compared by their logarithm, and one of a few seconds is as good as none."""

LEVELS = (0.1, 0.5, 0.9)
"""What is said: the ends of the interval, which holds four times out of five, and the middle."""


class Basis(StrEnum):
    """What a forecast stands on. `now`: it would start at once. `calibrated`: played forward, and set right by what came of earlier forecasts.
    `played`: played forward, with too few earlier ones to set it right by. `asked`: nobody has run here long enough; the times that were asked
    for, which says the latest only. `unknown`: nothing can be said.
    """

    NOW = "now"
    CALIBRATED = "calibrated"
    PLAYED = "played"
    ASKED = "asked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one start. `earliest` and `latest` hold it four times out of five, where they are calibrated; `median` is as often too early as too late.
    Absent is what nobody knows. `futures`: in how many ways it was played.
    """

    made_at: datetime
    basis: Basis
    earliest: datetime | None = None
    median: datetime | None = None
    latest: datetime | None = None
    futures: int = 0

    @property
    def starts_now(self) -> bool:
        return self.basis is Basis.NOW

    def holds(self, started_at: datetime) -> bool:
        """Whether the start lies in it, its ends among it."""
        low, high = self.earliest or self.made_at, self.latest
        return low <= started_at and (high is None or started_at <= high)


@dataclass(frozen=True, slots=True)
class Features:
    """By which a forecast is like another. All logarithms of seconds but `size`, that of its part of the machine.

    middle: of the starts as they were played; spread: between the soonest and the latest of them; beyond: by how much the times asked for
    would have it later; length: for how long it asks.
    """

    middle: float
    spread: float
    beyond: float
    size: float
    length: float

    def distance(self, other: "Features") -> float:
        """Weights found on three traces, and hardly felt: halving or doubling one moves the pinball loss by some hundredths."""
        return (
            abs(self.middle - other.middle)
            + 0.5 * abs(self.spread - other.spread)
            + 0.5 * abs(self.beyond - other.beyond)
            + 0.3 * abs(self.size - other.size)
            + 0.2 * abs(self.length - other.length)
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A forecast of before, and what came of it. `error`: by how much the logarithm of the wait was above `features.middle`. `early` and `late`: it
    began before or after the interval that was said; neither where none was said.
    """

    features: Features
    error: float
    early: bool = False
    late: bool = False


def softened(wait_seconds: float) -> float:
    """The logarithm by which waits are compared."""
    return log(SOFTENED_SECONDS + max(0.0, wait_seconds))


def hardened(value: float) -> timedelta:
    """The wait of which this is the softened logarithm; at least none."""
    return timedelta(seconds=max(0.0, exp(min(value, 25.0)) - SOFTENED_SECONDS))
