"""Which lanes of the machine a job took: those that it was given, and where nobody counts processors the lowest that are free."""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.simulator.outcomes import Placed

Run = tuple[int, int]
"""From one lane's unit until just before another."""

Lane = tuple[int, int]
"""A node, and one of its GPUs; -1 for its processors."""

PROCESSORS = -1


@dataclass(slots=True)
class Free:
    """What of one lane nobody has, as runs in order."""

    runs: list[Run] = field(default_factory=list)

    def take(self, units: int) -> list[Run]:
        """The lowest ones; fewer where there are not so many."""
        taken: list[Run] = []
        while units > 0 and self.runs:
            start, end = self.runs.pop(0)
            taken.append((start, min(end, start + units)))
            if end > start + units:
                self.runs.insert(0, (start + units, end))
            units -= taken[-1][1] - start
        return taken

    def give_back(self, taken: Sequence[Run]) -> None:
        for run in taken:
            insort(self.runs, run)
        merged: list[Run] = []
        for start, end in self.runs:
            if merged and merged[-1][1] == start:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
        self.runs = merged


@dataclass(frozen=True, slots=True)
class Stood:
    """A job in one run of one lane. Units: processors of a node, or thousandths of a GPU."""

    placed: Placed
    lane: Lane
    run: Run


def lanes_of(capacity: Capacity) -> dict[Lane, int]:
    """Every lane with how many units it has, node by node: its GPUs by the machine's own numbers, and its processors."""
    found: dict[Lane, int] = {}
    numbers, each = capacity.numbers(), capacity.each()
    for node in range(capacity.nodes):
        found |= {(node, device): MILLI for device in (numbers[node] if numbers else ())}
        found[node, PROCESSORS] = each.cpus
    return found


def packed(placed: Sequence[Placed], capacity: Capacity) -> Iterator[Stood]:
    """Where each job stood; a job with GPUs on those alone. placed: in order of their start."""
    free = {lane: Free([(0, units)]) for lane, units in lanes_of(capacity).items()}
    leaving: list[tuple[float, int, Lane, list[Run]]] = []
    for number, one in enumerate(placed):
        start = one.started_at.timestamp()
        while leaving and leaving[0][0] <= start:
            _, _, lane, runs = leaving.pop(0)
            free[lane].give_back(runs)
        for lane, units in _asked(one):
            if lane in free and (runs := free[lane].take(units)):
                insort(leaving, (one.ended_at.timestamp(), number, lane, runs))
                yield from (Stood(one, lane, run) for run in runs)


def _asked(one: Placed) -> Iterator[tuple[Lane, int]]:
    shape, where = one.row.shape, one.where
    if where is None:
        yield (0, PROCESSORS), shape.cpus_in_all
        return
    for node, devices in zip(where.nodes, where.devices, strict=False):
        if devices:
            whole = min(MILLI, shape.gpus.milli)
            yield from (((node, device), shape.gpus.part_milli or whole) for device in devices)
        else:
            yield (node, PROCESSORS), shape.cpus
