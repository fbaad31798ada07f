"""Whose turn it is: shares below their entitlement first, then urgent before normal before eco, then who waits longest."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.snapshot import Waiting
from fabriek.kernel.units import MICRO

RANK = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.ECO: 2}


class ShareUse:
    """How much of the machine each share uses now, beside what it is entitled to. Both in millionths of the machine."""

    def __init__(self, capacity: Capacity, entitled: Mapping[str, int]) -> None:
        self._capacity, self._entitled = capacity, entitled
        self._cpus: dict[str, int] = defaultdict(int)
        self._gpus: dict[str, int] = defaultdict(int)
        self._memory: dict[str, int] = defaultdict(int)

    def add(self, share: str, shape: Shape) -> None:
        self._count(share, shape, 1)

    def take_away(self, share: str, shape: Shape) -> None:
        self._count(share, shape, -1)

    def used(self, share: str) -> int:
        """The largest of its parts of CPUs, GPUs and memory: who takes all GPUs has the machine, whatever CPUs stand idle."""
        whole = self._capacity
        return max(
            self._cpus[share] * MICRO // max(1, whole.cpus),
            self._gpus[share] * MICRO // max(1, whole.gpus * MILLI),
            self._memory[share] * MICRO // max(1, whole.memory_bytes),
        )

    def entitled(self, share: str) -> int:
        return self._entitled.get(share, 0)

    def borrows(self, share: str) -> bool:
        """Whether what this share takes next is beyond what is its own."""
        return self.used(share) >= self.entitled(share)

    def _count(self, share: str, shape: Shape, sign: int) -> None:
        self._cpus[share] += sign * shape.cpus_in_all
        self._gpus[share] += sign * shape.gpus_milli_in_all
        self._memory[share] += sign * shape.memory_bytes_in_all


def turns(queued: Iterable[Waiting], use: ShareUse) -> Iterator[Waiting]:
    """Every waiting job once. `use` is read anew before each: a share that was just given something may lose its turn.

    Within a share the order is fixed, so that a large job is never overtaken for ever by small ones of its own share, nor,
    once its share is below its entitlement, by newer ones of another.
    """
    lines: dict[str, list[Waiting]] = defaultdict(list)
    for waiting in sorted(queued, key=_key, reverse=True):
        lines[waiting.share].append(waiting)
    while lines:
        share = min(lines, key=lambda name: (use.borrows(name), _key(lines[name][-1])))
        yield lines[share].pop()
        if not lines[share]:
            del lines[share]


def _key(waiting: Waiting) -> tuple[int, float, str]:
    return RANK[waiting.priority], waiting.submitted_at.timestamp(), waiting.job
