"""Five funders on one crowded machine: whether each gets its share, what is paid back, and how soon a share has back what is its own.

`python -m benches.shares`. Jobs are those of the HPC2N trace, sent in twice as fast as they came, so that nobody ever lacks work; who pays for one is
drawn by lot. Wanted: saturated, each funder within 2 % of the machine of its share over a week; what others borrowed reclaimed within one pass; and
the whole trace, of five funders by its users with four fifths of the power in each evening, in 30 s and 300 MiB.
"""

import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import Gpus
from fabriek.compute.jobs import Shape
from fabriek.compute.order import DECIDES_HERE
from fabriek.compute.power import Limit, draw, idle_watts
from fabriek.compute.sharing.rules import RULES_HERE
from fabriek.compute.simulator.figures import figures_of
from fabriek.compute.simulator.machines import machine_of_procs
from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.policies import PolicyAsked, ShareAsked, assigned
from fabriek.compute.simulator.recorded import BEGIN, rows_on
from fabriek.compute.simulator.replay import Policy, replay
from fabriek.compute.simulator.trace_files import read_trace
from fabriek.compute.simulator.traces import TraceRow
from fabriek.kernel.units import MICRO

PARTS = {"europe": 353_000, "region": 299_000, "nation": 199_000, "defence": 99_000, "city": 50_000}
PROCS, JOBS, WEEK = 240, 12_000, timedelta(days=7)
PACE = 2.5
"""So much faster than they came."""
GAP_AT_MOST = 0.02
TRACE_SECONDS, TRACE_MIB = 30, 300


def main() -> int:
    """Prints what each share had, week by week; 1 when a promise is not kept."""
    file = Path(os.environ.get("FABRIEK_DATA", ""), "traces", "HPC2N-2002-2.2-cln.swf.gz")
    if not file.is_file():
        print("not measured: shares (FABRIEK_DATA names no folder that has HPC2N)")
        return 0
    return int(not all([_whole_trace(file), _saturated(file), _paid_back(file), _reclaimed()]))


def _whole_trace(file: Path) -> bool:
    """Four years of HPC2N; who borrows pays back, and each day from 17 to 20 h a fifth less may be drawn."""
    reading, machine = read_trace(file), machine_of_procs(PROCS)
    asked = tuple(ShareAsked(name, part) for name, part in PARTS.items())
    shares = assigned(reading.jobs, PolicyAsked("five", DECIDES_HERE, asked, by="user"))
    rows = rows_on(reading, machine.capacity, shares)
    watts = draw(Shape(PROCS, Gpus(), 1, 1), machine.table) * 4 // 5 + idle_watts(machine.table, 1)
    days = (rows[-1].submitted_at - BEGIN).days + 1
    evenings = tuple(BEGIN + timedelta(days=day, hours=17) for day in range(days))
    machine = replace(machine, limits=tuple(Limit(at, at + timedelta(hours=3), watts) for at in evenings))
    begun = time.process_time()
    outcome = replay(rows, machine, Policy(PARTS, DECIDES_HERE, RULES_HERE))
    took = time.process_time() - begun
    above = figures_of("default", outcome, machine, PARTS).quarter_hours_above
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"the whole trace: {outcome.jobs:,} jobs of five funders, {len(evenings):,} limits, in {took:.0f} s (at most {TRACE_SECONDS}) and "
        f"{memory:.0f} MiB (at most {TRACE_MIB}); {above} quarter-hours above a limit"
    )
    return took <= TRACE_SECONDS and memory <= TRACE_MIB and above == 0


