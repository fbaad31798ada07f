"""A metric's curve as SVG, drawn by the server: no script, no style attribute, readable without either."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 200, 56, 24, 10
POINTS_MAX = 600


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric: its name, its last value as text, how many points it has, and the drawing."""

    name: str
    last: str
    points: int
    svg: Markup


def curve(name: str, points: Sequence[tuple[int, float]]) -> Curve:
    """points: (step, value) in order. What is not a finite number is left out of the drawing and still counted."""
    last = f"{points[-1][1]:.4g}" if points else "none"
    finite = [(step, value) for step, value in points if math.isfinite(value)]
    return Curve(name, last, len(points), _draw(name, _thinned(finite), last))


def _thinned(points: Sequence[tuple[int, float]]) -> Sequence[tuple[int, float]]:
    """At most some hundred points: more than that a screen does not show."""
    stride = max(1, len(points) // POINTS_MAX)
    return [*points[:-1:stride], *points[-1:]]


def _draw(name: str, points: Sequence[tuple[int, float]], last: str) -> Markup:
    if not points:
        return Markup()
    steps, values = [step for step, _ in points], [value for _, value in points]
    low, high = min(values), max(values)
    first, end = min(steps), max(steps)

    def place(step: int, value: float) -> str:
        x = LEFT + (step - first) / (end - first or 1) * (WIDTH - LEFT - 12)
        share = (value / 2 - low / 2) / (
            high / 2 - low / 2 or 1
        )  # halves: the difference of two large numbers may be none
        y = TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    line = " ".join(place(step, value) for step, value in points)
    dot_x, dot_y = place(*points[-1]).split(",")
    base = HEIGHT - BOTTOM
    title = escape(f"{name}: from {values[0]:.4g} to {last} over {end - first + 1} steps")
    return Markup(  # noqa: S704  # every value in it is a number that we formatted, or escaped
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>'
        f'<line class="axis" x1="{LEFT}" y1="{base}" x2="{WIDTH - 12}" y2="{base}"/>'
        f'<line class="axis" x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{base}"/>'
        f'<text x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{LEFT - 6}" y="{base}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{first}</text><text x="{WIDTH - 12}" y="{HEIGHT - 6}" text-anchor="end">{end}</text>'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/>'
        f'<circle cx="{dot_x}" cy="{dot_y}" r="3" fill="currentColor"/></svg>'
    )
