"""Traces as tables: which columns each kind has, and what they mean. A kind is known by its columns, not by the file's name."""

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fabriek.compute.gpus import MILLI
from fabriek.compute.simulator.recorded import Reading, Recorded, fault_of
from fabriek.kernel.errors import InvalidInput

SHOWN = 300
"""Letters of a file's own words that an error repeats."""

DAMAGED = "a row with a cell that is no number"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Kind:
    """`read`: a row and the running total of its clock → the job and the new total."""

    name: str
    columns: frozenset[str]
    read: Callable[[Mapping[str, str], float, str], tuple[Recorded, float]]


def _philly(row: Mapping[str, str], clock: float, name: str) -> tuple[Recorded, float]:
    """Each row says how long after the one before it came. Source: Microsoft's Philly trace, as reduced for generating workloads."""
    clock += float(row["interval"])
    if not math.isfinite(clock):  # all that came after it would be lost with it
        raise ValueError(row["interval"])
    words = {"user": row["user"], "queue": row["new_status"]}
    gpus, nodes = int(row["gpu_num"]), max(1, int(row["node_num"]))
    made = Recorded(
        name, clock, float(row["run_time"]), int(row["cpu_num"]) or 1, float(row["wall_time"]), gpus * MILLI, nodes=nodes, words=words
    )  # fmt: skip
    return made, clock


def _alibaba(row: Mapping[str, str], clock: float, name: str) -> tuple[Recorded, float]:
    """Pods with parts of GPUs; what was never scheduled never ran. Source: Alibaba's GPU trace of 2023."""
    begun = float(row["scheduled_time"] or 0)
    ran = float(row["deletion_time"] or 0) - begun if row["scheduled_time"] else 0.0
    gpus = int(row["gpu_milli"] or 0) if int(row["num_gpu"] or 0) == 1 else int(row["num_gpu"] or 0) * MILLI
    made = Recorded(
        name, float(row["creation_time"]), ran, max(1, int(row["cpu_milli"]) // MILLI), 0.0, gpus,
        int(row["memory_mib"]) * MIB, words={"queue": row["qos"]},
    )  # fmt: skip
    return made, clock


def _plain(row: Mapping[str, str], clock: float, name: str) -> tuple[Recorded, float]:
    """Of our own naming, for whoever writes a trace by hand."""
    words = {word: row[word] for word in ("user", "group", "queue", "work") if row.get(word)}
    made = Recorded(
        name, float(row["submitted_seconds"]), float(row["ran_seconds"]), int(row["processors"]), float(row.get("wanted_seconds") or 0),
        round(float(row.get("gpus") or 0) * MILLI), round(float(row.get("memory_gib") or 0) * 2**30), int(row.get("nodes") or 1), words,
    )  # fmt: skip
    return made, clock


PLAIN = frozenset({"submitted_seconds", "ran_seconds", "processors"})

KINDS = (
    Kind("philly", frozenset({"user", "gpu_num", "cpu_num", "node_num", "interval", "run_time", "wall_time", "new_status"}), _philly),
    Kind(
        "alibaba-gpu",
        frozenset({"cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "qos", "creation_time", "deletion_time", "scheduled_time"}),
        _alibaba,
    ),
    Kind("plain", PLAIN, _plain),
)  # fmt: skip


def _name(row: Mapping[str, str], line: int) -> str:
    """As the file calls it, and its line: two jobs may have one name, and stay two."""
    return f"{row['name']}:{line}" if row.get("name") else str(line)


def _unknown(there: frozenset[str]) -> InvalidInput:
    """Which columns are missing, of the kind that comes nearest."""
    optional = "name, wanted_seconds, gpus, memory_gib, nodes, user, group, queue, work"
    nearest = max(KINDS, key=lambda one: len(one.columns & there) / len(one.columns))
    columns = ", ".join(sorted(there))
    said = f"a trace with the columns {columns[:SHOWN] or 'none'}{'…' if len(columns) > SHOWN else ''} is of no kind that is known"
    if 2 * len(nearest.columns & there) >= len(nearest.columns):
        said += f"; as {nearest.name} it lacks {', '.join(sorted(nearest.columns - there))}"
    return InvalidInput(said, fix=f"name the columns {', '.join(sorted(PLAIN))}, and where you have them {optional}")


def read_csv(lines: Iterable[str]) -> Reading:
    """Raises InvalidInput on a table of no kind that is known, naming the columns that it would take."""
    rows = csv.DictReader(lines)
    named = rows.fieldnames or ()
    there = frozenset(named)
    if twice := next((one for one in named if named.count(one) > 1), None):
        raise InvalidInput(f"two columns of the trace are called {twice[:SHOWN]!r}", fix="give each its own name")
    kind = next((one for one in KINDS if one.columns <= there), None)
    if kind is None:
        raise _unknown(there)
    found, clock = Reading(), 0.0
    for row in rows:
        try:
            job, clock = kind.read(row, clock, _name(row, rows.line_num))
        except (ValueError, TypeError, OverflowError):
            found.skip(DAMAGED, rows.line_num)
            continue
        if fault := fault_of(job):
            found.skip(fault, rows.line_num)
        else:
            found.jobs.append(job)
    return found
