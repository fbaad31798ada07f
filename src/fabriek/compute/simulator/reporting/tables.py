"""Jobs, power and use of shares as tables: for each a list of columns, of all policies one below the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from fabriek.compute.gpus import MILLI
from fabriek.compute.placement import Placement
from fabriek.compute.power import draw
from fabriek.compute.simulator.drawing import steps_of
from fabriek.compute.simulator.figures import bounded_slowdown
from fabriek.compute.simulator.outcomes import Placed, part_of
from fabriek.compute.simulator.replay import Machine
from fabriek.compute.simulator.reporting.results import Report
from fabriek.kernel.units import MICRO

JOBS = {
    "policy": str, "job": str, "share": str, "submitted": datetime, "started": datetime, "ended": datetime, "wait_seconds": float,
    "slowdown": float, "cpus": int, "gpus": float, "nodes": int, "placement": str, "watts": int, "put_back": bool,
}  # fmt: skip
POWER = {"policy": str, "start": datetime, "end": datetime, "watts": int, "allowed_watts": int}
SHARES = {"policy": str, "share": str, "start": datetime, "end": datetime, "used": float, "part": float}


@dataclass(frozen=True, slots=True)
class Table:
    """`kinds`: column → what is in it; any may be None. `rows` in the order of the columns."""

    name: str
    kinds: Mapping[str, type]
    rows: Sequence[tuple[Any, ...]]


def tables_of(report: Report) -> tuple[Table, ...]:
    """The three, with rows in order of policy and time."""
    return (
        Table("jobs", JOBS, list(_jobs(report))),
        Table("power", POWER, list(_power(report))),
        Table("shares", SHARES, list(_shares(report))),
    )


def _jobs(report: Report) -> Iterator[tuple[Any, ...]]:
    for result in report.results:
        back = set(map(id, result.outcome.put_back))
        for one in in_order(result.outcome.stood):
            shape = one.row.shape
            yield (
                result.policy, report.name_of(one.row.job), one.row.share, one.row.submitted_at, one.started_at, one.ended_at, one.wait_seconds,
                bounded_slowdown(one), shape.cpus_in_all, shape.gpus_milli_in_all / MILLI, shape.nodes, told(one.where),
                draw(shape, report.machine.table), id(one) in back,
            )  # fmt: skip


def _power(report: Report) -> Iterator[tuple[Any, ...]]:
    for result in report.results:
        for step in steps_of(result.outcome.stood, report.machine):
            yield result.policy, step.start, step.end, step.watts, step.allowed


def _shares(report: Report) -> Iterator[tuple[Any, ...]]:
    for result in report.results:
        for share in sorted({*result.parts, *result.outcome.used_by_share}):
            part = result.parts[share] / MICRO if share in result.parts else None
            for start, end, used in use_steps(result.outcome.stood, share, report.machine):
                yield result.policy, share, start, end, used, part


def in_order(placed: Sequence[Placed]) -> list[Placed]:
    return sorted(placed, key=lambda one: (one.started_at, one.row.job))


def use_steps(placed: Sequence[Placed], share: str, machine: Machine) -> Iterator[tuple[datetime, datetime, float]]:
    """From, until, and the part of the machine that the share's jobs took, 0..1: from its first start to its last end."""
    changes: dict[datetime, float] = {}
    for one in placed:
        if one.row.share == share:
            part = part_of(one.row, machine.capacity)
            changes[one.started_at] = changes.get(one.started_at, 0.0) + part
            changes[one.ended_at] = changes.get(one.ended_at, 0.0) - part
    instants, level = sorted(changes), 0.0
    for start, end in pairwise(instants):
        level += changes[start]
        yield start, end, round(level, 9)


def told(where: Placement | None) -> str:
    """`0`, `0:3,4;1:8`: nodes, with the devices that it had there."""
    if where is None:
        return ""
    return ";".join(
        f"{node}:{','.join(map(str, devices))}" if devices else str(node)
        for node, devices in zip(where.nodes, where.devices, strict=False)
    )
