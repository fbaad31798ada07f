"""Where numbers are on a drawing, and how they are said. Drawings are SVG by the server: no script, no style attribute."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from fabriek.compute.simulator.reporting.windows import DAY, HOUR, Window

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 640, 56, 12, 10, 26
COLOURS = 8
DASHES = ("", "9 4", "2 3", "12 3 2 3", "5 5")
"""How lines are broken, so that nobody needs to see their colours."""

STEPS = (1, 2, 2.5, 5, 10)
TICKS = 4

Tick = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Frame:
    """The ground of a drawing. Ticks: a value and what is written at it."""

    x_low: float
    x_high: float
    y_high: float
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    height: int = 220

    @property
    def base(self) -> int:
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        return LEFT + (value - self.x_low) / ((self.x_high - self.x_low) or 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (1 - value / (self.y_high or 1)) * (self.base - TOP)

    def drawn(self, title: str, says: str, body: str, kind: str = "curve") -> Markup:
        """With its axes. title and says: what it shows, in words; kind: its class."""
        ticks = "".join(
            f'<text class="tick{" odd" if number % 2 else ""}" x="{self.x(at):.1f}" y="{self.height - 8}" '
            f'text-anchor="{_anchor(number, len(self.x_ticks))}">{escape(word)}</text>'
            for number, (at, word) in enumerate(self.x_ticks)
        )
        lines = "".join(
            f'<line class="grid" x1="{LEFT}" y1="{self.y(at):.1f}" x2="{WIDTH - RIGHT}" y2="{self.y(at):.1f}"/>'
            f'<text class="tick{" odd" if number % 2 else ""}" x="{LEFT - 6}" y="{self.y(at) + 4:.1f}" text-anchor="end">{escape(word)}</text>'
            for number, (at, word) in enumerate(self.y_ticks)
        )
        # Every value in it is a number that we formatted, or escaped.
        return Markup(  # noqa: S704
            f'<svg class="{kind}" viewBox="0 0 {WIDTH} {self.height}" role="img"><title>{escape(title)}</title><desc>{escape(says)}</desc>'
            f'{lines}{body}<line class="axis" x1="{LEFT}" y1="{self.base}" x2="{WIDTH - RIGHT}" y2="{self.base}"/>{ticks}</svg>'
        )


def over_time(window: Window, high: float, unit: str, height: int = 220) -> Frame:
    """From the window's begin to its end, and from nothing up to a round number at least as high."""
    top, ticks = up_to(high, unit)
    return Frame(window.start, window.end, top, time_ticks(window), ticks, height)


def up_to(high: float, unit: str) -> tuple[float, list[Tick]]:
    """A round number above, and what to write on the way there. unit: `%` for parts of one, else written behind the number at the top."""
    step = _round_step((high * 100 if unit == "%" else high) / TICKS) or 1
    count = max(1, math.ceil(round((high * 100 if unit == "%" else high) / step, 6)))
    scale = 100 if unit == "%" else 1
    ticks = [(number * step / scale, f"{number * step:,.10g}") for number in range(count + 1)]
    ticks[-1] = (ticks[-1][0], f"{ticks[-1][1]} {unit}".strip())
    return count * step / scale, ticks


def time_ticks(window: Window) -> list[Tick]:
    """Of days of the trace, of hours where it is short."""
    unit, word = (DAY, "day") if window.length > 2 * DAY else (HOUR, "h")
    step = max(1.0, _round_step(window.length / unit / TICKS))
    first = math.ceil(window.start / unit / step)
    found = [(number * step * unit, f"{number * step:g}") for number in range(first, int(window.end / unit / step) + 1)]
    return [(at, f"{word} {text}" if not number else text) for number, (at, text) in enumerate(found)]


def place(number: int) -> str:
    """The class of a line's colour."""
    return f"line-{number % COLOURS + 1}"


def swatch(number: int, *, part: bool = False) -> Markup:
    """A piece of a line, for the legend."""
    drawn = stroke(number, "1,5 35,5", part=part)
    return Markup(f'<svg class="swatch" viewBox="0 0 36 10" aria-hidden="true">{drawn}</svg>')  # noqa: S704


def block(number: int) -> Markup:
    """A piece of colour, for the legend."""
    return Markup(  # noqa: S704
        f'<svg class="swatch" viewBox="0 0 36 10" aria-hidden="true"><rect class="{place(number)}" width="36" height="10"/></svg>'
    )


def stroke(number: int, points: str, *, part: bool = False) -> str:
    """part: a thin line of dots, for what something is held against."""
    dashes = "2 3" if part else DASHES[number % len(DASHES)]
    broken = f' stroke-dasharray="{dashes}"' if dashes else ""
    width = "1.5" if part else "2"
    drawn = f'fill="none" stroke="currentColor" stroke-width="{width}" stroke-linejoin="round"{broken}'
    return f'<polyline class="{place(number)}" points="{points}" {drawn}/>'


def lasting(seconds: float) -> str:
    """`12 s`, `35 min`, `4.2 h`, `3.1 days`."""
    for unit, word in ((DAY, "days"), (HOUR, "h"), (60.0, "min")):
        if seconds >= (2 * unit if unit == DAY else unit):
            return f"{seconds / unit:.3g} {word}"
    return f"{seconds:.3g} s"


def moment(seconds: float) -> str:
    """`day 12, 04:30`."""
    minutes = int(seconds // 60)
    return f"day {minutes // 1440}, {minutes // 60 % 24:02}:{minutes % 60:02}"


def _anchor(number: int, count: int) -> str:
    return "end" if number and number == count - 1 else "start" if not number else "middle"


def _round_step(rough: float) -> float:
    """The next round number."""
    if rough <= 0 or not math.isfinite(rough):
        return 0.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))
