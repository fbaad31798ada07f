"""The scaling table: what more nodes bring, out of times that were measured on one input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, isfinite
from typing import Any

from fabriek.access.applying.applications import Application
from fabriek.kernel.errors import InvalidInput

NODES_MAX = 100_000
SECONDS_MAX = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. `input`: what it ran on, in the applicant's words; it is the same for all."""

    nodes: int
    seconds: float
    input: str


@dataclass(frozen=True, slots=True)
class Line:
    """`speed_up` and `efficiency` are against the smallest count: 1 means as good as it can be."""

    nodes: int
    seconds: float
    speed_up: float
    efficiency: float
    efficient: bool


@dataclass(frozen=True, slots=True)
class Scaling:
    """`largest_efficient`: the largest count up to which every one is efficient enough."""

    input: str
    lines: tuple[Line, ...]
    largest_efficient: int
    limit_percent: int


def read_measured(raw: object) -> tuple[Measured, ...]:
    """Runs out of what a form or a program sent: a list of {nodes, seconds, input}. Raises InvalidInput."""
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise InvalidInput("measurements are a list", fix="send [{nodes, seconds, input}, …]")
    return tuple(_measured(one, number) for number, one in enumerate(raw, 1))


def measured_in(application: Application) -> tuple[Measured, ...]:
    """Measurements that the form itself asked for, where it did; none where they cannot be read, which `fault_in` says."""
    try:
        return read_measured(application.answers.get("scaling", []))
    except InvalidInput:
        return ()


def fault_in(application: Application) -> str:
    """Why the form's measurements cannot be read; empty where they can."""
    try:
        read_measured(application.answers.get("scaling", []))
    except InvalidInput as error:
        return error.detail
    return ""


def nodes_in(application: Application) -> int:
    """The most nodes that a row of the form's partitions wants to use at once; 0 where the form does not ask, or the row does not say."""
    rows = application.answers.get("partitions")
    counts = [_nodes_of(one) for one in rows if isinstance(one, Mapping)] if isinstance(rows, list | tuple) else []
    return max(counts, default=0)


def _nodes_of(row: Mapping[str, Any]) -> int:
    most, each = _number_in(row, "gpus_max"), _number_in(row, "gpus_per_node")
    return min(ceil(most / each), NODES_MAX) if most > 0 and each > 0 else 0


def _number_in(row: Mapping[str, Any], column: str) -> float:
    """0 where there is none."""
    one = row.get(column)
    return float(one) if isinstance(one, int | float) and not isinstance(one, bool) and isfinite(one) else 0.0


def _measured(one: Any, number: int) -> Measured:
    if not isinstance(one, Mapping):
        raise InvalidInput(f"measurement {number} is no table", fix="send [{nodes, seconds, input}, …]")
    nodes, seconds, on = one.get("nodes"), one.get("seconds"), one.get("input")
    if isinstance(nodes, float) and nodes.is_integer():
        nodes = int(nodes)  # as JSON may write a whole number
    if not isinstance(nodes, int) or isinstance(nodes, bool) or not 1 <= nodes <= NODES_MAX:
        raise InvalidInput(f"measurement {number}: nodes must be a whole number of 1 or more", fix="--on 4=1800")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= SECONDS_MAX:
        raise InvalidInput(f"measurement {number}: a time must be above 0 seconds", fix="--on 4=1800")
    if not isinstance(on, str) or not 0 < len(on.strip()) <= 200:
        raise InvalidInput(f"measurement {number}: say on which input it ran", fix="--input 'the large case'")
    return Measured(nodes, float(seconds), on.strip())


def scaling_of(measured: Sequence[Measured], *, counts: int, limit_percent: int) -> Scaling:
    """The table. counts: how many different node counts it takes. Raises InvalidInput on what proves nothing."""
    if len({one.input for one in measured}) > 1:
        raise InvalidInput("the runs are on different inputs, which compares nothing", fix="measure all on one input")
    by_nodes = {one.nodes: one for one in measured}
    if len(by_nodes) < len(measured):
        raise InvalidInput("a node count is there twice", fix="give each count once: the median of its runs")
    if len(by_nodes) < counts:
        raise InvalidInput(
            f"{len(by_nodes)} node counts were measured, and it takes {counts} to see a line", fix="measure more counts"
        )
    runs = [by_nodes[nodes] for nodes in sorted(by_nodes)]
    for before, after in pairwise(runs):
        if after.seconds >= before.seconds:
            raise InvalidInput(
                f"{after.nodes} nodes take no less time than {before.nodes}: that evidence speaks against more nodes",
                fix=f"leave out counts above {before.nodes}, and ask for no more than that",
            )
    base, lines, largest, holds = runs[0], [], runs[0].nodes, True
    for one in runs:
        speed_up = base.seconds / one.seconds
        efficiency = speed_up * base.nodes / one.nodes
        efficient = efficiency * 100 >= limit_percent - 1e-9
        holds = holds and efficient
        largest = one.nodes if holds else largest
        lines.append(Line(one.nodes, one.seconds, round(speed_up, 3), round(efficiency, 3), efficient))
    return Scaling(base.input, tuple(lines), largest, limit_percent)
