"""The piece of a text in which something was found."""

import re
from collections.abc import Collection
from functools import lru_cache

from fabriek.knowledge.search.query import folded

READ_MAX = 4_000
"""Characters that are looked through. Where nothing is found in them, nothing is shown."""

_CONTROL = dict.fromkeys((*range(32), *range(127, 160)))


def passage(text: str, words: Collection[str], *, begins: str = "", around: int = 120) -> str:
    r"""A piece of the text around the first of the words, every hit between \\x02 and \\x03; empty where none occurs as a whole word.
    begins: what also counts as the beginning of one.

    The marks are control characters on purpose: whoever shows the passage escapes it first and turns the marks into its own.
    """
    plain = text[:READ_MAX].replace("\n", " ")
    if not plain.isprintable():
        plain = plain.translate(_CONTROL)
    low = folded(plain)
    if len(low) != len(plain):
        plain = low
    # Most words are nowhere in a text, and that is soon seen.
    there = tuple(sorted(word for word in words if word in low))
    if not there and not (begins and begins in low):
        return ""
    begin = end = last = 0
    marked = ""
    for hit in _whole(there, begins).finditer(low):
        if end and hit.end() > end:
            break
        if not end:
            begin = last = max(0, hit.start() - around)
            end = max(begin + 2 * around, hit.end())
        marked += f"{plain[last : hit.start()]}\x02{plain[hit.start() : hit.end()]}\x03"
        last = hit.end()
    return f"{'…' if begin else ''}{marked}{plain[last:end]}{'…' if end < len(plain) else ''}" if end else ""


@lru_cache(1_000)
def _whole(words: tuple[str, ...], begins: str) -> re.Pattern[str]:
    """One of the words, whole, or a word that begins so."""
    either = [*map(re.escape, words), *([rf"{re.escape(begins)}[^\W_]*"] if begins else [])]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(either)})(?![^\W_])")
