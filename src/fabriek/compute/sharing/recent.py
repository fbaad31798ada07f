"""How much of the machine each has used lately: a mean in which each moment counts less the longer it is past."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import exp

Fading = tuple[float, float, float]
"""A mean, what is used from then on, and since when: seconds since 1970, since a replay asks millions of times."""


class RecentUse:
    """`remembered_seconds`: after so long a moment counts 1/e of what it did. What is added or taken away is in parts of the machine, 0..1, or in any
    other unit of use; so are the means.
    """

    __slots__ = ("_of", "remembered_seconds")

    def __init__(self, remembered_seconds: float, at: datetime, means: Mapping[str, float] | None = None) -> None:
        """means: of each name at that instant; nobody uses anything yet."""
        self.remembered_seconds = remembered_seconds
        self._of: dict[str, Fading] = {name: (mean, 0.0, at.timestamp()) for name, mean in (means or {}).items()}

    def change(self, names: Iterable[str], by: float, second: float) -> None:
        """From now on each uses so much more, or less where this is below zero. second: now, as of `datetime.timestamp`, here and below: whoever
        asks often works it out once.
        """
        for name in names:
            found = self._of.get(name)
            if found is None:
                self._of[name] = (0.0, by, second)
                continue
            mean, rate, at = found
            left = exp((at - second) / self.remembered_seconds) if second > at else 1.0
            self._of[name] = (mean * left + rate * (1.0 - left), rate + by, second)

    def uses(self, rates: Mapping[str, float], now: datetime) -> None:
        """From now on each uses so much, and who is not named nothing. A clock that was set back changes nothing that was."""
        second = now.timestamp()
        for name in {*self._of, *rates}:
            _, before, at = self._of.get(name, (0.0, 0.0, second))
            rate = rates.get(name, 0.0)
            if rate != before or at > second:
                self._of[name] = (self.mean(name, second), rate, second)

    def mean(self, name: str, second: float) -> float:
        found = self._of.get(name)
        if found is None:
            return 0.0
        mean, rate, at = found
        if second <= at:
            return mean
        left = exp((at - second) / self.remembered_seconds)
        return mean * left + rate * (1.0 - left)

    def means(self, now: datetime) -> dict[str, float]:
        """Of every name."""
        second = now.timestamp()
        return {name: self.mean(name, second) for name in self._of}

    def total(self, names: Iterable[str], second: float) -> float:
        return sum([self.mean(name, second) for name in names])
