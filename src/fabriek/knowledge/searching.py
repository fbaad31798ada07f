"""What somebody looks for, as plain words: no word of theirs is ever read as an operator of the search engine."""

import re
import unicodedata

WORDS_MAX = 12


def words_of(text: str) -> list[str]:
    """Lower-case words without accents, in order; at most twelve."""
    plain = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return re.findall(r"[a-z0-9]{2,40}", bare)[:WORDS_MAX]


def folded(text: str) -> str:
    """Text as it is indexed: the same folding that the question gets."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in plain if not unicodedata.combining(char))


def passage(text: str, words: list[str], *, around: int = 120) -> str:
    r"""A piece of the text around the first word found, every hit between \\x02 and \\x03; empty where no word occurs.

    The marks are control characters on purpose: whoever shows the passage escapes it first and turns the marks into its own.
    """
    plain = "".join(char for char in text if char.isprintable() or char in "\n ")
    low = folded(plain)
    if len(low) != len(plain):
        plain = low
    starts = [at for word in words if (at := low.find(word)) >= 0]
    if not starts:
        return ""
    begin = max(0, min(starts) - around)
    piece = plain[begin : begin + 2 * around].replace("\n", " ")
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    marked, last = "", 0
    for hit in pattern.finditer(folded(piece) if len(folded(piece)) == len(piece) else piece):
        marked += f"{piece[last : hit.start()]}\x02{piece[hit.start() : hit.end()]}\x03"
        last = hit.end()
    return f"{'…' if begin else ''}{marked}{piece[last:]}"
