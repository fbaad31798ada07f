"""Every node of the machine and every GPU on it, now and as far ahead as anything is promised."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from fabriek.compute.capacity import Capacity
from fabriek.compute.gpus import MILLI, may_be
from fabriek.compute.jobs import Shape
from fabriek.compute.placement import Placement

Free = tuple[int, int, tuple[int, ...]]
"""Of one node: CPUs, bytes of memory, and thousandths of each GPU."""


class Floor:
    """A job that fits the machine may still not fit: each member needs its room on one node, its GPUs of one kind, a part of a GPU on
    one device, and keeps them as long as it stands.
    """

    def __init__(self, capacity: Capacity, start: datetime) -> None:
        each = capacity.each()
        self._kinds = tuple((kind, each.range_of(kind.name)) for kind in each.gpu_kinds)
        self._numbers = capacity.numbers()
        self._places = {
            number: (node, index)
            for node, all_there in enumerate(self._numbers)
            for index, number in enumerate(all_there)
        }
        whole = (each.cpus, each.memory_bytes, (MILLI,) * each.gpus)
        self._nodes = [_Node([start], [whole]) for _ in range(capacity.nodes)]
        self._now = start
        # Nodes that this floor alone has; None: all. A copy shares them until it changes one.
        self._own: set[int] | None = None

    def copy(self) -> "Floor":
        other = object.__new__(Floor)
        other._kinds, other._numbers, other._places = self._kinds, self._numbers, self._places
        other._nodes, other._now = self._nodes.copy(), self._now
        self._own, other._own = set(), set()
        return other

    @property
    def is_plain(self) -> bool:
        """One node without GPUs: what fits the machine as a whole fits it."""
        return len(self._nodes) == 1 and not self._kinds

    def advance(self, now: datetime) -> None:
        """Forgets what lies before this instant, of each node when it is next changed."""
        self._now = now

    def vacate(self, shape: Shape, placed: Placement, start: datetime, end: datetime) -> None:
        """Gives back what was taken until `end`."""
        self._change(shape, placed, start, end, 1)

    def occupy(self, shape: Shape, placed: Placement, start: datetime, end: datetime) -> None:
        """Takes the room from `start` until just before `end`. What stands where no node is any more stands on the last."""
        self._change(shape, placed, start, end, -1)

    def _change(self, shape: Shape, placed: Placement, start: datetime, end: datetime, sign: int) -> None:
        for number, devices in zip(placed.nodes, placed.devices, strict=True):
            places = [self._places[device] for device in devices if device in self._places]
            indices = tuple(index for node, index in places if node == number)
            self._of(min(number, len(self._nodes) - 1)).change(shape, indices, start, end, sign)
            for node, index in places:  # the operator has cut the machine into other nodes since
                if node != number:
                    self._of(node).change(None, (index,), start, end, sign)

    def _of(self, number: int) -> "_Node":
        """The node, to be changed."""
        node = self._nodes[number]
        if self._own is not None and number not in self._own:
            node = self._nodes[number] = node.copy()
            self._own.add(number)
        node.advance(self._now)
        return node

    def place(self, shape: Shape, start: datetime, end: datetime) -> Placement | None:
        """Where it fits throughout; on the fullest nodes that have the room, so that the emptiest stay whole for who needs them."""
        cpus, memory, whole = shape.cpus, shape.memory_bytes, _whole(shape)
        for kind, devices in self._choices(shape):
            found = []
            # Many nodes are alike: empty, or with one job that has all. What fits one fits the next.
            seen: dict[Free, tuple[int, tuple[int, ...] | None]] = {}
            for number in shape.among or range(len(self._nodes)):
                least = self._nodes[number].room(cpus, memory, whole, start, end) if number >= 0 else None
                if least is None:
                    continue
                known = seen.get(least)
                if known is None:
                    known = seen[least] = sum(least[2]), _fitting(least, shape, devices)
                if known[1] is not None:
                    found.append((known[0], least[0], least[1], number, known[1]))
            if len(found) >= shape.nodes:
                return self._placement([min(found)] if shape.nodes == 1 else sorted(found)[: shape.nodes], kind)
        return None

    def force(self, shape: Shape, at: datetime) -> Placement:
        """For what stands already and was never placed: the emptiest nodes, whether it fits or not."""
        kind, devices = next(self._choices(shape), ("", range(0)))
        free = [(node.least(at, at), number) for number, node in enumerate(self._nodes)]
        emptiest = sorted(free, key=lambda one: (-sum(one[0][2]), -one[0][0], one[1]))[: shape.nodes]
        chosen = [
            (0, 0, 0, number, tuple(sorted(devices, key=lambda index, gpus=least[2]: -gpus[index]))[: shape.gpus.devices])  # type: ignore[misc]
            for least, number in emptiest
        ]  # fmt: skip
        return self._placement(chosen, kind)

    def earliest(self, shape: Shape, span: timedelta, since: datetime) -> datetime | None:
        """The first instant from `since` on at which `place` finds room for the whole span; None if that never comes."""
        found = [self._earliest_on(shape, devices, span, since) for _, devices in self._choices(shape)]
        return min((at for at in found if at is not None), default=None)

    def _earliest_on(self, shape: Shape, devices: Sequence[int], span: timedelta, since: datetime) -> datetime | None:
        at = since
        while True:
            able = self._firsts(shape, devices, span, at)
            if len(able) < shape.nodes:
                return None
            if able[shape.nodes - 1] == at:
                return at
            at = able[shape.nodes - 1]  # by then, a node that had room may have promised it

    def _firsts(self, shape: Shape, devices: Sequence[int], span: timedelta, since: datetime) -> list[datetime]:
        """When each node has the room, in order of time, as far as it matters: for one node the earliest is enough."""
        nodes = [self._nodes[number] for number in shape.among if number >= 0] if shape.among else self._nodes
        if shape.nodes > 1:
            firsts = (node.first(shape, devices, span, since) for node in nodes)
            return sorted(first for first in firsts if first is not None)
        best: datetime | None = None
        for node in nodes:
            first = node.first(shape, devices, span, since, before=best)
            if first is not None:
                best = first
                if best == since:
                    break
        return [] if best is None else [best]

    def _choices(self, shape: Shape) -> Iterator[tuple[str, Sequence[int]]]:
        """Kinds that may be given, in the operator's order, with the numbers of their devices within a node."""
        if not shape.gpus:
            yield "", range(0)
            return
        for kind, devices in self._kinds:
            if may_be(shape.gpus, (kind,)):
                yield kind.name, devices

    def _placement(self, found: Sequence[tuple[int, int, int, int, tuple[int, ...]]], kind: str) -> Placement:
        by_number = sorted((number, indices) for _, _, _, number, indices in found)
        devices = tuple(tuple(self._numbers[number][index] for index in indices) for number, indices in by_number)
        return Placement(tuple(number for number, _ in by_number), devices, kind)


