"""Curves and outlines: however much is left out, no peak is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.lab.curves import thinned
from fabriek.lab.metrics import RANK_OF_NAN, Place, rank
from fabriek.lab.outlines import Outline

VALUES = st.lists(st.floats(width=32), min_size=1, max_size=400)


def places(values: list[float]) -> list[Place]:
    return [(step * 10, step, rank(value)) for step, value in enumerate(values)]


@given(VALUES, st.integers(4, 100))
def test_a_thinned_curve_keeps_its_ends_and_extremes(values: list[float], points: int) -> None:
    whole = places(values)
    kept = thinned(whole, points)
    assert kept == sorted(set(kept))
    assert set(kept) <= set(whole)
    assert (kept[0], kept[-1]) == (whole[0], whole[-1])
    numbers = [place[2] for place in whole if place[2] != RANK_OF_NAN]
    if numbers:
        seen = {place[2] for place in kept}
        assert {min(numbers), max(numbers)} <= seen
    assert len(kept) <= max(points, 4)


def test_a_short_curve_is_left_alone() -> None:
    assert thinned(places([1.0, 2.0]), 1_000) == places([1.0, 2.0])


@given(VALUES)
def test_an_outline_grown_point_by_point_is_that_of_all(values: list[float]) -> None:
    whole = places(values)
    grown = Outline.of([whole[-1]])
    for place in reversed(whole[:-1]):
        grown = grown.widened(place)
    at_once = Outline.of(whole)
    assert (grown.first, grown.last, grown.count) == (at_once.first, at_once.last, at_once.count)
    assert (grown.low[2], grown.high[2]) == (at_once.low[2], at_once.high[2])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_is_no_peak_and_infinity_is(value: float) -> None:
    high = Outline.of(places([1.0, value, 2.0])).high[2]
    assert high == (rank(2.0) if math.isnan(value) else rank(math.inf))
