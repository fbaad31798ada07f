"""From starts as they were played to an interval that holds as often as it says.

What came of the most similar forecasts of before says by how much a played start is off, and how widely: quantiles of their errors are added to it
(split conformal prediction, with neighbours in place of one set for all). How wide the interval must be is corrected by how often the last ones
were missed at either end, so that it goes on holding when people change their ways (adaptive conformal inference, Gibbs and Candès, 2021).
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import nsmallest

from fabriek.compute.forecasting.forecasts import LEVELS, Features, Outcome

KEPT_MAX = 1_500
ALIKE = 100
ENOUGH = 30
"""Below that many outcomes nothing is set right: a tenth of fewer is not one of them."""

STEP = 0.01
TIGHTEST, WIDEST = 0.30, 0.01
"""Between these the levels of the interval's ends may be corrected."""

Quantiles = tuple[float, float, float]


class Calibration:
    """Outcomes in the order in which they became known."""

    def __init__(self, past: Iterable[Outcome] = ()) -> None:
        self._past = deque[Outcome](maxlen=KEPT_MAX)
        self._low, self._high = LEVELS[0], 1 - LEVELS[2]
        for one in past:
            self.learn(one)

    @property
    def enough(self) -> bool:
        return len(self._past) >= ENOUGH

    def learn(self, outcome: Outcome) -> None:
        """One more has started. A miss widens that end a little, a hit tightens it by a ninth of that."""
        self._past.append(outcome)
        self._low = min(TIGHTEST, max(WIDEST, self._low + STEP * (LEVELS[0] - outcome.early)))
        self._high = min(TIGHTEST, max(WIDEST, self._high + STEP * (1 - LEVELS[2] - outcome.late)))

    def of(self, features: Features) -> Quantiles:
        """The ends of the interval and its middle, as softened logarithms of the wait, in order. Only where there is enough."""
        assert self.enough, "nothing to set it right by"
        alike = nsmallest(ALIKE, self._past, key=lambda one: features.distance(one.features))
        errors: list[float] = []
        for one in alike:
            insort(errors, one.error)
        low, middle, high = (quantile(errors, level) for level in (self._low, LEVELS[1], 1 - self._high))
        return features.middle + low, features.middle + middle, features.middle + high


def quantile(values: Sequence[float], level: float) -> float:
    """Between the two values that are nearest to it. values: at least one, in order."""
    place = level * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
