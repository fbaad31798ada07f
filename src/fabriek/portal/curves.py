"""Metrics' curves as SVG, drawn by the server: no script, no style attribute, readable without either."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 200, 56, 24, 10, 12
POINTS_MAX = 600
MARKS_MAX = 40
"""Places where a value was no number that one drawing marks."""

COLOURS = 8
DASHES = ("", "9 4", "2 3", "12 3 2 3", "5 5")
"""How a line is broken: with eight colours in turn, forty lines that nobody confuses, whoever sees no colours among them."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric: its name, its last value as text, how many points it has, and the drawing."""

    name: str
    last: str
    points: int
    svg: Markup


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line among several: whose it is, its number, and its points in order of x, of which there were `count`."""

    name: str
    number: int
    points: Points
    count: int

    @property
    def odd(self) -> int:
        """How many of the points are no numbers."""
        return sum(not math.isfinite(value) for _, value in self.points)

    @property
    def lowest(self) -> str:
        return shown(min((value for _, value in self.points if math.isfinite(value)), default=math.nan))

    @property
    def highest(self) -> str:
        return shown(max((value for _, value in self.points if math.isfinite(value)), default=math.nan))

    @property
    def last(self) -> str:
        return shown(self.points[-1][1]) if self.points else ""


def curve(
    name: str, points: Points, count: int | None = None, *, low: float | None = None, ends: tuple[str, str] = ("", "")
) -> Curve:
    """points: (step, value) in order; of `count`, where they were thinned before. What is not a finite number is marked where it was. low: where
    the drawing begins, in place of the least of them; ends: what its first and last step are called.
    """
    last = shown(points[-1][1]) if points else "none"
    thin = points if count is not None else _thinned(points)
    return Curve(
        name,
        last,
        len(points) if count is None else count,
        _draw(name, [Drawn(name, 0, thin, len(thin))], HEIGHT, low, ends),
    )


def overlay(name: str, lines: Sequence[Drawn], unit: str) -> Markup:
    """Several lines over one axis, each with a colour and a pattern of its own. unit: of x, in words."""
    return _draw(f"{name} of {len(lines)} runs by {unit}", lines, HEIGHT + 60)


def series(name: str, lines: Sequence[Drawn], ends: tuple[str, str]) -> Markup:
    """Several lines over one stretch of time, from 0 up. ends: what its first and last instant are called."""
    return _draw(name, lines, HEIGHT, 0, ends)


def swatch(number: int) -> Markup:
    """A piece of a line, for the legend: the words beside it say whose."""
    return Markup(f'<svg class="swatch" viewBox="0 0 36 10" aria-hidden="true">{_stroke(number, "1,5 35,5")}</svg>')  # noqa: S704  # numbers of ours


def shown(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"


def _thinned(points: Points) -> Points:
    """At most some hundred points: more than that a screen does not show."""
    stride = max(1, len(points) // POINTS_MAX)
    return [*points[:-1:stride], *points[-1:]]


def _draw(
    name: str, lines: Sequence[Drawn], height: int, low: float | None = None, ends: tuple[str, str] = ("", "")
) -> Markup:
    finite = [point for line in lines for point in line.points if math.isfinite(point[1])]
    if not finite:
        return Markup()
    steps, values = [x for line in lines for x, _ in line.points], [value for _, value in finite]
    least = min(values) if low is None else min(low, *values)
    frame = _Frame(min(steps), max(steps), least, max(values), height, ends)
    said = [f"from {shown(finite[0][1])} to {lines[0].last}"] if len(lines) == 1 else []
    odd = sum(line.odd for line in lines)
    said += [f"between {shown(frame.low)} and {shown(frame.high)}"] + ([f"{odd} points are no numbers"] if odd else [])
    title = escape(f"{name}: {', '.join(said)}")
    body = "".join(_line(line, frame) for line in lines)
    return Markup(  # noqa: S704  # every value in it is a number that we formatted, or escaped
        f'<svg class="curve" viewBox="0 0 {WIDTH} {height}" role="img"><title>{title}</title>{frame.axes()}{body}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where numbers are on the drawing."""

    first: float
    end: float
    low: float
    high: float
    height: int
    ends: tuple[str, str]

    @property
    def base(self) -> int:
        return self.height - BOTTOM

    def x(self, step: float) -> float:
        return LEFT + (step - self.first) / (self.end - self.first or 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        whole = self.high / 2 - self.low / 2  # halves: the difference of two large numbers may be none
        return TOP + (1 - (value / 2 - self.low / 2) / (whole or 1)) * (self.base - TOP)

    def axes(self) -> str:
        base = self.base
        first, end = self.ends[0] or f"{self.first:.6g}", self.ends[1] or f"{self.end:.6g}"
        return (
            f'<line class="axis" x1="{LEFT}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}"/>'
            f'<line class="axis" x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{base}"/>'
            f'<text x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{self.high:.3g}</text>'
            f'<text x="{LEFT - 6}" y="{base}" text-anchor="end">{self.low:.3g}</text>'
            f'<text x="{LEFT}" y="{self.height - 6}">{escape(first)}</text>'
            f'<text x="{WIDTH - RIGHT}" y="{self.height - 6}" text-anchor="end">{escape(end)}</text>'
        )


def _line(line: Drawn, frame: _Frame) -> str:
    """The line, broken where a value was no number, a dot at its end, and a mark at each such place."""
    parts: list[list[str]] = [[]]
    marks: list[str] = []
    last = ""
    for x, value in line.points:
        if math.isfinite(value):
            last = f'cx="{frame.x(x):.1f}" cy="{frame.y(value):.1f}"'
            parts[-1].append(f"{frame.x(x):.1f},{frame.y(value):.1f}")
        else:
            marks.append(_mark(x, value, frame))
            parts += [[]] if parts[-1] else []
    strokes = "".join(_stroke(line.number, " ".join(part)) for part in parts if part)
    dot = f'<circle class="line-{line.number % COLOURS + 1}" {last} r="3"/>' if last else ""
    return (
        f'{strokes}{dot}<g class="line-{line.number % COLOURS + 1}">{"".join(marks[:MARKS_MAX])}</g>'
        if marks
        else strokes + dot
    )


def _stroke(number: int, places: str) -> str:
    dashes = DASHES[number % len(DASHES)]
    broken = f' stroke-dasharray="{dashes}"' if dashes else ""
    colour = f"line-{number % COLOURS + 1}"
    return f'<polyline class="{colour}" points="{places}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"{broken}/>'


def _mark(x: float, value: float, frame: _Frame) -> str:
    """A cross on the ground for NaN, an arrow at the edge to which an infinity went."""
    sign, y = ("✕", frame.base - 3) if math.isnan(value) else ("▲", TOP + 10) if value > 0 else ("▼", frame.base - 3)
    return f'<text class="odd" x="{frame.x(x):.1f}" y="{y}" text-anchor="middle"><title>{shown(value)} at {x:.6g}</title>{sign}</text>'
