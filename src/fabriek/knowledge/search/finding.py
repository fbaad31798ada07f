"""What one may look for: entries of the catalogue, and how a word goes on."""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter

from fabriek.access.service import Access
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.knowledge.catalogue.entries import SUMMARY_CHARACTERS_MAX, Entry, names_of
from fabriek.knowledge.meaning.service import Meaning
from fabriek.knowledge.search.fusing import followed, fused
from fabriek.knowledge.search.index import FACETS, Counted, Found, Index
from fabriek.knowledge.search.passages import passage
from fabriek.knowledge.search.plan import loosened, planned
from fabriek.knowledge.search.query import Query, folded, read_query
from fabriek.knowledge.search.vocabulary import Vocabulary

PAGE_MAX, OFFSET_MAX = 100, 900
AT_ONCE_MAX = 2_000
"""Entries of which the words are read while somebody waits; of more they are read beside, and until then a word stands for itself alone."""

NEAR_MAX = 20
"""So many of those nearest in meaning are looked at; no bound says which of them are near."""

BESIDE_MAX = 5
"""Of those that are near and have not the words so many are shown, where something has them."""

LOOK_SECONDS = 60.0
"""How old the words of a large catalogue may be. Whatever is new is found by its own words at once."""


@dataclass(frozen=True, slots=True)
class Hit:
    r"""An entry that was found. `summary` is its own with what matched between \\x02 and \\x03; `passage` the piece of its text that matched, empty
    where none did. `near`: it has not the words, and stands near in meaning.
    """

    entry: Entry
    summary: str
    passage: str
    near: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """`total` is exact unless there are `more`. `meant`: word → what was looked for too, since nothing has it. `loose`: nothing has all that was
    asked for, and these have some of it.
    """

    hits: Sequence[Hit] = ()
    total: int = 0
    more: bool = False
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    meant: Mapping[str, Sequence[str]] = field(default_factory=dict)
    loose: bool = False


def _hit(entry: Entry, words: Collection[str], begins: str, *, near: bool) -> Hit:
    summary = passage(entry.summary, words, begins=begins, around=SUMMARY_CHARACTERS_MAX) or entry.summary
    return Hit(entry, summary, passage(entry.text, words, begins=begins), near)


def _counts(rows: Sequence[Counted]) -> Mapping[str, Mapping[str, int]]:
    """Of each of FACETS, value → how many."""
    counted = {name: Counter(map(itemgetter(at), rows)) for at, name in enumerate(FACETS, 1)}
    for values in counted.values():
        del values[""]
    return counted


class Finding:
    """Hits, counts, corrections and completions are all made of what the asker may know of, and of nothing else."""

    def __init__(self, index: Index, meaning: Meaning, *, access: Access, clock: Clock) -> None:
        self._index, self._meaning, self._access, self._clock = index, meaning, access, clock
        self._vocabulary, self._mark, self._looked_at = Vocabulary({}), (0, ""), float("-inf")
        self._keeping, self._reading_beside = threading.Lock(), False

    def search(
        self, text: str, *, filters: Mapping[str, str] | None = None, limit: int = 20, offset: int = 0, by_words: bool = True,
        by_meaning: bool = True, by: Caller,
    ) -> Findings:  # fmt: skip
        """What holds every word, or some where nothing does, and what stands near in meaning; the newest where no word is given. Raises
        InvalidInput.
        """
        require(by, "knowledge.view")
        if not 1 <= limit <= PAGE_MAX or not 0 <= offset <= OFFSET_MAX:
            raise InvalidInput(
                f"a page has 1 to {PAGE_MAX} of what was found, of the first {OFFSET_MAX + PAGE_MAX}", fix="add a word to what you look for"
            )  # fmt: skip
        query = read_query(text, filters)
        if text.strip() and query.is_empty and not query.filters:
            return Findings()
        plan, chosen = planned(query, self._words()), self._chosen(query)
        names = names_of(by.organisation, by.project_rights)
        found = self._index.find(plan, chosen, names) if by_words else Found()
        loose = by_words and not found.rows and len(plan.groups) > 1
        if loose:
            found = self._index.find(loosened(plan), chosen, names)
        near = self._near(query, chosen, names) if by_meaning else ()
        # Some of the words say less than the meaning of all: sixty judged questions, benches/relevance.
        has_words = {number for number, *_ in found.rows}
        if has_words and not loose:
            near = [row for row in near if row[0] in has_words] + [row for row in near if row[0] not in has_words][
                :BESIDE_MAX
            ]
        rows = followed(near, found.rows) if loose else fused(found.rows, near)
        page, words = self._index.entries([row[0] for row in rows[offset : offset + limit]], names), plan.words()
        return Findings(
            [_hit(entry, words, plan.begins, near=number not in has_words) for number, entry in page],
            len(rows),
            found.more,
            _counts(rows),
            plan.meant,
            loose=loose and bool(found.rows),
        )

    def suggest(self, beginning: str, *, by: Caller) -> Sequence[str]:
        """How what is being typed may go on: its last word."""
        require(by, "knowledge.view")
        *before, last = folded(beginning).split(" ")
        return [" ".join([*before, one]) for one in self._words().completions(last)[:8]] if len(last) > 1 else []

    def _chosen(self, query: Query) -> Mapping[str, str]:
        filters = dict(query.filters)
        if named := filters.get("organisation"):
            with suppress(NotFound):  # then nothing is of it
                filters["organisation"] = self._access.organisation(named).id
        return filters

    def _near(self, query: Query, chosen: Mapping[str, str], names: Sequence[str]) -> Sequence[Counted]:
        """What stands near in meaning. Who says what may not occur, or which words stand one after another, means the words."""
        if query.is_empty or query.phrases or query.without:
            return ()
        return self._index.among(self._meaning.nearest(" ".join(query.words), names, NEAR_MAX), chosen, names)

    def _words(self) -> Vocabulary:
        """A small catalogue's as they are now; a large one's as they were a minute ago."""
        second = self._clock.now().timestamp()
        if self._mark[0] > AT_ONCE_MAX and second - self._looked_at < LOOK_SECONDS:
            return self._vocabulary
        if self._reading_beside:
            return self._vocabulary
        self._looked_at = second
        mark = self._index.mark()
        if mark == self._mark:
            return self._vocabulary
        if mark[0] <= AT_ONCE_MAX:
            self._read(mark)
        else:
            self._reading_beside = True
            threading.Thread(target=self._read_beside, args=(mark,), name="vocabulary", daemon=True).start()
        return self._vocabulary

    def _read(self, mark: tuple[int, str]) -> None:
        read = self._index.vocabulary()
        read.make_ready()
        with self._keeping:
            self._vocabulary, self._mark = read, mark

    def _read_beside(self, mark: tuple[int, str]) -> None:
        try:
            self._read(mark)
        finally:
            self._reading_beside = False
