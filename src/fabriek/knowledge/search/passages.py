"""The piece of a text in which something was found."""

import heapq
import re
from collections.abc import Collection, Iterator

from fabriek.knowledge.search.query import folded

READ_MAX = 4_000
"""Characters that are looked through. Where nothing is found in them, nothing is shown."""

_REST = re.compile(r"[^\W_]+")
"""How a word goes on."""

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
    there = [word for word in words if word in low]
    if not there and not (begins and begins in low):
        return ""
    begin = end = last = 0
    marked = ""
    hits = [_hits(low, word, may_go_on=word == begins) for word in {*there, begins} - {""}]
    for start, stop in heapq.merge(*hits):
        if end and stop > end:
            break
        if start < last:  # of two words that both begin here
            continue
        if not end:
            begin = last = max(0, start - around)
            end = max(begin + 2 * around, stop)
        marked += f"{plain[last:start]}\x02{plain[start:stop]}\x03"
        last = stop
    return f"{'…' if begin else ''}{marked}{plain[last:end]}{'…' if end < len(plain) else ''}" if end else ""


def _hits(low: str, word: str, *, may_go_on: bool) -> Iterator[tuple[int, int]]:
    """Where the word stands whole, or only begins where it may go on. A pattern of it would take longer to be made than a text to be looked
    through.
    """
    at = low.find(word)
    while at >= 0:
        stop = at + len(word)
        rest = _REST.match(low, stop)
        end = rest.end() if rest else stop
        if (may_go_on or end == stop) and not low[at - 1 : at].isalnum():
            yield at, end
        at = low.find(word, end)
