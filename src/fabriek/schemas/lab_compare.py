"""Runs beside each other on the wire: comparisons, groups, notes, and what a run hangs on."""

from datetime import datetime

from pydantic import Field

from fabriek.schemas.base import Wire
from fabriek.schemas.lab import RunOut


class FactOut(Wire):
    """One row of a comparison: a value for each run, in their order; null where a run has none. `about`: param, metric, run or tag."""

    about: str
    name: str
    values: list[str | None]
    differs: bool


class LineOut(Wire):
    """A run's curve as [x, y] pairs, thinned so that extremes stay; of `count` points. What is no number is "NaN", "Infinity" or "-Infinity"."""

    run: str
    points: list[tuple[float, float | str]]
    count: int


class OverlayOut(Wire):
    """One metric, with a line for each run that has it."""

    key: str
    lines: list[LineOut]


class ComparisonOut(Wire):
    """`align`: x is the step, or seconds since the start of the run. `withheld`: runs whose metrics their label keeps back."""

    runs: list[RunOut]
    align: str
    facts: list[FactOut]
    curves: list[OverlayOut]
    curves_left_out: int
    withheld: list[str]


class BestOut(Wire):
    """`run` is null where none has a finite value of the metric."""

    metric: str
    goal: str
    value: float | None
    run: RunOut | None


class GroupOut(Wire):
    """`kind`: sweep, parent or hand. `source`: the array of a sweep, or the run above its children."""

    id: str
    name: str
    kind: str
    source: str
    made_by: str
    made_at: datetime
    runs: int | None


class GroupedOut(Wire):
    """A group with its runs; `params`: those that differ among them, `metrics`: every one that a run has."""

    group: GroupOut
    params: list[str]
    metrics: list[str]
    runs: list[RunOut]


class GroupIn(Wire):
    name: str = Field(max_length=200)
    runs: list[str] = Field(default=[], max_length=5_000)


class GroupRunsIn(Wire):
    runs: list[str] = Field(min_length=1, max_length=5_000)


class NoteIn(Wire):
    """In Markdown."""

    text: str = Field(max_length=20_000)


class NoteOut(Wire):
    id: str
    person: str
    text: str
    written_at: datetime
    changed_at: datetime | None


class ReadOut(Wire):
    """A dataset version that the run's job read."""

    dataset: str
    name: str
    number: int
    version: str
    label: str


class BecameOut(Wire):
    """A model version that holds what the run logged."""

    name: str
    version: int
    label: str
    sha256: str


class LinksOut(Wire):
    """`job` is empty for a run that no job made. `code` and `output`: version ids of the vault."""

    run: str
    job: str
    inputs: list[ReadOut]
    code: str
    output: str
    environment_hash: str
    array: str
    models: list[BecameOut]
    groups: list[GroupOut]
