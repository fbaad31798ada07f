"""A year of the size class for plans: 252 nodes with 1,008 GPUs, and a grid connection that is limited in 15 % of its hours, announced a day ahead.

`python -m benches.year [DAYS]`. Jobs are those of the Philly trace (Microsoft, 2017), its last days over and over, thinned by lot until they ask for
seven tenths of the machine. They save each half an hour, and nine in ten may be put back. Each week, on a day by lot, half of what nodes and GPUs
would draw together may be drawn from 17:00 on for 25.2 hours, which is announced at 12:00 on the day before. The ladder is the shipped one.
Wanted: no quarter of an hour above a limit, nothing given away twice, and nobody who may be put back loses more than one interval between
checkpoints.
"""

import itertools
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.order import DECIDES_HERE
from fabriek.compute.power import Limit, idle_watts
from fabriek.compute.sharing.rules import RULES_HERE
from fabriek.compute.simulator.figures import figures_of
from fabriek.compute.simulator.machines import USUAL_TABLE, table_named
from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.recorded import BEGIN, rows_on
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.trace_files import read_trace
from fabriek.compute.simulator.traces import TraceRow
from fabriek.funding.policy.policy import shipped_policy

NODES, GPUS, CPUS, MEMORY = 252, 4, 64, 512 * 2**30
DAY, DAYS = timedelta(days=1), 365
LOAD, CHECKPOINT_SECONDS, PREEMPTIBLE = 0.7, 1_800, 0.9
LIMITED_HOURS = 0.15 * 7 * 24
FIRST = 1_000
"""Seven weeks lie between the first of the trace and the rest."""


def main() -> int:
    """Prints the year; 1 when a promise is not kept."""
    file = Path(os.environ.get("FABRIEK_DATA", ""), "traces", "philly-2017-last15k.csv.gz")
    if not file.is_file():
        print("not measured: a year of 1,008 GPUs (FABRIEK_DATA names no folder that has the Philly trace)")
        return 0
    days = int(sys.argv[1]) if len(sys.argv) > 1 else DAYS
    capacity, table = Capacity(NODES * CPUS, NODES * GPUS, NODES * MEMORY, NODES), table_named(USUAL_TABLE)
    full = NODES * GPUS * int(table.watts_per_gpu * table.pue) + idle_watts(table, NODES)
    machine = Machine(capacity, table, limits=tuple(_limits(days, full // 2)))
    rows = year(file, capacity, days)
    begun = time.process_time()
    outcome = replay(rows, machine, Policy({}, DECIDES_HERE, RULES_HERE, shipped_policy().ladder_on(date(2026, 6, 1))))
    took = time.process_time() - begun
    found = figures_of("default", outcome, machine, {})
    lost = max((one.lost_seconds for one in outcome.put_back if one.row.preemptible), default=0.0)
    ended = sum(not one.row.preemptible for one in outcome.put_back)
    twice = given_twice(outcome.stood, capacity)
    print(
        f"{days} days, {NODES * GPUS:,} GPUs, {len(rows):,} jobs, {found.utilisation:.1%} of the GPUs busy, "
        f"{found.mean_wait_seconds:,.0f} s of waiting in the mean; "
        f"{len(machine.limits)} limits of {LIMITED_HOURS:g} hours; in {took:.0f} s of CPU"
    )
    print(
        f"{days} days: {found.quarter_hours_above} quarter-hours above a limit (0), {twice} GPUs given away twice (0), "
        f"{len(outcome.put_back) - ended:,} times put back, the most that one lost {lost:.0f} s (at most {CHECKPOINT_SECONDS}); "
        f"{ended} that could not be put back were ended and begun anew"
    )
    return int(bool(found.quarter_hours_above or twice or lost > CHECKPOINT_SECONDS))


def year(file: Path, capacity: Capacity, days: int) -> list[TraceRow]:
    """The trace over and over, until as many days are full."""
    rows = rows_on(read_trace(file), capacity, {})[FIRST:]
    first, last = rows[0].submitted_at, rows[-1].submitted_at
    chance = random.Random(7)  # noqa: S311  # a lot, and the same at every run
    work = sum(row.shape.gpus_milli_in_all / MILLI * row.ran_seconds for row in rows)
    keep = LOAD * NODES * GPUS * (last - first).total_seconds() / work
    found: list[TraceRow] = []
    for turn in range(days * DAY // (last - first) + 1):
        for row in rows:
            at = BEGIN + (row.submitted_at - first) + turn * (last - first)
            if chance.random() < keep and at < BEGIN + days * DAY:
                may = chance.random() < PREEMPTIBLE
                seconds = CHECKPOINT_SECONDS if may else 0
                found.append(
                    replace(row, job=f"{turn}-{row.job}", submitted_at=at, preemptible=may, checkpoint_seconds=seconds)
                )
    return found


def given_twice(stood: Sequence[Placed], capacity: Capacity) -> int:
    """How many GPUs had two jobs at one moment, or nodes more CPUs than they have."""
    each, found = capacity.each(), 0
    of_device: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    of_node: dict[int, list[tuple[datetime, int, int]]] = defaultdict(list)
    for one in stood:
        assert one.where is not None, "a machine of nodes says where each job stands"
        for node, devices in zip(one.where.nodes, one.where.devices, strict=True):
            of_node[node] += [(one.started_at, 1, one.row.shape.cpus), (one.ended_at, 0, -one.row.shape.cpus)]
            for device in devices:
                of_device[device].append((one.started_at, one.ended_at))
    for times in of_device.values():
        times.sort()
        found += any(later < end for (_, end), (later, _) in itertools.pairwise(times))
    for changes in of_node.values():
        used = 0
        for _, _, cpus in sorted(changes):
            used += cpus
            if used > each.cpus:
                found += 1
                break
    return found


def _limits(days: int, watts: int) -> Iterator[Limit]:
    chance = random.Random(11)  # noqa: S311  # a lot, and the same at every run
    for week in range(-(-days // 7)):
        starts = BEGIN + (week * 7 + chance.randrange(7)) * DAY + timedelta(hours=17)
        yield Limit(
            starts, starts + timedelta(hours=LIMITED_HOURS), watts, known_from=starts - DAY - timedelta(hours=5)
        )


if __name__ == "__main__":
    sys.exit(main())
