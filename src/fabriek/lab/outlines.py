"""An outline: what stands for many points of a curve on a screen. It keeps the first, the lowest, the highest and the last."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.lab.metrics import RANK_OF_NAN, Place

POINTS_OF_OUTLINE = 1_024


@dataclass(frozen=True, slots=True)
class Outline:
    """Of `count` points that follow each other in order of time. Each edge is the place of a point that is there."""

    first: Place
    low: Place
    high: Place
    last: Place
    count: int

    @classmethod
    def of(cls, places: Sequence[Place]) -> "Outline":
        """Of points in order; at least one."""
        return cls(places[0], min(places, key=_depth), max(places, key=_height), places[-1], len(places))

    def widened(self, place: Place) -> "Outline":
        """With one more point, which lies before its last."""
        return replace(
            self, first=min(self.first, place), low=min(self.low, place, key=_depth),
            high=max(self.high, place, key=_height), count=self.count + 1,
        )  # fmt: skip

    @property
    def edges(self) -> Sequence[Place]:
        """Its points in order, each once."""
        return sorted({self.first, self.low, self.high, self.last})


def _height(place: Place) -> tuple[bool, int]:
    """NaN is neither high nor low, where there is anything else."""
    return (place[2] != RANK_OF_NAN, place[2])


def _depth(place: Place) -> int:
    return place[2]
