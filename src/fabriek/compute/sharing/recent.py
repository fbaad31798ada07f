"""How much of the machine each has used lately: a mean in which each moment counts less the longer it is past."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import exp


class RecentUse:
    """`remembered_seconds`: after so long a moment counts 1/e of what it did. What is added or taken away is in parts of the machine, 0..1, or in any
    other unit of use; so are the means.
    """

    __slots__ = ("_of", "_remembered")

    def __init__(self, remembered_seconds: float, at: datetime, means: Mapping[str, float] | None = None) -> None:
        """means: of each name at that instant; nobody uses anything yet."""
        self._remembered = remembered_seconds
        self._of: dict[str, tuple[float, float, datetime]] = {
            name: (mean, 0.0, at) for name, mean in (means or {}).items()
        }

    def change(self, name: str, by: float, now: datetime) -> None:
        """From now on it uses so much more, or less where this is below zero."""
        _, rate, _ = self._of.get(name, (0.0, 0.0, now))
        self._of[name] = (self.mean(name, now), rate + by, now)

    def uses(self, rates: Mapping[str, float], now: datetime) -> None:
        """From now on each uses so much, and who is not named nothing. A clock that was set back changes nothing that was."""
        for name in {*self._of, *rates}:
            _, before, at = self._of.get(name, (0.0, 0.0, now))
            rate = rates.get(name, 0.0)
            if rate != before or at > now:
                self._of[name] = (self.mean(name, now), rate, now)

    def mean(self, name: str, now: datetime) -> float:
        found = self._of.get(name)
        if found is None:
            return 0.0
        mean, rate, at = found
        left = exp(-max(0.0, (now - at).total_seconds()) / self._remembered)
        return mean * left + rate * (1.0 - left)

    def means(self, now: datetime) -> dict[str, float]:
        """Of every name."""
        return {name: self.mean(name, now) for name in self._of}

    def total(self, names: Iterable[str], now: datetime) -> float:
        return sum(self.mean(name, now) for name in names)
