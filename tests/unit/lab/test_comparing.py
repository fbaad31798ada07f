"""What differs between runs, and how their curves are laid over each other."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.comparing import About, Align, align_of, check_chosen, facts_of, placed, written
from fabriek.lab.groups import Goal, Group, Kind, best_of, gathered
from fabriek.lab.metrics import Metric
from fabriek.lab.runs import Run, RunStatus
from fabriek.lab.service import Logged

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_logged(
    name: str, *metrics: Metric, minute: int = 0, withheld: bool = False, tags: dict[str, str] | None = None, **params: str
) -> Logged:  # fmt: skip
    run = Run(name, "p", "0", name, "per_1", RunStatus.FINISHED, START + timedelta(minutes=minute), "open")
    return Logged(run, [] if withheld else list(metrics), params, tags or {}, withheld)


def at(step: int, value: float, second: float = 0.0) -> Metric:
    return Metric("loss", value, int((START.timestamp() + second) * 1000), step)


def test_rows_differ_where_a_value_does_or_is_missing() -> None:
    left = a_logged("a", at(0, 0.5), lr="0.1", depth="3", tags={"data": "x", "mlflow.user": "ann"})
    right = a_logged("b", at(0, 0.25), lr="0.2", depth="3", extra="yes", tags={"data": "x", "mlflow.user": "bob"})
    rows = {(one.about, one.name): one for one in facts_of([left, right])}
    differing = {key for key, one in rows.items() if one.differs}
    assert differing == {(About.PARAM, "lr"), (About.PARAM, "extra"), (About.METRIC, "loss")}
    assert rows[About.PARAM, "extra"].values == (None, "yes")
    assert (About.TAG, "mlflow.user") not in rows, "what no two runs share says nothing"


@pytest.mark.parametrize(
    ("value", "says"), [(0.1, "0.1"), (1 / 3, "0.333333"), (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)  # fmt: skip
def test_a_value_that_is_no_number_says_so(value: float, says: str) -> None:
    assert written(value) == says


def test_by_time_a_curve_begins_with_its_run_or_with_its_first_point() -> None:
    points = [at(1, 0.5, 10), at(0, 1.0, 5)]
    assert placed(points, Align.TIME, START) == [(5.0, 1.0), (10.0, 0.5)]
    assert placed(points, Align.TIME, START + timedelta(hours=1)) == [(0.0, 1.0), (5.0, 0.5)]
    assert placed(points, Align.STEP, START) == [(0.0, 1.0), (1.0, 0.5)]
    assert placed([], Align.TIME, START) == []


@pytest.mark.parametrize("runs", [[], ["a"], ["a", "a"], [str(one) for one in range(21)]])
def test_a_comparison_is_of_two_to_twenty(runs: list[str]) -> None:
    with pytest.raises(InvalidInput):
        check_chosen(runs)


def test_curves_are_aligned_by_what_there_is() -> None:
    assert align_of("time") is Align.TIME
    with pytest.raises(InvalidInput):
        align_of("phase of the moon")


def test_the_best_is_finite_visible_and_the_earliest_of_equals() -> None:
    runs = [
        a_logged("nan", at(0, math.nan)), a_logged("up", at(0, math.inf)), a_logged("hidden", at(0, 9.0), withheld=True),
        a_logged("late", at(0, 0.9), minute=2), a_logged("early", at(0, 0.9), minute=1), a_logged("low", at(0, 0.1)), a_logged("none"),
    ]  # fmt: skip
    names = [best_of(runs, "loss", goal) for goal in Goal]
    assert [one.run.name for one in names if one] == ["early", "low"]
    assert best_of(runs, "accuracy", Goal.MAX) is None


def test_a_group_names_the_parameters_that_tell_its_runs_apart() -> None:
    group = Group("grp_1", "p", "sweep", Kind.SWEEP, "per_1", START, "arr_1")
    found = gathered(group, [a_logged("a", at(0, 1), lr="1", seed="7"), a_logged("b", lr="2", seed="7")])
    assert (found.params, found.metrics) == (["lr"], ["loss"])
    assert gathered(group, [a_logged("a", lr="1")]).params == ["lr"]