class _Node:
    """What is free from `starts[i]` until `starts[i + 1]`, the last step for ever."""

    __slots__ = ("_free", "_starts")

    def __init__(self, starts: list[datetime], free: list[Free]) -> None:
        self._starts, self._free = starts, free

    def copy(self) -> "_Node":
        return _Node(self._starts.copy(), self._free.copy())

    def advance(self, now: datetime) -> None:
        past = bisect_right(self._starts, now) - 1
        if past > 0:
            del self._starts[:past], self._free[:past]
        self._starts[0] = max(self._starts[0], now)

    def change(self, shape: Shape | None, indices: Sequence[int], start: datetime, end: datetime, sign: int) -> None:
        """shape: None for a device alone, whole. sign: -1 takes, 1 gives back; then no step stays that differs in nothing from the one before."""
        cpus, memory, each = (0, 0, MILLI)
        if shape is not None:
            cpus, memory, each = shape.cpus, shape.memory_bytes, shape.gpus.part_milli or MILLI
        for step in range(self._cut(start), self._cut(end)):
            free_cpus, free_memory, gpus = self._free[step]
            if indices:
                gpus = tuple(left + sign * each if index in indices else left for index, left in enumerate(gpus))
            self._free[step] = (free_cpus + sign * cpus, free_memory + sign * memory, gpus)
        for at in (end, start) if sign > 0 else ():
            step = bisect_right(self._starts, at) - 1
            if step > 0 and self._free[step] == self._free[step - 1]:
                del self._starts[step], self._free[step]

    def least(self, start: datetime, end: datetime) -> Free:
        """The least of each that is free at any moment between the two."""
        step = bisect_right(self._starts, start) - 1
        cpus, memory, gpus = self._free[step]
        step += 1
        while step < len(self._starts) and self._starts[step] < end:
            free = self._free[step]
            cpus = min(cpus, free[0])
            memory = min(memory, free[1])
            if free[2] != gpus:
                gpus = tuple(map(min, gpus, free[2]))
            step += 1
        return cpus, memory, gpus

    def room(self, cpus: int, memory: int, whole: int, start: datetime, end: datetime) -> Free | None:
        """The least that is free between the two; None where a first look shows that it is too little. whole: GPUs."""
        if len(self._starts) == 1:
            return self._free[0]
        free = self._free[bisect_right(self._starts, start) - 1]
        if free[0] < cpus or free[1] < memory or (whole and free[2].count(MILLI) < whole):
            return None
        return self.least(start, end)

    def first(
        self, shape: Shape, devices: Sequence[int], span: timedelta, since: datetime, *, before: datetime | None = None
    ) -> datetime | None:
        """before: what is not earlier than this matters to nobody."""
        cpus, memory, whole = shape.cpus, shape.memory_bytes, _whole(shape)
        for step in range(max(0, bisect_right(self._starts, since) - 1), len(self._starts)):
            if before is not None and self._starts[step] >= before:
                return None
            free = self._free[step]
            if free[0] < cpus or free[1] < memory or (whole and free[2].count(MILLI) < whole):
                continue
            if not whole and _fitting(free, shape, devices) is None:
                continue
            at = max(since, self._starts[step])
            if _fitting(self.least(at, at + span), shape, devices) is not None:
                return at
        return None

    def _cut(self, at: datetime) -> int:
        step = bisect_right(self._starts, at) - 1
        if self._starts[step] == at:
            return step
        self._starts.insert(step + 1, at)
        self._free.insert(step + 1, self._free[step])
        return step + 1


def _whole(shape: Shape) -> int:
    """How many GPUs it takes whole on each of its nodes."""
    return shape.gpus.devices if shape.gpus and not shape.gpus.part_milli else 0


def _fitting(free: Free, shape: Shape, devices: Sequence[int]) -> tuple[int, ...] | None:
    """The devices that it would have there: a part on the fullest that has it left, whole ones by their number. None where it does not
    fit.
    """
    if free[0] < shape.cpus or free[1] < shape.memory_bytes:
        return None
    if not shape.gpus:
        return ()
    part = shape.gpus.part_milli
    if part:
        fullest = min(((free[2][index], index) for index in devices if free[2][index] >= part), default=None)
        return None if fullest is None else (fullest[1],)
    whole = [index for index in devices if free[2][index] == MILLI][: shape.gpus.devices]
    return tuple(whole) if len(whole) == shape.gpus.devices else None
