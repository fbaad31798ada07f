"""What finding needs of an index, whichever database keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fabriek.knowledge.catalogue.entries import Entry
from fabriek.knowledge.search.plan import Plan
from fabriek.knowledge.search.vocabulary import Vocabulary

COUNTED_MAX = 1_000
"""Of what is found so many are counted, by kind, language and label; of more it is said that there are more."""

FACETS = ("kind", "language", "label")


Counted = tuple[int, str, str, str]
"""An entry's number, and what it is counted by: its values of FACETS."""


@dataclass(frozen=True, slots=True)
class Found:
    """`rows`: best first, at most COUNTED_MAX; `more`: whether there are more than that."""

    rows: Sequence[Counted] = ()
    more: bool = False


class Index(Protocol):
    def find(self, plan: Plan, filters: Mapping[str, str], names: Sequence[str]) -> Found:
        """Of the entries that the people of these names may know of, and of no other; the newest where nothing has to occur. filters: column → its
        value, `keyword` → one of them.
        """

    def among(self, numbers: Sequence[int], filters: Mapping[str, str], names: Sequence[str]) -> Sequence[Counted]:
        """Of these those that `find` could find, in the same order."""

    def entries(self, numbers: Sequence[int], names: Sequence[str]) -> Sequence[tuple[int, Entry]]:
        """In this order, each with its number, without any that was taken back or hidden meanwhile."""

    def vocabulary(self) -> Vocabulary:
        """The words of the entries that everybody may know of."""

    def mark(self) -> tuple[int, str]:
        """How many entries everybody may know of, and something that changes when one of them does."""
