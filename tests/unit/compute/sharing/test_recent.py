"""Means that fade: what was counts less the longer it is past, whatever the steps in which time went by."""

from datetime import timedelta
from math import exp, isclose

from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.sharing.recent import RecentUse
from tests.factories.compute import NOON

DAY = timedelta(days=1)


def test_who_always_uses_half_has_half_in_the_mean_and_who_stopped_fades() -> None:
    recent = RecentUse(DAY.total_seconds(), NOON, {"old": 0.5})
    recent.change(["new"], 0.5, NOON.timestamp())
    assert isclose(recent.mean("old", (NOON + DAY).timestamp()), 0.5 / exp(1))
    assert isclose(recent.mean("new", (NOON + DAY).timestamp()), 0.5 * (1 - 1 / exp(1)))
    assert isclose(recent.total(("old", "new"), (NOON + DAY).timestamp()), 0.5)
    assert recent.mean("nobody", NOON.timestamp()) == 0.0


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
def test_it_does_not_matter_how_often_anybody_looks(steps: list[int]) -> None:
    often, once = (RecentUse(10_000, NOON, {"a": 0.2}) for _ in range(2))
    for recent in (often, once):
        recent.uses({"a": 0.7, "b": 0.1}, NOON)
    at = NOON
    for step in steps:
        at += timedelta(seconds=step)
        often.uses({"a": 0.7, "b": 0.1}, at)
        often.change(["a"], 0.0, at.timestamp())
    for name in ("a", "b"):
        assert isclose(often.mean(name, at.timestamp()), once.mean(name, at.timestamp()), abs_tol=1e-9)


def test_a_clock_that_is_set_back_takes_nothing_away_and_gives_nothing() -> None:
    recent = RecentUse(DAY.total_seconds(), NOON, {"a": 0.4})
    recent.uses({"a": 1.0}, NOON)
    recent.uses({"a": 1.0}, NOON - DAY / 24)
    assert recent.mean("a", (NOON - DAY / 24).timestamp()) == 0.4
    assert 0.4 < recent.mean("a", NOON.timestamp()) < 0.45
