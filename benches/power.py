"""What planning by measured draw brings under one cap, and that nothing is drawn above it; and where the shipped figures of draw come from.

`python -m benches.power`, with FABRIEK_DATA naming the folder of traces; `python -m benches.power kinds` says of kinds of work alone, what each GPU
and dataset drew and what row comes of it. The 1,008 GPUs of the size class for plans replay real GPU jobs (the last
2,500 of Philly, Microsoft 2017), handed in ten times as fast as they came so that somebody always waits, under a contract that by nameplate fits
half of the GPUs. Twice: each GPU planned at the most that it can draw, and at what many were measured to draw together. Then each minute is played
again: the GPUs that a job has on one node draw a level of the measured distribution, another one every 15 minutes on average, and the ladder's
guard looks each minute: above 97 % of the contract eco jobs (three in ten) are bounded to the shipped part of full power, until less than 92 % is
drawn. Wanted: at least 1.5 times the work in the same time, and no second above the contract.
"""

import csv
import gzip
import heapq
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.power import Contract, Planning, PowerTable, idle_watts, planned, table_on, tables_of
from fabriek.compute.simulator.outcomes import Outcome, Placed
from fabriek.compute.simulator.recorded import rows_on
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.trace_files import read_trace
from fabriek.compute.simulator.traces import TraceRow
from fabriek.funding.policy.policy import shipped_policy
from fabriek.kernel.dated import shipped
from fabriek.kernel.units import MICRO

NODES, GPUS_EACH, CPUS_EACH, MEMORY_EACH = 252, 4, 64, 512 * 2**30
CONTRACT = Contract(340_000)
JOBS, FASTER, SEED = 2_500, 10, 7
ECO_PART, LEVEL_SECONDS = 0.3, 900.0
GUARD_ABOVE, GUARD_BELOW = 0.97, 0.92
WORK_AT_LEAST = 1.5

ACME = "acme-2023-gpu-power-kalos-cdf.csv.gz"
ACME_NAMEPLATE_WATTS = 400
"""NVIDIA A100 SXM4 80 GB, data sheet."""

ZEUS = ("a40", "p100", "rtx6000", "v100")
ZEUS_WORK = {
    "cifar100": "image-training", "imagenet": "image-training", "librispeech": "speech-training",
    "movielens-1m": "recommendation-training", "sentiment140": "language-training", "squad": "language-training",
}  # fmt: skip
"""Dataset → the kind of work that training on it is."""

PART = Decimal("0.001")


def acme_watts(data: Path) -> list[float]:
    """The thousand quantiles of what a GPU drew. Source: AcmeTrace, Q. Hu et al., NSDI 2024, CC-BY-4.0."""
    return [float(row["value1_watts"]) for row in _rows(data / "traces" / ACME)]


def mean_and_sd(data: Path, nameplate_watts: int) -> tuple[Decimal, Decimal]:
    """Of a GPU of that nameplate, if it draws the same parts of it as those did that were measured; tenths of a watt."""
    watts = acme_watts(data)
    scale = nameplate_watts / ACME_NAMEPLATE_WATTS
    tenth = Decimal("0.1")
    return tuple(  # type: ignore[return-value]  # of two
        Decimal(figure * scale).quantize(tenth) for figure in (statistics.fmean(watts), statistics.pstdev(watts))
    )


@dataclass(frozen=True, slots=True)
class Capped:
    """GPUs of a kind bounded to `watts`, a part of the most that they may: how many times as long an epoch took, the median of the jobs; and the most
    that any of them drew, as a part of the bound.
    """

    gpu: str
    watts: int
    part: float
    times: float
    drawn_most: float
    jobs: int


def zeus_caps(data: Path) -> list[Capped]:
    """Source: Zeus, J. You et al., NSDI 2023, Apache-2.0: real training jobs at each power limit."""
    found = list[Capped]()
    for gpu in ZEUS:
        jobs: dict[tuple[str, ...], dict[int, tuple[float, float]]] = defaultdict(dict)
        for row in _rows(data / "traces" / f"zeus-power-limit-{gpu}.csv.gz"):
            job = tuple(row[name] for name in ("dataset", "network", "batch_size", "optimizer"))
            jobs[job][int(row["power_limit"])] = float(row["time_per_epoch"]), float(row["average_power"])
        limits = sorted({limit for one in jobs.values() for limit in one})
        for limit in limits:
            both = [one for one in jobs.values() if limit in one and limits[-1] in one]
            times = statistics.median(one[limit][0] / one[limits[-1]][0] for one in both)
            most = max(one[limit][1] for one in both) / limit
            found.append(Capped(gpu, limit, round(limit / limits[-1], 3), round(times, 3), round(most, 3), len(both)))
    return found


