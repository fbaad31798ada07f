"""Bars as SVG, drawn by the server: no script, no style attribute, and all that they show in words too."""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, ROW, LABEL, RIGHT = 320, 22, 112, 58
LETTERS_MAX = 17
"""What fits before the bar; the table beside it says the whole word."""


def bars(alt: str, rows: Sequence[tuple[str, int]]) -> Markup:
    """rows: (word, percent from 0 to 100). A percentage above that is drawn as a whole bar, and said as it is."""
    body = "".join(_bar(word, percent, place * ROW) for place, (word, percent) in enumerate(rows))
    height = max(1, len(rows)) * ROW
    return Markup(  # noqa: S704  # every value in it is a number of ours, or escaped
        f'<svg class="curve bars" viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(alt)}</title>{body}</svg>'
    )


def _bar(word: str, percent: int, top: int) -> str:
    short = word if len(word) <= LETTERS_MAX else word[: LETTERS_MAX - 1] + "…"
    width = max(1, round((WIDTH - LABEL - RIGHT) * min(100, max(0, percent)) / 100))
    over = " over" if percent > 100 else ""
    return (
        f'<text class="name" x="0" y="{top + 15}">{escape(short)}</text>'
        f'<rect class="bar{over}" x="{LABEL}" y="{top + 4}" width="{width}" height="14"/>'
        f'<text x="{LABEL + width + 4}" y="{top + 15}">{percent} %</text>'
    )
