"""Lines over time, and how waits are spread: each policy a line."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from fabriek.compute.simulator.drawing import steps_of
from fabriek.compute.simulator.outcomes import part_of
from fabriek.compute.simulator.recorded import BEGIN
from fabriek.compute.simulator.replay import Machine
from fabriek.compute.simulator.reporting.axes import TOP, Frame, over_time, stroke
from fabriek.compute.simulator.reporting.results import Result
from fabriek.compute.simulator.reporting.windows import Window, seconds, sums_between

BINS = 160
"""Stretches into which a whole trace is cut for a line: more a screen does not show."""

WATTS_PER_KW = 1_000
CDF_POINTS = 200
WAITS = (
    (1.0, "1 s"),
    (60.0, "1 min"),
    (3_600.0, "1 h"),
    (86_400.0, "1 day"),
    (864_000.0, "10 days"),
    (8_640_000.0, "100 days"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """`number`: which colour and which dashes. `part`: it is what others are held against."""

    number: int
    values: Sequence[float]
    part: bool = False


def use_in(result: Result, machine: Machine, edges: Sequence[float], share: str | None = None) -> list[float]:
    """The mean part of the machine that was taken between each two edges, by one share or by all."""
    spans = [
        (*seconds(one), part_of(one.row, machine.capacity))
        for one in result.outcome.stood
        if share is None or one.row.share == share
    ]
    lengths = [end - start for start, end in pairwise(edges)]
    return [max(0.0, total / length) for total, length in zip(sums_between(spans, edges), lengths, strict=True)]


@dataclass(frozen=True, slots=True)
class Power:
    """Of each stretch the most that was drawn, and the least that was allowed; None where nothing says. Watts."""

    drawn: list[float]
    allowed: list[float | None]


def power_in(result: Result, machine: Machine, edges: Sequence[float], idle: float) -> Power:
    """Drawn at the meter, idle nodes included. idle: what is drawn where no job is."""
    drawn, allowed = [idle] * (len(edges) - 1), list[float | None]([None] * (len(edges) - 1))
    for step in steps_of(result.outcome.stood, machine):
        start, end = (step.start - BEGIN).total_seconds(), (step.end - BEGIN).total_seconds()
        first = max(0, bisect.bisect_right(edges, start) - 1)
        last = min(len(drawn), bisect.bisect_left(edges, end))
        for number in range(first, last):
            drawn[number] = max(drawn[number], step.watts)
            if step.allowed is not None:
                allowed[number] = min(allowed[number] or math.inf, step.allowed)
    return Power(drawn, allowed)


def lines_over(
    title: str, says: str, window: Window, lines: Sequence[Line], unit: str, *, marked: Window | None = None
) -> Markup:
    """Values of equal stretches of the window. marked: a time to be seen at a glance."""
    high = max((value for line in lines for value in line.values if math.isfinite(value)), default=0.0)
    frame = over_time(window, high, unit)
    ground = ""
    if marked is not None:
        left, right = frame.x(max(marked.start, window.start)), frame.x(min(marked.end, window.end))
        ground = f'<rect class="marked" x="{left:.1f}" y="{TOP}" width="{max(1.0, right - left):.1f}" height="{frame.base - TOP}"/>'
    return frame.drawn(title, says, ground + "".join(_steps(line, frame, window) for line in lines))


def waits_spread(title: str, says: str, results: Sequence[Result]) -> Markup:
    """Which part of the jobs waited no longer than so long."""
    longest = max((one.figures.wait_seconds_max for one in results), default=0.0)
    ticks = [(math.log10(at), word) for at, word in WAITS if at <= max(longest * 3, 3_600)]
    if len(ticks) == len(WAITS):  # the last two would stand on each other
        del ticks[-2]
    high = max(math.log10(max(longest, 1.0)), ticks[-1][0])
    frame = Frame(0, high, 1.0, ticks, [(0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1, "100 %")])
    body = ""
    for number, result in enumerate(results):
        waits = sorted(one.wait_seconds for one in result.outcome.placed)
        places = [high * point / CDF_POINTS for point in range(CDF_POINTS + 1)]
        parts = [bisect.bisect_right(waits, 10**at * (1 + 1e-9)) / len(waits) for at in places] if waits else []
        body += stroke(
            number, " ".join(f"{frame.x(at):.1f},{frame.y(part):.1f}" for at, part in zip(places, parts, strict=False))
        )
    return frame.drawn(title, says, body)


def _steps(line: Line, frame: Frame, window: Window) -> str:
    """A line of steps, broken where nothing is known."""
    edges, strokes, points = window.edges(len(line.values)), list[str](), list[str]()
    for number, value in enumerate(line.values):
        if math.isfinite(value):
            points += [
                f"{frame.x(edges[number]):.1f},{frame.y(value):.1f}",
                f"{frame.x(edges[number + 1]):.1f},{frame.y(value):.1f}",
            ]
        elif points:
            strokes.append(" ".join(points))
            points = []
    return "".join(stroke(line.number, one, part=line.part) for one in [*strokes, " ".join(points)] if one)
