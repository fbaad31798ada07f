"""Replays for tests: two policies on a few jobs, with whatever names a trace may have."""

from fabriek.compute.capacity import Capacity
from fabriek.compute.order import DECIDES_HERE, FirstCome
from fabriek.compute.power import Contract, Limit
from fabriek.compute.simulator.figures import figures_of
from fabriek.compute.simulator.recorded import Reading, Recorded, in_order, rows_on
from fabriek.compute.simulator.replay import Machine, Policy, replay
from fabriek.compute.simulator.reporting.results import LeftOut, Report, Result
from tests.factories.compute import GIB, a_table

POOL = Capacity(8, 0, 2**62)
GPU_NODES = Capacity(32, 8, 64 * GIB, 2)
NAUGHTY = "<script>alert(1)</script>\"'&"


def recorded(count: int = 20, *, gpus_milli: int = 0, name: str = "job") -> list[Recorded]:
    """One in each ten minutes, of an hour and more, of one to four processors."""
    return [
        Recorded(f"{name}:{number}", number * 600.0, 3_600.0 + number * 60, 1 + number % 4, 7_200.0, gpus_milli * (number % 2))
        for number in range(count)
    ]  # fmt: skip


def a_report(
    jobs: list[Recorded] | None = None, *, capacity: Capacity = POOL, limits: tuple[Limit, ...] = (), contract: int | None = None,
    shares: tuple[str, ...] = ("defence", "others"), left_out: tuple[LeftOut, ...] = (), trace: str = "trace.swf",
) -> Report:  # fmt: skip
    """Under `mine`, whose shares have equal parts and take jobs in turn; and under `easy`, which has none."""
    reading = Reading(recorded() if jobs is None else jobs)
    machine = Machine(capacity, a_table(), Contract(contract) if contract else None, limits)
    parts = {share: 1_000_000 // len(shares) for share in shares}
    whose = {one.name: shares[number % len(shares)] for number, one in enumerate(reading.jobs)} if shares else {}
    results = []
    for name, said, order, owners in (("mine", parts, DECIDES_HERE, whose), ("easy", {}, FirstCome(), {})):
        outcome = replay(rows_on(reading, capacity, owners), machine, Policy(said, order))
        results.append(Result(said, outcome, figures_of(name, outcome, machine, said)))
    return Report(trace, "00" * 32, machine, tuple(results), tuple(one.name for one in in_order(reading)), left_out)
