"""Spans of time: the busiest one, and what lies in equal stretches of a whole. Instants are seconds of the trace."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from fabriek.compute.simulator.outcomes import Placed
from fabriek.compute.simulator.recorded import BEGIN

HOUR, DAY = 3_600.0, 86_400.0
SLIDES = 7
"""Where the busiest time is looked for: its length is moved on by so many parts of itself."""

Span = tuple[float, float, float]
"""From, until, and how much of something at each instant."""


@dataclass(frozen=True, slots=True)
class Window:
    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start

    def edges(self, count: int) -> list[float]:
        """Of so many equal stretches."""
        return [self.start + self.length * number / count for number in range(count)] + [self.end]

    def overlaps(self, start: float, end: float) -> bool:
        return start < self.end and self.start < end


def seconds(placed: Placed) -> tuple[float, float]:
    """When a job started and ended."""
    return (placed.started_at - BEGIN).total_seconds(), (placed.ended_at - BEGIN).total_seconds()


def whole(placed: Sequence[Placed]) -> Window:
    """From the first submission to the last end; an hour of nothing where there is none."""
    if not placed:
        return Window(0, HOUR)
    first = min((one.row.submitted_at - BEGIN).total_seconds() for one in placed)
    return Window(first, max(first + 1, *(seconds(one)[1] for one in placed)))


def sums_between(spans: Iterable[Span], edges: Sequence[float]) -> list[float]:
    """The amount times its seconds between each two neighbouring edges. edges: in order."""
    changes: dict[float, float] = {}
    for start, end, amount in spans:
        changes[start] = changes.get(start, 0.0) + amount
        changes[end] = changes.get(end, 0.0) - amount
    found, level, at, place = [0.0] * (len(edges) - 1), 0.0, edges[0], 0
    instants = heapq.merge(sorted(changes), edges[1:])
    for instant in instants:
        if instant > at:
            if place < len(found):
                found[place] += level * (instant - at)
            at = instant
        level += changes.pop(instant, 0.0)
        while place < len(found) and at >= edges[place + 1]:
            place += 1
    return found


def busiest(spans: Sequence[Span], within: Window, length: float) -> Window:
    """The stretch of this length in which most was taken, the earliest of those that are equal; all there is, where that is shorter."""
    if within.length <= length:
        return within
    step = length / SLIDES
    count = int(within.length // step) + 1
    each = sums_between(spans, [within.start + number * step for number in range(count + 1)])
    upto = [0.0, *accumulate(each)]
    last = max(1, len(each) - SLIDES + 1)
    best = max(range(last), key=lambda first: (round(upto[min(first + SLIDES, len(each))] - upto[first], 3), -first))
    start = within.start + best * step
    return Window(start, start + length)
