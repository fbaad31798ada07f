"""Thinning: which points of a curve a screen shows. Each stretch keeps its lowest and its highest, so that no peak is lost."""

from collections.abc import Sequence
from itertools import pairwise

from fabriek.lab.metrics import RANK_OF_NAN, Place

CURVE_POINTS = 1_000


def thinned(places: Sequence[Place], points: int) -> Sequence[Place]:
    """At most about `points` of them, in their order: of each stretch the first, the lowest, the highest and the last."""
    if len(places) <= max(points, 4):
        return places
    stretches = max(points // 4, 1)
    edges = [len(places) * number // stretches for number in range(stretches + 1)]
    kept: list[Place] = []
    for start, end in pairwise(edges):
        part = places[start:end]
        numbers = [place for place in part if place[2] != RANK_OF_NAN] or part
        chosen = {part[0], part[-1], min(numbers, key=_rank), max(numbers, key=_rank)}
        kept.extend(place for place in part if place in chosen)
    return kept


def _rank(place: Place) -> int:
    return place[2]