def _saturated(file: Path) -> bool:
    rows = _rows(file)
    stood = replay(rows, machine_of_procs(PROCS), Policy(PARTS, DECIDES_HERE, RULES_HERE)).stood
    worst = 0.0
    for week in range(1, 5):
        used = _used(stood, BEGIN + week * WEEK, BEGIN + (week + 1) * WEEK)
        gaps = {share: used[share] - part / MICRO for share, part in PARTS.items()}
        worst = max(worst, *map(abs, gaps.values()))
        print(
            f"saturated, week {week + 1}: "
            + ", ".join(f"{share} {used[share]:.1%}" for share in PARTS)
            + f"; idle {1 - sum(used.values()):.1%}"
        )
    print(f"saturated: the largest gap to a share over a week {worst:.1%} (at most {GAP_AT_MOST:.0%})")
    return worst <= GAP_AT_MOST


def _paid_back(file: Path) -> bool:
    """Europe and defence come two weeks late: the rest borrow what is theirs, and pay back."""
    late = {"europe", "defence"}
    rows = [replace(row, submitted_at=row.submitted_at + 2 * WEEK) if row.share in late else row for row in _rows(file)]
    stood = replay(rows, machine_of_procs(PROCS), Policy(PARTS, DECIDES_HERE, RULES_HERE)).stood
    weeks = [_used(stood, BEGIN + week * WEEK, BEGIN + (week + 1) * WEEK) for week in range(1, 7)]
    print(
        "borrowed and paid back, europe (35.3 %) week by week from the second on: "
        + ", ".join(f"{one['europe']:.1%}" for one in weeks)
    )
    return weeks[0]["europe"] == 0.0 and max(one["europe"] for one in weeks[2:4]) > PARTS["europe"] / MICRO


def _reclaimed() -> bool:
    """One share has the whole of a machine of nodes, with jobs that may be put back; another comes with work for its own half."""
    shape = Shape(4, Gpus(1000), 2**30, 86_400)
    capacity = Capacity(4 * 1008, 1008, 2**42, nodes=252)
    whole = [
        TraceRow(f"a{number:04}", "a", shape, BEGIN, 80_000.0, preemptible=True, checkpoint_seconds=1_800)
        for number in range(1_008)
    ]
    came = BEGIN + timedelta(hours=5, minutes=10)
    owed = [TraceRow(f"b{number:04}", "b", shape, came, 80_000.0) for number in range(700)]
    machine = replace(machine_of_procs(1), capacity=capacity)
    outcome = replay([*whole, *owed], machine, Policy({"a": 500_000, "b": 500_000}, DECIDES_HERE))
    at_once = sum(one.row.share == "b" and one.started_at == came for one in outcome.placed)
    print(
        f"reclaimed: {at_once} of 504 GPUs that are b's in one pass, {len(outcome.put_back)} jobs put back in all, the most that one lost "
        f"{outcome.lost_seconds_max:.0f} s (its checkpoints are 1,800 s apart)"
    )
    return at_once == 504 and outcome.lost_seconds_max <= 1_800


def _rows(file: Path) -> Sequence[TraceRow]:
    reading = read_trace(file)
    reading.jobs = reading.jobs[-JOBS:]
    chance = random.Random(7)  # noqa: S311  # a lot, and the same at every run
    rows = rows_on(reading, machine_of_procs(PROCS).capacity, {})
    names, weights, first = list(PARTS), list(PARTS.values()), rows[0].submitted_at
    return [
        replace(row, share=chance.choices(names, weights)[0], submitted_at=BEGIN + (row.submitted_at - first) / PACE)
        for row in rows
        if row.shape.cpus <= PROCS // 4
    ]


def _used(stood: Sequence[Placed], begin: datetime, end: datetime) -> Mapping[str, float]:
    """The part of the machine that each share had between the two."""
    used = Counter[str]()
    for one in stood:
        seconds = (min(one.ended_at, end) - max(one.started_at, begin)).total_seconds()
        if seconds > 0:
            used[one.row.share] += one.row.shape.cpus * seconds  # type: ignore[assignment]  # seconds and their parts
    return {share: used[share] / PROCS / (end - begin).total_seconds() for share in PARTS}


if __name__ == "__main__":
    sys.exit(main())