@dataclass(frozen=True, slots=True)
class Trained:
    """What training one network on one dataset drew on a GPU at its highest limit, over batch sizes and optimizers: parts of that limit."""

    work: str
    gpu: str
    dataset: str
    network: str
    runs: int
    mean: float
    highest: float


def zeus_trained(data: Path) -> list[Trained]:
    """Of each kind of work, by GPU and dataset. Source: Zeus, as above."""
    found = list[Trained]()
    for gpu in ZEUS:
        rows = _rows(data / "traces" / f"zeus-power-limit-{gpu}.csv.gz")
        limit = max(int(row["power_limit"]) for row in rows)
        parts: dict[tuple[str, str], list[float]] = defaultdict(list)
        for row in rows:
            if int(row["power_limit"]) == limit:
                parts[row["dataset"], row["network"]].append(float(row["average_power"]) / limit)
        found += [
            Trained(ZEUS_WORK[dataset], gpu, dataset, network, len(some), statistics.fmean(some), max(some))
            for (dataset, network), some in parts.items()
        ]
    return sorted(found, key=lambda one: (one.work, one.dataset, one.gpu))


def work_parts(data: Path) -> dict[str, tuple[Decimal, Decimal]]:
    """Kind of work → the mean and the highest part, in thousandths. Each GPU and dataset counts once in the mean, however many runs there were of
    it; the highest is that of one run, rounded up.
    """
    kinds: dict[str, list[Trained]] = defaultdict(list)
    for one in zeus_trained(data):
        kinds[one.work].append(one)
    return {
        work: (
            Decimal(statistics.fmean(one.mean for one in some)).quantize(PART),
            Decimal(max(one.highest for one in some)).quantize(PART, ROUND_CEILING),
        )
        for work, some in kinds.items()
    }


def print_kinds(data: Path) -> None:
    """Each GPU and dataset, and below them what comes of it: what stands in the shipped table."""
    parts, trained = work_parts(data), zeus_trained(data)
    for work, (mean, highest) in parts.items():
        for one in trained:
            if one.work == work:
                print(
                    f"power, {work}: {one.dataset} ({one.network}) on {one.gpu}, {one.runs} runs: mean {one.mean:.3f}, highest {one.highest:.3f}"
                )
        print(f"power, {work}: part_mean = {mean}, part_highest = {highest}", flush=True)


def data_folder() -> Path:
    """Where traces are, by the environment."""
    return Path(os.environ.get("FABRIEK_DATA", ""))


def main(only: Sequence[str] = ()) -> int:
    """Prints the figures; 1 when one falls short. only: `kinds` for the kinds of work alone."""
    data = data_folder()
    if not (data / "traces" / ACME).is_file():
        print("not measured: power (FABRIEK_DATA names no folder with traces)")
        return 0
    print_kinds(data)
    if "kinds" in only:
        return 0
    part = _ladder_part()
    near = [
        max((one for one in zeus_caps(data) if one.gpu == gpu and one.part <= part), key=lambda one: one.part)
        for gpu in ZEUS
    ]
    print("power, eco jobs bounded: " + "; ".join(
        f"{one.gpu} at {one.part:.0%} takes {one.times:.2f} times as long and draws at most {one.drawn_most:.0%} of the bound" for one in near
    ))  # fmt: skip
    table = table_on("a100_node", tables_of(shipped("fabriek.compute", "power.toml")), date(2026, 6, 1))
    rows, watts, kept, work = _trace(data), acme_watts(data), True, dict[Planning, float]()
    for planning in Planning:
        used = planned(table, planning, NODES)
        machine = Machine(Capacity(NODES * CPUS_EACH, NODES * GPUS_EACH, NODES * MEMORY_EACH, NODES), used, CONTRACT)
        begun = time.perf_counter()
        outcome = replay(rows, machine, Policy({}))
        took, busy = time.perf_counter() - begun, _busy(outcome)
        work[planning] = busy
        bare, guarded = (_drawn(outcome, table, watts, guarded=one) for one in (False, True))
        kept &= guarded.seconds_above == 0 or planning is Planning.NAMEPLATE
        kw = CONTRACT.watts / 1000
        print(
            f"power, planned by {planning} ({used.watts_per_gpu} W a GPU): {outcome.jobs:,} jobs in {took:.0f} s, {busy:.0f} GPUs busy on average "
            f"while somebody waits; drawn {bare.mean / CONTRACT.watts:.0%} of {kw:,.0f} kW on average, {bare.most / 1000:,.0f} kW at most, "
            f"{bare.seconds_above:,} s above it with nobody looking, {guarded.seconds_above:,} s with the guard (at most 0), "
            f"{guarded.most / 1000:,.0f} kW at most; it bounded {guarded.capped_gpu_hours:,.0f} of {guarded.gpu_hours:,.0f} GPU-hours",
            flush=True,
        )
    ratio = work[Planning.MEASURED] / work[Planning.NAMEPLATE]
    print(f"power: {ratio:.2f} times the work by measured draw (at least {WORK_AT_LEAST:g})")
    return int(not kept or ratio < WORK_AT_LEAST)


