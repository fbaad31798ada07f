"""Groups of runs: the elements of a sweep, the children of a run as MLflow marks them, or what people put together by hand."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.service import Logged

PARENT_TAG = "mlflow.parentRunId"
NAME_CHARACTERS_MAX = 200
RUNS_MAX = 5_000
"""Of one group: as many as an array has elements."""


class Kind(StrEnum):
    """How a group came to be."""

    SWEEP = "sweep"
    PARENT = "parent"
    HAND = "hand"


class Goal(StrEnum):
    """Which value of a metric is the better one."""

    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Group:
    """`source`: the array of a sweep, the run above its children, empty for one made by hand. A parent's id is that of its run."""

    id: str
    project: str
    name: str
    kind: Kind
    person: str
    made_at: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A group with its runs, and the names of what differs among their parameters and of every metric that one of them has."""

    group: Group
    runs: Sequence[Logged]
    params: Sequence[str]
    metrics: Sequence[str]


class KeptGroups(Protocol):
    """Storage of groups. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, group: Group) -> None: ...

    def get(self, project: str, group: str) -> Group:
        """Raises NotFound."""

    def of_source(self, project: str, source: str) -> Group | None: ...

    def of_project(self, project: str) -> Sequence[tuple[Group, int]]:
        """With how many runs each has; newest first."""

    def of_run(self, run: str) -> Sequence[Group]: ...

    def runs(self, group: str) -> Sequence[str]:
        """Their ids, in order."""

    def put(self, group: str, runs: Sequence[str]) -> None:
        """Those that are in it already stay once."""

    def take_out(self, group: str, runs: Sequence[str]) -> None: ...

    def remove(self, group: str) -> None: ...


def check_name(name: str) -> str:
    """Raises InvalidInput."""
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX:
        raise InvalidInput(f"a group has a name of at most {NAME_CHARACTERS_MAX} characters", fix="name it")
    return name.strip()


def quoted(key: str) -> str:
    """A metric's name as a filter writes it. Raises InvalidInput on one that no metric has."""
    if "`" in key:
        raise InvalidInput("no metric has a quote in its name", fix="name one that there is")
    return f"`{key}`"


def goal_of(text: str) -> Goal:
    """Raises InvalidInput."""
    if text not in Goal.__members__.values():
        raise InvalidInput(f"{text[:20]!r} is no goal", fix="say max or min")
    return Goal(text)


def gathered(group: Group, runs: Sequence[Logged]) -> Gathered:
    """Parameters that are the same everywhere tell nothing apart, so they are left out where there are several runs."""
    values: dict[str, set[str]] = {}
    for one in runs:
        for name in one.params:
            values.setdefault(name, set())
    for name, seen in values.items():
        seen.update(one.params.get(name, "") for one in runs)
    differing = [name for name, seen in values.items() if len(seen) > 1 or len(runs) < 2]
    return Gathered(group, runs, sorted(differing), sorted({metric.key for one in runs for metric in one.metrics}))


def last_values(logged: Logged) -> Mapping[str, float]:
    """The last value of each metric; none where they are withheld."""
    return {} if logged.withheld else {metric.key: metric.value for metric in logged.metrics}


def best_of(runs: Sequence[Logged], metric: str, goal: Goal) -> Logged | None:
    """The run whose last value of the metric is the best, the earliest of equals; None where none has one. NaN is never the best, and
    neither is an infinity: a run that diverged upwards would win.
    """
    rated = [(last_values(one).get(metric, math.nan), one) for one in runs]
    finite = [(value, one) for value, one in rated if math.isfinite(value)]
    if not finite:
        return None
    sign = 1 if goal is Goal.MIN else -1
    return min(finite, key=lambda pair: (sign * pair[0], pair[1].run.started_at, pair[1].run.id))[1]
