"""Runs beside each other: what differs in what they were given and came to, and their curves over one axis."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.finding import all_of
from fabriek.lab.metrics import Metric
from fabriek.lab.notes import OWN_NOTE_TAG
from fabriek.lab.service import Lab, Logged

RUNS_MAX = 20
"""More lines in one drawing nobody tells apart."""

POINTS_MAX = 400
"""Of one curve as it is drawn."""

CURVES_MAX = 24
"""Metrics whose curves one comparison draws; the values of all others stand in its table."""

ITS_OWN = frozenset(
    {OWN_NOTE_TAG, "mlflow.log-model.history", "mlflow.user", "mlflow.runName", "fabriek.job", "fabriek.given_id"}
)
"""Tags that no two runs share and that say nothing about why they came out differently."""


class Align(StrEnum):
    """What curves have in common: the step that the script gave, or seconds since its run started."""

    STEP = "step"
    TIME = "time"


class About(StrEnum):
    """What a fact is about."""

    RUN = "run"
    PARAM = "param"
    METRIC = "metric"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Fact:
    """One row: a value for each run, in the order of the runs; None where one has none."""

    about: About
    name: str
    values: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Line:
    """One run's curve: (x, value) in order of x, thinned to what a drawing shows; `count` points were logged."""

    run: str
    points: Sequence[tuple[float, float]]
    count: int


@dataclass(frozen=True, slots=True)
class Overlay:
    """One metric, with a line for each run that has it."""

    key: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left_out`: metrics that have no drawing here, since there are too many."""

    runs: Sequence[Logged]
    align: Align
    facts: Sequence[Fact]
    overlays: Sequence[Overlay]
    left_out: int = 0


def align_of(text: str) -> Align:
    """Raises InvalidInput."""
    if text not in Align.__members__.values():
        raise InvalidInput(f"curves cannot be aligned by {text[:20]!r}", fix="say step or time")
    return Align(text)


def check_chosen(runs: Sequence[str]) -> list[str]:
    """Each once, in the given order. Raises InvalidInput."""
    chosen = list(dict.fromkeys(runs))
    if not 2 <= len(chosen) <= RUNS_MAX:
        raise InvalidInput(
            f"a comparison is of 2 to {RUNS_MAX} runs, and this is of {len(chosen)}", fix="choose others"
        )
    return chosen


def facts_of(runs: Sequence[Logged]) -> list[Fact]:
    """Everything that can be said of each, what they were given first."""
    said: dict[str, list[str | None]] = {
        "status": [one.run.status.lower() for one in runs], "label": [one.run.label for one in runs],
        "experiment": [one.run.experiment for one in runs], "seconds": [_lasted(one) for one in runs],
    }  # fmt: skip
    about = [Fact(About.RUN, name, tuple(values)) for name, values in said.items()]
    metrics = [{metric.key: written(metric.value) for metric in one.metrics} for one in runs]
    tags = [{name: value for name, value in one.tags.items() if name not in ITS_OWN} for one in runs]
    return [
        *_rows(About.PARAM, [one.params for one in runs]), *_rows(About.METRIC, metrics), *about, *_rows(About.TAG, tags),
    ]  # fmt: skip


def written(value: float) -> str:
    """A number as people compare it: six digits, and words for what is none."""
    return (
        f"{value:.6g}"
        if math.isfinite(value)
        else "NaN"
        if math.isnan(value)
        else "Infinity"
        if value > 0
        else "-Infinity"
    )


def placed(points: Sequence[Metric], align: Align, started_at: datetime) -> list[tuple[float, float]]:
    """(x, value) of each point in order of x. A clock that went back, or a run that was started after its first point, begins at 0."""
    if align is Align.STEP:
        return sorted(((float(one.step), one.value) for one in points), key=lambda point: point[0])
    begin = min([started_at.timestamp() * 1000, *(one.at_ms for one in points)])
    return sorted((((one.at_ms - begin) / 1000, one.value) for one in points), key=lambda point: point[0])


class Comparing:
    """The verb. What is withheld of a run is so from everybody here."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def compare(
        self, project: str, runs: Sequence[str], *, align: str = Align.STEP, metrics: Sequence[str] = (), by: Caller
    ) -> Comparison:
        """metrics: those whose curves are wanted; none named: all, as far as they can be drawn. Raises NotFound, InvalidInput."""
        asked = align_of(align)
        found = all_of(self._lab, project, check_chosen(runs), by=by)
        known = {metric.key for one in found for metric in one.metrics}
        keys = [key for key in metrics if key in known] if metrics else sorted(known, key=drawn_first)
        shown = keys[:CURVES_MAX]
        lines = {key: list[Line]() for key in shown}
        for one in found:
            for line_key, line in self._lines(project, one, shown, asked, by):
                lines[line_key].append(line)
        overlays = [Overlay(key, lines[key]) for key in shown]
        return Comparison(found, asked, facts_of(found), overlays, max(len(keys) - CURVES_MAX, 0))

    def _lines(
        self, project: str, logged: Logged, keys: Sequence[str], align: Align, by: Caller
    ) -> Iterator[tuple[str, Line]]:
        """One run's, of those of the metrics that it has."""
        run = logged.run
        own = {metric.key for metric in logged.metrics}.intersection(keys)
        if not own:
            return
        counts = {one.key: one.count for one in self._lab.series(project, run.id, by=by)}
        for key, points in self._lab.curves(project, run.id, sorted(own), points=POINTS_MAX, by=by).items():
            yield key, Line(run.id, placed(points, align, run.started_at), counts.get(key, len(points)))


def drawn_first(key: str) -> tuple[bool, str]:
    """What a script logged comes before what the machine did."""
    return key.startswith("system/"), key


def _rows(about: About, given: Sequence[Mapping[str, str]]) -> list[Fact]:
    names = sorted({name for one in given for name in one})
    return [Fact(about, name, tuple(one.get(name) for one in given)) for name in names]


def _lasted(logged: Logged) -> str | None:
    run = logged.run
    return f"{(run.ended_at - run.started_at).total_seconds():.1f}" if run.ended_at else None