def _ladder_part() -> float:
    ladder = shipped_policy().ladder_on(date(2026, 6, 1))
    assert ladder is not None
    return ladder.cap_part / MICRO


def _trace(data: Path) -> list[TraceRow]:
    reading = read_trace(data / "traces" / "philly-2017-last15k.csv.gz")
    capacity = Capacity(NODES * CPUS_EACH, NODES * GPUS_EACH, NODES * MEMORY_EACH, NODES)
    rows = [one for one in rows_on(reading, capacity, {}) if one.shape.gpus_milli_in_all][-JOBS:]
    first = rows[0].submitted_at
    return [replace(one, submitted_at=first + (one.submitted_at - first) / FASTER) for one in rows]


def _busy(outcome: Outcome) -> float:
    """GPUs in use on average from when the first had to wait until the last stopped waiting."""
    waited = [one for one in outcome.placed if one.wait_seconds > 60]
    begin, end = min(one.row.submitted_at for one in waited), max(one.started_at for one in waited)
    seconds = sum(
        max(0.0, (min(end, one.ended_at) - max(begin, one.started_at)).total_seconds()) * _gpus(one) for one in outcome.placed
    )  # fmt: skip
    return seconds / (end - begin).total_seconds()


def _gpus(one: Placed) -> float:
    return one.row.shape.gpus_milli_in_all / MILLI


@dataclass(slots=True)
class Drawn:
    mean: float = 0.0
    most: float = 0.0
    seconds_above: int = 0
    capped_gpu_hours: float = 0.0
    gpu_hours: float = 0.0


@dataclass(slots=True)
class Level:
    """What each of so many GPUs on one node draws now."""

    gpus: float
    watts: float
    eco: bool


def _drawn(outcome: Outcome, table: PowerTable, measured: Sequence[float], *, guarded: bool) -> Drawn:
    """Minute by minute. The same levels for whoever looks and whoever does not."""
    chance, bound = random.Random(SEED), _ladder_part() * float(table.gpu_watts_full)  # noqa: S311  # a simulation
    there: dict[tuple[str, int], Level] = {}
    watts, lower, pue, idle = 0.0, 0.0, float(table.pue), idle_watts(table, NODES)
    capped, minutes, found = False, 0, Drawn()
    for events in _minutes(outcome):
        for one, begins in events:
            for node in range(one.row.shape.nodes):
                level = there.pop((one.row.job, node), None)
                if begins:
                    eco = random.Random(one.row.job).random() < ECO_PART  # noqa: S311
                    level = Level(_gpus(one) / one.row.shape.nodes, chance.choice(measured), eco)
                    there[one.row.job, node] = level
                if level is not None:
                    sign, cpus = (1 if begins else -1), one.row.shape.cpus * float(table.watts_per_cpu)
                    watts += sign * (level.gpus * level.watts + cpus)
                    lower += sign * _saved(level, bound)
        for level in [one for one in there.values() if chance.random() < 60 / LEVEL_SECONDS]:
            before, saved = level.watts, _saved(level, bound)
            level.watts = chance.choice(measured)
            watts += level.gpus * (level.watts - before)
            lower += _saved(level, bound) - saved
        total = idle + pue * (watts - (lower if capped else 0.0))
        found.mean += total
        found.most = max(found.most, total)
        found.seconds_above += 60 if total > CONTRACT.watts else 0
        busy = sum(one.gpus for one in there.values())
        found.gpu_hours += busy / 60
        found.capped_gpu_hours += sum(one.gpus for one in there.values() if one.eco) / 60 if capped else 0.0
        minutes += 1
        # What is seen in this minute counts from the next on.
        if guarded:
            capped = total > (GUARD_BELOW if capped else GUARD_ABOVE) * CONTRACT.watts
    found.mean /= max(1, minutes)
    return found


def _saved(level: Level, bound: float) -> float:
    return level.gpus * max(0.0, level.watts - bound) if level.eco else 0.0


def _minutes(outcome: Outcome) -> Iterator[list[tuple[Placed, bool]]]:
    """Each minute while somebody waits, with what began and ended in it."""
    events = [(at, number, one, begins) for number, one in enumerate(outcome.placed)
              for at, begins in ((one.started_at, True), (one.ended_at, False))]  # fmt: skip
    heapq.heapify(events)
    last = max(one.started_at for one in outcome.placed if one.wait_seconds > 60)
    now = events[0][0]
    while now <= last:
        now += timedelta(minutes=1)
        fresh = list[tuple[Placed, bool]]()
        while events and events[0][0] <= now:
            _, _, one, begins = heapq.heappop(events)
            fresh.append((one, begins))
        yield fresh


def _rows(path: Path) -> list[Mapping[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
