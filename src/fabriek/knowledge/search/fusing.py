"""One order of two: by words, and by meaning."""

from collections.abc import Sequence
from itertools import chain

from fabriek.knowledge.search.index import Counted

STEADY = 60
"""How little a place at the top weighs more than the next (Cormack, Clarke and Büttcher, 2009: reciprocal rank fusion)."""


def fused(by_words: Sequence[Counted], by_meaning: Sequence[Counted]) -> Sequence[Counted]:
    """Each once, by the sum of what its places are worth; by words where it is the same."""
    if not by_meaning:
        return by_words
    worth = dict.fromkeys((row[0] for row in chain(by_words, by_meaning)), 0.0)
    for order in (by_words, by_meaning):
        for place, row in enumerate(order):
            worth[row[0]] += 1 / (STEADY + place)
    rows = {row[0]: row for row in chain(by_words, by_meaning)}
    return [rows[number] for number in sorted(worth, key=lambda one: -worth[one])]


def followed(first: Sequence[Counted], then: Sequence[Counted]) -> Sequence[Counted]:
    """Each once: those of the one order, then what only the other has."""
    there = {row[0] for row in first}
    return [*first, *(row for row in then if row[0] not in there)] if first else then
