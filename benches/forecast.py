"""Forecasts of starts on three real traces, each made at submission with what was known then, beside two that need no forecasting.

`python -m benches.forecast [KTH CTC HPC2N]`. Of a random part of the submissions (the same in each run): those of the first half of a trace teach,
those of the later half are judged. Wanted of the later half: the 80 % interval holds 75 to 85 of 100 starts; pinball loss over the 10, 50
and 90 % quantiles below that of the backfill estimate (the times asked for, nobody comes), and below that of the middle of a person's last 20 waits.

Most jobs of these traces start at the instant at which they are submitted, which admission knows: they are told so, and get no interval. So the
coverage that is judged is that of the intervals, of jobs that had to wait. Over all jobs it is printed twice: with a start foretold for certain
counted as what an 80 % interval of it would hold, 0.8 of it if it came true (the randomised probability integral transform: Czado, Gneiting and Held,
2009), and counted whole.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from statistics import median

from fabriek.compute.forecasting.backtesting import Judged, backtest
from fabriek.compute.forecasting.forecasts import LEVELS
from fabriek.compute.forecasting.past import Owner
from fabriek.compute.simulator.machines import machine_of_procs
from fabriek.compute.simulator.policies import NAMED
from fabriek.compute.simulator.recorded import rows_on
from fabriek.compute.simulator.replay import Policy
from fabriek.compute.simulator.trace_files import read_trace

TRACES = {
    "KTH": ("KTH-SP2-1996-2.1-cln.swf.gz", 100),
    "CTC": ("CTC-SP2-1996-3.1-cln.swf.gz", 338),
    "HPC2N": ("HPC2N-2002-2.2-cln.swf.gz", 240),
}
FORECAST_OF_FIRST, FORECAST_OF_LATER = 800, 2_000
HOLDS_AT_LEAST, HOLDS_AT_MOST = 0.75, 0.85
SEED = 20261128


def main(names: list[str] | None = None) -> int:
    """Prints two lines for each trace and order; 1 when a promise is not kept."""
    data = os.environ.get("FABRIEK_DATA", "")
    if not data:
        print("not measured: forecasts (FABRIEK_DATA names no folder)")
        return 0
    with ProcessPoolExecutor(
        2
    ) as both:  # each trace and order in a process of its own: together they take a quarter of an hour of a processor
        played = [both.submit(_on, Path(data), name, policy) for name in names or TRACES for policy in NAMED]
        found = [one.result() for one in played]
    for _, said in found:
        print(said)
    return int(not all(kept for kept, _ in found))


def _on(data: Path, name: str, policy: str) -> tuple[bool, str]:
    """Whether what was wanted came true, and the figures in two lines."""
    file, procs = TRACES[name]
    path = data / "traces" / file
    if not path.is_file():
        return True, f"not measured: {name} ({path} is not there)"
    machine, reading = machine_of_procs(procs), read_trace(path)
    rows = rows_on(reading, machine.capacity, {})
    came = sorted(reading.jobs, key=lambda one: one.submitted_seconds)
    owners = {f"{n:09}": Owner(one.words.get("user", ""), one.words.get("group", "")) for n, one in enumerate(came)}
    half = rows[len(rows) // 2].submitted_at
    chance, begun = Random(SEED), time.process_time()  # noqa: S311  # a sample, no secret
    shares = FORECAST_OF_FIRST / (len(rows) / 2), FORECAST_OF_LATER / (len(rows) / 2)
    asked = {row.job for row in rows if chance.random() < shares[row.submitted_at >= half]}
    found = backtest(rows, owners, machine, Policy({}, NAMED[policy].order), asked=lambda row: row.job in asked)
    return _judge(f"{name}, {policy}", [one for one in found if one.forecast.made_at >= half], begun)


def _judge(name: str, judged: list[Judged], begun: float) -> tuple[bool, str]:
    at_once = [one for one in judged if one.forecast.starts_now]
    waited = [one for one in judged if not one.forecast.starts_now]
    held = sum(_holds(one) for one in waited) / max(1, len(waited))
    true = sum(_holds(one) for one in at_once)
    in_all = (0.8 * true + held * len(waited)) / len(judged)
    widths = [(one.quantiles[2] - one.quantiles[0]) / 3600 for one in waited]
    early = sum(one.wait_seconds < one.quantiles[0] for one in waited) / max(1, len(waited))
    ours = _mean([_pinball(one.wait_seconds, one.quantiles) for one in judged])
    backfill = _mean([_pinball(one.wait_seconds, (one.backfill_seconds,) * 3) for one in judged])
    usual = _mean([_pinball(one.wait_seconds, (one.usual_seconds,) * 3) for one in judged])
    took = time.process_time() - begun
    told = (
        f"{name}: {len(judged):,} forecasts of the later half, {took:.0f} s of a processor; the interval held {held:.1%} of {len(waited):,} that "
        f"had to wait (wanted 75 to 85 %; {early:.1%} began before it), half of them at most {median(widths or [0]):.1f} h wide; {true:,} of "
        f"{len(at_once):,} that were told so began at once; over all {in_all:.1%}, or "
        f"{(true + held * len(waited)) / len(judged):.1%} with those counted whole"
    )
    lost = (
        f"{name}: pinball loss {ours:,.0f} s; of the backfill estimate {backfill:,.0f} s, of the person's usual wait {usual:,.0f} s "
        f"({ours / max(1e-9, backfill):.2f} and {ours / max(1e-9, usual):.2f} of theirs, wanted below 1)"
    )
    return HOLDS_AT_LEAST <= held <= HOLDS_AT_MOST and ours < min(backfill, usual), f"{told}\n{lost}"


def _holds(one: Judged) -> bool:
    low, _, high = one.quantiles
    return low - 1e-3 <= one.wait_seconds <= high + 1e-3


def _pinball(wait: float, said: tuple[float, float, float]) -> float:
    """The mean over the levels, in seconds. Source: Koenker and Bassett, "Regression quantiles", 1978."""
    losses = [
        level * (wait - one) if wait >= one else (1 - level) * (one - wait)
        for level, one in zip(LEVELS, said, strict=True)
    ]
    return sum(losses) / len(losses)


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or None))
