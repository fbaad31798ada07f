"""What a replay drew over time, beside what it was allowed to."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.compute.power import draw, envelope, idle_watts
from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.replay import Machine

QUARTER = timedelta(minutes=15)
"""What a grid operator settles by."""


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` until `end` this many watts were drawn at the meter, idle nodes included. allowed: None where nothing says."""

    start: datetime
    end: datetime
    watts: int
    allowed: int | None

    @property
    def is_above(self) -> bool:
        return self.allowed is not None and self.watts > self.allowed


def steps_of(placed: Sequence[Placed], machine: Machine) -> Iterator[Step]:
    """From the first start to the last end, in order of time."""
    changes: dict[datetime, int] = {}
    for one in placed:
        watts = draw(one.row.shape, machine.table)
        changes[one.started_at] = changes.get(one.started_at, 0) + watts
        changes[one.ended_at] = changes.get(one.ended_at, 0) - watts
    if not changes:
        return
    first, last = min(changes), max(changes)
    bounds = sorted(
        {first, *(at for limit in machine.limits for at in (limit.starts, limit.ends) if first < at < last)}
    )
    allowed = [envelope(machine.contract, machine.limits, at) for at in bounds]
    instants = sorted({*changes, *bounds})
    watts, bound = idle_watts(machine.table, machine.capacity.nodes), 0
    for start, end in itertools.pairwise(instants):
        watts += changes.get(start, 0)
        while bound + 1 < len(bounds) and bounds[bound + 1] <= start:
            bound += 1
        yield Step(start, end, watts, allowed[bound])


def quarter_hours_above(placed: Sequence[Placed], machine: Machine) -> int:
    """In how many quarters of an hour, cut from the full hour on, more was drawn than allowed at any instant."""
    if machine.contract is None and not machine.limits:
        return 0
    found: set[int] = set()
    for step in steps_of(placed, machine):
        if step.is_above:
            first = int(step.start.timestamp() // QUARTER.total_seconds())
            last = int((step.end.timestamp() - 1e-6) // QUARTER.total_seconds())
            found.update(range(first, last + 1))
    return len(found)
