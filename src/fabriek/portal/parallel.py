"""A group of runs as lines across axes: one for each parameter, the last one for a metric. The table beside it says the same in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT, SIDE, TOP, BOTTOM = 720, 280, 60, 34, 34
AXES_MAX = 7
LINES_MAX = 300
WORDS_MAX = 8
"""Values of one parameter that are written at its axis."""


@dataclass(frozen=True, slots=True)
class Across:
    """One run: its values by axis, and whether it is the best."""

    values: Mapping[str, str]
    result: float
    best: bool


def parallel(axes: Sequence[str], metric: str, runs: Sequence[Across]) -> Markup:
    """Runs without a finite result are left out; the best is drawn last, over all others, and thicker."""
    drawn = [one for one in runs if math.isfinite(one.result)][:LINES_MAX]
    if not drawn or not axes:
        return Markup()
    scales = [_scale(name, [one.values.get(name, "") for one in drawn]) for name in axes[:AXES_MAX]]
    results = _Scale(metric, {}, min(one.result for one in drawn), max(one.result for one in drawn))
    places = [SIDE + number * (WIDTH - 2 * SIDE) / len(scales) for number in range(len(scales) + 1)]
    body = "".join(f'<line class="axis" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>' for x in places)
    for one in sorted(drawn, key=lambda each: each.best):
        heights = [scale.y(one.values.get(scale.name, "")) for scale in scales] + [results.at(one.result)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(places, heights, strict=True))
        body += f'<polyline class="{"best" if one.best else "other"}" points="{way}" fill="none"/>'
    body += "".join(_words(scale, x) for scale, x in zip([*scales, results], places, strict=True))
    title = escape(f"{len(drawn)} runs by {', '.join(axes[:AXES_MAX])} and {metric}")
    begin = f'<svg class="curve parallel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    return Markup(f"{begin}<title>{title}</title>{body}</svg>")  # noqa: S704  # escaped, or numbers of ours


@dataclass(frozen=True, slots=True)
class _Scale:
    """`words`: value → share of the height, where not all of them are numbers."""

    name: str
    words: Mapping[str, float]
    low: float
    high: float

    def y(self, value: str) -> float:
        return _height(self.words[value]) if self.words else self.at(float(value))

    def at(self, value: float) -> float:
        return _height((value / 2 - self.low / 2) / ((self.high / 2 - self.low / 2) or 1))


def _height(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _scale(name: str, values: Sequence[str]) -> _Scale:
    numbers = [_number(one) for one in values]
    if all(map(math.isfinite, numbers)):
        return _Scale(name, {}, min(numbers), max(numbers))
    known = sorted(set(values))
    return _Scale(name, {one: number / max(len(known) - 1, 1) for number, one in enumerate(known)}, 0, 0)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _words(scale: _Scale, x: float) -> str:
    ends: list[tuple[str, float]] = [(f"{scale.high:.4g}", TOP), (f"{scale.low:.4g}", HEIGHT - BOTTOM)]
    if scale.words:
        ends = [(_short(word, 12) or "none", _height(share)) for word, share in scale.words.items()][:WORDS_MAX]
    elif scale.low == scale.high:
        ends = ends[1:]
    marks = "".join(f'<text x="{x + 4:.1f}" y="{y + 4:.1f}">{escape(text)}</text>' for text, y in ends)
    return f'{marks}<text class="name" x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(_short(scale.name, 16))}</text>'


def _short(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
