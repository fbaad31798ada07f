"""What a replay came to, in the figures by which schedulers are compared. Source: Feitelson, "Metrics for parallel job scheduling", 2001."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabriek.compute.simulator.drawing import quarter_hours_above
from fabriek.compute.simulator.outcomes import Outcome, Placed
from fabriek.compute.simulator.replay import Machine
from fabriek.kernel.units import JOULES_PER_KWH, MICRO

TAU_SECONDS = 10.0
"""A job shorter than this counts as so long: else a wait of a second would be a thousandfold slowdown."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Waits in seconds. `utilisation`: 0..1, of GPUs where there are any, from the first submission to the last end.
    `quarter_hours_above`: in which more was drawn than allowed. `used_by_share`: 0..1 of all that was used; `share_gap`: the most by which that
    differs from a share's part of the machine, 0..1, which says something where all have work that waits. `put_back`: how often a job was put back
    for others; `lost_seconds_max`: the most that one of them lost by it.
    """

    policy: str
    jobs: int
    unstarted: int
    mean_wait_seconds: float
    median_wait_seconds: float
    wait_seconds_p95: float
    wait_seconds_max: float
    mean_bounded_slowdown: float
    utilisation: float
    makespan_seconds: float
    kwh: float
    quarter_hours_above: int
    share_gap: float
    put_back: int
    lost_seconds_max: float
    used_by_share: Mapping[str, float]
    wait_seconds_by_share: Mapping[str, float]


def figures_of(policy: str, outcome: Outcome, machine: Machine, parts: Mapping[str, int]) -> Figures:
    """parts: share → its part of the machine, in millionths."""
    waits = sorted(one.wait_seconds for one in outcome.placed)
    slowdowns = [bounded_slowdown(one) for one in outcome.placed]
    used = sum(outcome.used_by_share.values())
    by_share = {share: hours / used for share, hours in outcome.used_by_share.items() if used}
    return Figures(
        policy, outcome.jobs, len(outcome.unstarted), outcome.wait_seconds_mean, _at(waits, 0.5), _at(waits, 0.95),
        outcome.wait_seconds_max, sum(slowdowns) / max(1, len(slowdowns)),
        outcome.gpu_utilisation if machine.capacity.gpus else outcome.cpu_utilisation, outcome.makespan_seconds,
        outcome.energy_joules / JOULES_PER_KWH, quarter_hours_above(outcome.stood, machine),
        max((abs(by_share.get(share, 0.0) - part / MICRO) for share, part in parts.items()), default=0.0),
        len(outcome.put_back), outcome.lost_seconds_max,
        by_share, outcome.wait_seconds_by_share,
    )  # fmt: skip


def bounded_slowdown(placed: Placed) -> float:
    """How many times longer it took with its wait, from 1 on; what is shorter than ten seconds counts as that."""
    ran = placed.before_seconds + placed.ran_seconds
    return max(1.0, (placed.wait_seconds + ran) / max(ran, TAU_SECONDS))


def _at(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
