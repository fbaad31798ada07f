"""The simulator on three real traces: the real admission against a bare replay in the same run, and what our order makes of the waits.

`python -m benches.simulate`. The bare replay is a loop of its own, `bench/easy_ref.py` beside the data folder; where it is not there, only our own
figures are printed. Both are timed by the processor, by turns, and the ratio is the median of PAIRS: on a noisy machine one pair says little.
Wanted: every start that of the reference, in at most 20 times its time; bounded slowdown at most 0.6 of EASY's on KTH and
HPC2N and 1.0 on CTC, mean wait at most 1.0, longest wait at most 1.6.
"""

import importlib.util
import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from fabriek.compute.simulator.figures import Figures, figures_of
from fabriek.compute.simulator.machines import machine_of_procs
from fabriek.compute.simulator.outcomes import Outcome
from fabriek.compute.simulator.policies import NAMED, PolicyAsked
from fabriek.compute.simulator.recorded import BEGIN, rows_on
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.trace_files import read_trace
from fabriek.compute.simulator.traces import TraceRow

TRACES = (
    ("KTH", "KTH-SP2-1996-2.1-cln.swf.gz", 100, 0.6),
    ("CTC", "CTC-SP2-1996-3.1-cln.swf.gz", 338, 1.0),
    ("HPC2N", "HPC2N-2002-2.2-cln.swf.gz", 240, 0.6),
)
PAIRS = {"KTH": 5, "CTC": 3, "HPC2N": 3}
TIMES_AT_MOST, WAIT_AT_MOST, LONGEST_AT_MOST = 20.0, 1.0, 1.6


def main() -> int:
    """Prints two lines for each trace; 1 when a promise is not kept."""
    data = os.environ.get("FABRIEK_DATA", "")
    if not data:
        print("not measured: the simulator (FABRIEK_DATA names no folder)")
        return 0
    kept = [_on(Path(data), *one) for one in TRACES]
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return int(not all(kept))


def _on(data: Path, name: str, file: str, procs: int, slowdown_at_most: float) -> bool:
    path, reference = data / "traces" / file, _reference(data)
    if not path.is_file():
        print(f"not measured: {name} ({path} is not there)")
        return True
    machine, reading = machine_of_procs(procs), read_trace(path)
    rows = rows_on(reading, machine.capacity, {})
    found: dict[str, tuple[float, Figures]] = {}
    for policy in NAMED.values():
        took, outcome = _replayed(rows, machine, policy)
        found[policy.name] = took, figures_of(policy.name, outcome, machine, {})
        if policy.name == "easy":
            ours = {one.row.job: (one.started_at - BEGIN).total_seconds() for one in outcome.placed}
    took, easy = found["easy"]
    says, kept = ("", True) if reference is None else _beside(reference, path, procs, rows, machine, ours, PAIRS[name])
    print(f"{name}, EASY: {easy.jobs:,} jobs in {took:.1f} s, {easy.jobs / took:,.0f}/s{says}; mean wait {easy.mean_wait_seconds:,.0f} s, "
          f"bounded slowdown {easy.mean_bounded_slowdown:.2f}")  # fmt: skip
    took, default = found["default"]
    ratios = (
        default.mean_bounded_slowdown / easy.mean_bounded_slowdown,
        default.mean_wait_seconds / easy.mean_wait_seconds,
        default.wait_seconds_max / easy.wait_seconds_max,
    )
    print(f"{name}, default: {took:.1f} s; of EASY's bounded slowdown {ratios[0]:.2f} (at most {slowdown_at_most:g}), mean wait {ratios[1]:.2f} "
          f"(at most {WAIT_AT_MOST:g}), longest wait {ratios[2]:.2f} (at most {LONGEST_AT_MOST:g})")  # fmt: skip
    return kept and ratios[0] <= slowdown_at_most and ratios[1] <= WAIT_AT_MOST and ratios[2] <= LONGEST_AT_MOST


def _beside(
    reference: ModuleType, path: Path, procs: int, rows: Sequence[TraceRow], machine: Machine, ours: Mapping[str, float], pairs: int
) -> tuple[str, bool]:  # fmt: skip
    """How many times the bare replay's time, in words, and whether that is kept. ours: job → when it starts, in seconds of the trace."""
    times = list[float]()
    for _ in range(pairs):
        jobs, _, _ = reference.load(str(path), procs)
        begun = time.process_time()
        theirs = reference.replay(jobs, procs)
        bare = time.process_time() - begun
        times.append(_replayed(rows, machine, NAMED["easy"])[0] / bare)
    times.sort()
    middle = times[pairs // 2]
    other = sum(ours[row.job] != start for row, start in zip(rows, theirs, strict=True))
    says = f"; {middle:.1f} x a bare replay ({times[0]:.1f} to {times[-1]:.1f}; at most {TIMES_AT_MOST:g}), {other} starts differ from it"
    return says, other == 0 and middle <= TIMES_AT_MOST


def _replayed(rows: Sequence[TraceRow], machine: Machine, policy: PolicyAsked) -> tuple[float, Outcome]:
    """Seconds of the processor, and what came of it."""
    begun = time.process_time()
    outcome = replay(rows, machine, Policy({}, policy.order, policy.rules))
    return time.process_time() - begun, outcome


def _reference(data: Path) -> ModuleType | None:
    file = data.parent / "bench" / "easy_ref.py"
    if not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location("easy_ref", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


if __name__ == "__main__":
    sys.exit(main())
