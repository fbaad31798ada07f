"""Room on the machine, now and as far ahead as anything is promised: a step function of time."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabriek.compute.gpus import MILLI, UNNAMED, Kind

UNLIMITED_WATTS = 10**15
"""Stands for a meter that nobody limits: more than any machine draws, and still a number to subtract from."""


@dataclass(frozen=True, slots=True)
class Room:
    """An amount of everything that a job takes. GPUs in thousandths, whatever their kind."""

    cpus: int = 0
    gpus_milli: int = 0
    memory_bytes: int = 0
    watts: int = 0

    def minus(self, other: "Room") -> "Room":
        return Room(
            self.cpus - other.cpus,
            self.gpus_milli - other.gpus_milli,
            self.memory_bytes - other.memory_bytes,
            self.watts - other.watts,
        )

    def covers(self, need: "Room") -> bool:
        return (
            self.cpus >= need.cpus
            and self.gpus_milli >= need.gpus_milli
            and self.memory_bytes >= need.memory_bytes
            and self.watts >= need.watts
        )


@dataclass(frozen=True, slots=True)
class Capacity:
    """The whole machine: `nodes` that are alike, each with its part of the rest. `kinds`: of the GPUs, in the order of their numbers;
    empty where they were only counted.
    """

    cpus: int
    gpus: int
    memory_bytes: int
    nodes: int = 1
    kinds: tuple[Kind, ...] = ()

    @property
    def gpu_kinds(self) -> tuple[Kind, ...]:
        return self.kinds or ((Kind(UNNAMED, self.gpus),) if self.gpus else ())

    def each(self) -> "Capacity":
        """One node of it."""
        kinds = tuple(Kind(one.name, one.count // self.nodes, one.slice_milli) for one in self.gpu_kinds)
        return Capacity(
            self.cpus // self.nodes,
            sum(one.count for one in kinds),
            self.memory_bytes // self.nodes,
            kinds=kinds if self.kinds else (),
        )

    def room(self) -> Room:
        return Room(self.cpus, self.gpus * MILLI, self.memory_bytes)

    def range_of(self, kind: str) -> range:
        """The numbers of a kind's devices."""
        first = 0
        for one in self.gpu_kinds:
            if one.name == kind:
                return range(first, first + one.count)
            first += one.count
        return range(0)

    def numbers(self) -> tuple[tuple[int, ...], ...]:
        """Of each node the machine's numbers of its devices, kind by kind: a kind is numbered through, over all nodes."""
        each = self.each().gpu_kinds
        return tuple(
            tuple(self.range_of(one.name)[node * one.count + index] for one in each for index in range(one.count))
            for node in range(self.nodes)
        )


@dataclass(frozen=True, slots=True)
class Lack:
    """The first instant at which something does not fit, and what is free then."""

    at: datetime
    free: Room


class Timeline:
    """What is free from `starts[i]` until `starts[i + 1]`, the last step for ever. Times before the first are not asked about."""

    def __init__(self, steps: Sequence[tuple[datetime, Room]]) -> None:
        """steps: at least one, in order of time."""
        assert steps, "a timeline begins somewhere"
        self._starts = [start for start, _ in steps]
        self._free = [free for _, free in steps]

    def copy(self) -> "Timeline":
        return Timeline(list(zip(self._starts, self._free, strict=True)))

    def occupy(self, need: Room, start: datetime, end: datetime) -> None:
        """Takes room from `start` until just before `end`."""
        first = self._cut(start)
        last = self._cut(end)
        for step in range(first, last):
            self._free[step] = self._free[step].minus(need)

    def lack(self, need: Room, start: datetime, end: datetime) -> Lack | None:
        """Where this first fails to fit between the two; None when it fits throughout."""
        step = bisect_right(self._starts, start) - 1
        while step < len(self._starts) and self._starts[step] < end:
            if not self._free[step].covers(need):
                return Lack(max(start, self._starts[step]), self._free[step])
            step += 1
        return None

    def earliest(self, need: Room, span: timedelta, since: datetime) -> datetime | None:
        """The first instant from `since` on from which this fits for the whole span; None if that never comes."""
        begin: datetime | None = None
        for step in range(max(0, bisect_right(self._starts, since) - 1), len(self._starts)):
            start = self._starts[step]
            if begin is not None and start >= begin + span:
                return begin
            if not self._free[step].covers(need):
                begin = None
            elif begin is None:
                begin = max(start, since)
        return begin

    def _cut(self, at: datetime) -> int:
        """The number of the step that begins at this instant, made by cutting one in two where none does."""
        step = bisect_right(self._starts, at) - 1
        assert step >= 0, f"{at} lies before the timeline"
        if self._starts[step] == at:
            return step
        self._starts.insert(step + 1, at)
        self._free.insert(step + 1, self._free[step])
        return step + 1
