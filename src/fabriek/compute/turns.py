"""Whose turn it is: shares below their entitlement first, and within a share what the order says."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Waiting
from fabriek.compute.gpus import MILLI
from fabriek.compute.jobs import Shape
from fabriek.kernel.units import MICRO


class ShareUse:
    """How much of the machine each share uses now, beside what it is entitled to. Both in millionths of the machine.

    noted: what an order worked out of a job that waits, and need not work out in the next round again.
    """

    def __init__(self, capacity: Capacity, entitled: Mapping[str, int]) -> None:
        self._capacity, self._entitled = capacity, entitled
        self._used: dict[str, tuple[int, int, int]] = {}
        self._parts: dict[Shape, int] = {}
        self._borrows: dict[str, bool] = {}
        self.noted: dict[str, float] = {}
        self._standing = self._waited = 0.0

    def add(self, share: str, shape: Shape) -> None:
        self._count(share, shape, 1)

    def take_away(self, share: str, shape: Shape) -> None:
        self._count(share, shape, -1)

    def wait(self, shape: Shape, seconds: float, *, gone: bool = False) -> None:
        """Counts how long one that stands had waited; gone: no more."""
        part = -self.part(shape) if gone else self.part(shape)
        self._waited += part * seconds
        self._standing += part

    @property
    def wait_seconds_mean(self) -> float:
        """How long those that stand had waited, each counted by its part of the machine; 0 where nothing stands."""
        return self._waited / self._standing if self._standing > 0.5 else 0.0

    def part(self, shape: Shape) -> int:
        """Of the machine, in millionths: the largest of its parts of CPUs, GPUs and memory. At least one."""
        part = self._parts.get(shape)
        if part is None:
            taken = (shape.cpus_in_all, shape.gpus_milli_in_all, shape.memory_bytes_in_all)
            part = self._parts[shape] = max(1, self._part(taken))
        return part

    def used(self, share: str) -> int:
        """The largest of its parts of CPUs, GPUs and memory: who takes all GPUs has the machine, whatever CPUs stand idle."""
        return self._part(self._used.get(share, (0, 0, 0)))

    def entitled(self, share: str) -> int:
        return self._entitled.get(share, 0)

    def borrows(self, share: str) -> bool:
        """Whether what this share takes next is beyond what is its own."""
        found = self._borrows.get(share)
        if found is None:
            found = self._borrows[share] = self.used(share) >= self.entitled(share)
        return found

    def _part(self, taken: tuple[int, int, int]) -> int:
        whole = self._capacity
        return max(
            taken[0] * MICRO // max(1, whole.cpus),
            taken[1] * MICRO // max(1, whole.gpus * MILLI),
            taken[2] * MICRO // max(1, whole.memory_bytes),
        )

    def _count(self, share: str, shape: Shape, sign: int) -> None:
        self._borrows.pop(share, None)
        cpus, gpus, memory = self._used.get(share, (0, 0, 0))
        self._used[share] = (
            cpus + sign * shape.cpus_in_all, gpus + sign * shape.gpus_milli_in_all, memory + sign * shape.memory_bytes_in_all
        )  # fmt: skip


def turns(
    queued: Iterable[Waiting], borrows: Callable[[str], bool], key: Callable[[Waiting], Any]
) -> Iterator[Waiting]:
    """Every waiting job once. `borrows` is asked anew before each: a share that was just given something may lose its turn.

    Within a share the order is fixed, so that a large job is not overtaken by small ones of its own share nor,
    once its share is below its entitlement, by newer ones of another.
    """
    lines: dict[str, list[Waiting]] = defaultdict(list)
    for waiting in queued:
        lines[waiting.share].append(waiting)
    if len(lines) == 1:
        [line] = lines.values()
        yield from sorted(line, key=key)
        return
    places = {
        share: sorted(((key(one), one) for one in line), key=_place, reverse=True) for share, line in lines.items()
    }
    while places:
        share = min(places, key=lambda name: (borrows(name), places[name][-1][0]))
        yield places[share].pop()[1]
        if not places[share]:
            del places[share]


def _place(one: tuple[Any, Waiting]) -> Any:
    return one[0]
