"""Room on the machine, now and as far ahead as anything is promised: a step function of time."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from fabriek.compute.gpus import MILLI, UNNAMED, Kind

UNLIMITED_WATTS = 10**15
"""Stands for a meter that nobody limits: more than any machine draws, and still a number to subtract from."""


class Room(NamedTuple):
    """An amount of everything that a job takes. GPUs in thousandths, whatever their kind."""

    cpus: int = 0
    gpus_milli: int = 0
    memory_bytes: int = 0
    watts: int = 0

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
    """What is free from `starts[i]` until `starts[i + 1]`, the last step for ever. Times before the first are not asked about.

    Amounts are plain tuples in the order of `Room`: a replay of a year changes millions of them.
    """

    __slots__ = ("_free", "_starts")

    def __init__(self, steps: Sequence[tuple[datetime, Room]]) -> None:
        """steps: at least one, in order of time."""
        assert steps, "a timeline begins somewhere"
        self._starts = [start for start, _ in steps]
        self._free: list[tuple[int, int, int, int]] = [(*free,) for _, free in steps]

    def copy(self) -> "Timeline":
        other = object.__new__(Timeline)
        other._starts, other._free = self._starts.copy(), self._free.copy()
        return other

    @property
    def now(self) -> tuple[int, int, int, int]:
        """What is free in the first step."""
        return self._free[0]

    def advance(self, now: datetime) -> None:
        """Forgets what lies before this instant."""
        past = bisect_right(self._starts, now) - 1
        if past > 0:
            del self._starts[:past], self._free[:past]
        self._starts[0] = max(self._starts[0], now)

    def occupy(self, need: Room, start: datetime, end: datetime) -> None:
        """Takes room from `start` until just before `end`."""
        self._change(need, start, end)

    def _change(self, need: tuple[int, int, int, int], start: datetime, end: datetime) -> None:
        cpus, gpus, memory, watts = need
        free, first = self._free, self._cut(start)
        for step in range(first, self._cut(end)):
            has = free[step]
            free[step] = (has[0] - cpus, has[1] - gpus, has[2] - memory, has[3] - watts)

    def vacate(self, need: Room, start: datetime, end: datetime) -> None:
        """Gives room back that was taken until `end`. No step stays that differs in nothing from the one before it."""
        self._change((-need[0], -need[1], -need[2], -need[3]), start, end)
        for at in (end, start):
            step = bisect_right(self._starts, at) - 1
            if step > 0 and self._free[step] == self._free[step - 1]:
                del self._starts[step], self._free[step]

    def fits(self, need: Room, start: datetime, end: datetime) -> bool:
        """Whether this is free throughout."""
        cpus, gpus, memory, watts = need
        starts, free = self._starts, self._free
        step, last = 0 if start == starts[0] else bisect_right(starts, start) - 1, len(starts)
        while step < last and starts[step] < end:
            has = free[step]
            if has[0] < cpus or has[1] < gpus or has[2] < memory or has[3] < watts:
                return False
            step += 1
        return True

    def lack(self, need: Room, start: datetime, end: datetime) -> Lack | None:
        """Where this first fails to fit between the two; None when it fits throughout."""
        step = bisect_right(self._starts, start) - 1
        while step < len(self._starts) and self._starts[step] < end:
            if not (free := Room(*self._free[step])).covers(need):
                return Lack(max(start, self._starts[step]), free)
            step += 1
        return None

    def earliest(self, need: Room, span: timedelta, since: datetime) -> datetime | None:
        """The first instant from `since` on from which this fits for the whole span; None if that never comes."""
        cpus, gpus, memory, watts = need
        begin: datetime | None = None
        starts, free = self._starts, self._free
        for step in range(max(0, bisect_right(starts, since) - 1), len(starts)):
            if begin is not None and starts[step] >= begin + span:
                return begin
            has = free[step]
            if has[0] < cpus or has[1] < gpus or has[2] < memory or has[3] < watts:
                begin = None
            elif begin is None:
                begin = max(starts[step], since)
        return begin

    def _cut(self, at: datetime) -> int:
        """The number of the step that begins at this instant, made by cutting one in two where none does."""
        if at == self._starts[0]:  # now, mostly
            return 0
        step = bisect_right(self._starts, at) - 1
        assert step >= 0, f"{at} lies before the timeline"
        if self._starts[step] == at:
            return step
        self._starts.insert(step + 1, at)
        self._free.insert(step + 1, self._free[step])
        return step + 1
