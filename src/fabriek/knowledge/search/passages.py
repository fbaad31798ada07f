"""The piece of a text in which something was found."""

from collections.abc import Collection, Iterable, Sequence

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
    there = [word for word in words if word in low]
    if not there and not (begins and begins in low):
        return ""
    begin = end = last = 0
    marked = ""
    for start, stop in _hits(low, there, begins):
        if end and stop > end:
            break
        if not end:
            begin = last = max(0, start - around)
            end = max(begin + 2 * around, stop)
        marked += f"{plain[last:start]}\x02{plain[start:stop]}\x03"
        last = stop
    return f"{'…' if begin else ''}{marked}{plain[last:end]}{'…' if end < len(plain) else ''}" if end else ""


def _hits(low: str, there: Iterable[str], begins: str) -> Sequence[tuple[int, int]]:
    """Where one of the words stands whole, or a word that begins so, from the first on. A pattern of the words would take longer to be made than
    a text takes to be looked through.
    """
    found = dict[int, int]()
    for word in there:
        at = low.find(word)
        while at >= 0:
            stop = at + len(word)
            if not low[at - 1 : at].isalnum() and not low[stop : stop + 1].isalnum():
                found[at] = stop
            at = low.find(word, stop)
    if begins:
        at = low.find(begins)
        while at >= 0:
            stop = at + len(begins)
            if not low[at - 1 : at].isalnum():
                while low[stop : stop + 1].isalnum():
                    stop += 1
                found[at] = stop
            at = low.find(begins, stop)
    return sorted(found.items())
