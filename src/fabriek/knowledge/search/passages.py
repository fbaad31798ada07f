"""The piece of a text in which something was found."""

import re
from collections.abc import Collection

from fabriek.knowledge.search.query import folded

READ_MAX = 4_000
"""Characters that are looked through. Where nothing is found in them, nothing is shown."""

_CONTROL = dict.fromkeys((*range(10), *range(11, 32), *range(127, 160))) | {10: " "}
_WORD = re.compile(r"[^\W_]+")


def passage(text: str, words: Collection[str], *, begins: str = "", around: int = 120) -> str:
    r"""A piece of the text around the first of the words, every hit between \\x02 and \\x03; empty where none occurs as a whole word.
    begins: what also counts as the beginning of one. words: a set, where there are many.

    The marks are control characters on purpose: whoever shows the passage escapes it first and turns the marks into its own.
    """
    plain = text[:READ_MAX].translate(_CONTROL)
    low = folded(plain)
    if len(low) != len(plain):
        plain = low
    begin = end = last = 0
    marked = ""
    for hit in _WORD.finditer(low):
        if end and hit.end() > end:
            break
        if hit[0] not in words and not (begins and hit[0].startswith(begins)):
            continue
        if not end:
            begin = last = max(0, hit.start() - around)
            end = max(begin + 2 * around, hit.end())
        marked += f"{plain[last : hit.start()]}\x02{plain[hit.start() : hit.end()]}\x03"
        last = hit.end()
    return f"{'…' if begin else ''}{marked}{plain[last:end]}{'…' if end < len(plain) else ''}" if end else ""
