"""What finding needs of an index, whichever database keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fabriek.knowledge.catalogue.entries import Entry
from fabriek.knowledge.search.plan import Plan
from fabriek.knowledge.search.vocabulary import Vocabulary

COUNTED_MAX = 1_000
"""Of what is found so many are counted, by kind, language and label; of more it is said that there are more."""

FACETS = ("kind", "language", "label")


@dataclass(frozen=True, slots=True)
class Found:
    """`entries`: best first. `total`: how many there are, at most COUNTED_MAX; `more`: whether there are more than that. `facets`: of each
    of FACETS, value → how many of those counted.
    """

    entries: Sequence[Entry] = ()
    total: int = 0
    more: bool = False
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Index(Protocol):
    def find(
        self, plan: Plan, filters: Mapping[str, str], names: Sequence[str], *, limit: int, offset: int = 0
    ) -> Found:
        """Of the entries that the people of these names may know of, and of no other; the newest where nothing has to occur. filters: column → its
        value, `keyword` → one of them.
        """

    def vocabulary(self) -> Vocabulary:
        """The words of the entries that everybody may know of."""

    def mark(self) -> tuple[int, str]:
        """How many entries everybody may know of, and something that changes when one of them does."""
