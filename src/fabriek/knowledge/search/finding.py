"""What one may look for: entries of the catalogue, and how a word goes on."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from fabriek.access.service import Access
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.knowledge.catalogue.entries import SUMMARY_CHARACTERS_MAX, Entry, names_of
from fabriek.knowledge.search.index import Found, Index
from fabriek.knowledge.search.passages import passage
from fabriek.knowledge.search.plan import Plan, loosened, planned
from fabriek.knowledge.search.query import Query, folded, read_query
from fabriek.knowledge.search.vocabulary import Vocabulary

PAGE_MAX, OFFSET_MAX = 100, 900
AT_ONCE_MAX = 2_000
"""Entries of which the words are read while somebody waits; of more they are read beside, and until then a word stands for itself alone."""

LOOK_SECONDS = 60.0
"""How old the words of a large catalogue may be. Whatever is new is found by its own words at once."""


@dataclass(frozen=True, slots=True)
class Hit:
    r"""An entry that was found. `summary` is its own with what matched between \\x02 and \\x03; `passage` the piece of its text that matched, empty
    where none did.
    """

    entry: Entry
    summary: str
    passage: str


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


class Finding:
    """Hits, counts, corrections and completions are all made of what the asker may know of, and of nothing else."""

    def __init__(self, index: Index, *, access: Access, clock: Clock) -> None:
        self._index, self._access, self._clock = index, access, clock
        self._vocabulary, self._mark, self._looked_at = Vocabulary({}), (0, ""), float("-inf")
        self._keeping, self._reading_beside = threading.Lock(), False

    def search(
        self, text: str, *, filters: Mapping[str, str] | None = None, limit: int = 20, offset: int = 0, by: Caller
    ) -> Findings:
        """What holds every word, or some where nothing does; the newest where no word is given. Raises InvalidInput."""
        require(by, "knowledge.view")
        if not 1 <= limit <= PAGE_MAX or not 0 <= offset <= OFFSET_MAX:
            raise InvalidInput(
                f"a page has 1 to {PAGE_MAX} of what was found, of the first {OFFSET_MAX + PAGE_MAX}", fix="add a word to what you look for"
            )  # fmt: skip
        query = read_query(text, filters)
        if text.strip() and query.is_empty and not query.filters:
            return Findings()
        plan = planned(query, self._words())
        found, loose = self._find(plan, query, by, limit=limit, offset=offset), False
        if not found.total and len(plan.groups) > 1:
            found, loose = self._find(loosened(plan), query, by, limit=limit, offset=offset), True
        return Findings(
            self._hits(found, plan),
            found.total,
            found.more,
            found.facets,
            plan.meant,
            loose=loose and found.total > 0,
        )

    def suggest(self, beginning: str, *, by: Caller) -> Sequence[str]:
        """How what is being typed may go on: its last word."""
        require(by, "knowledge.view")
        *before, last = folded(beginning).split(" ")
        return [" ".join([*before, one]) for one in self._words().completions(last)[:8]] if len(last) > 1 else []

    def _find(self, plan: Plan, query: Query, by: Caller, *, limit: int, offset: int) -> Found:
        names = names_of(by.organisation, by.project_rights)
        filters = dict(query.filters)
        if named := filters.get("organisation"):
            with suppress(NotFound):  # then nothing is of it
                filters["organisation"] = self._access.organisation(named).id
        return self._index.find(plan, filters, names, limit=limit, offset=offset)

    def _hits(self, found: Found, plan: Plan) -> list[Hit]:
        words = frozenset(plan.words())
        return [
            Hit(
                entry, passage(entry.summary, words, begins=plan.begins, around=SUMMARY_CHARACTERS_MAX) or entry.summary,
                passage(entry.text, words, begins=plan.begins),
            )
            for entry in found.entries
        ]  # fmt: skip

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
