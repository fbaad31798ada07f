"""What one may do with searches that one keeps. Nobody else sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.ids import Ids
from fabriek.knowledge.saved_searches import searches
from fabriek.knowledge.saved_searches.ports import Searches
from fabriek.knowledge.saved_searches.searches import SEARCHES_MAX, SavedSearch
from fabriek.knowledge.search.finding import PAGE_MAX, Finding, Findings

FIX = "fabriek catalogue saved"


@dataclass(frozen=True, slots=True)
class Kept:
    """A search, how many it finds of the first hundred, and how many of those are new since its owner looked."""

    search: SavedSearch
    found: int
    new: int


class SavedSearches:
    """What is new is asked by the rights that one has now."""

    def __init__(self, kept: Searches, finding: Finding, *, clock: Clock, ids: Ids) -> None:
        self._kept, self._finding, self._clock, self._ids = kept, finding, clock, ids

    def save(self, name: str, text: str, filters: Mapping[str, str], *, by: Caller) -> Kept:
        """Keeps it under this name, in place of one's earlier search of the same. Raises InvalidInput."""
        require(by, "knowledge.view")
        chosen = {key: value for key, value in filters.items() if value}
        searches.check(name, text, chosen)
        with self._kept.transaction(alone=f"searches:{by.person}"):
            mine = {one.name: one for one in self._kept.of(by.person)}
            if name.strip() not in mine and len(mine) >= SEARCHES_MAX:
                raise InvalidInput(f"one keeps at most {SEARCHES_MAX} searches", fix="fabriek catalogue forget NAME")
            known = mine.get(name.strip())
            made = SavedSearch(
                known.id if known else self._ids.new("sch"), by.person, name.strip(), text.strip(), chosen, self._clock.now()
            )  # fmt: skip
            self._kept.put(made)
        return self._looked(made, self._found(made, by))

    def names(self, *, by: Caller) -> Sequence[str]:
        """Without looking what is new, which asks as many questions as one keeps."""
        require(by, "knowledge.view")
        return [one.name for one in self._kept.of(by.person)]

    def list(self, *, by: Caller) -> Sequence[Kept]:
        """By name, each with what is new in it."""
        require(by, "knowledge.view")
        return [self._looked(one, self._found(one, by)) for one in self._kept.of(by.person)]

    def look(self, name: str, *, by: Caller) -> tuple[Kept, Findings]:
        """What it finds now, by words; from now on nothing of it is new. Raises NotFound."""
        mine = self._mine(name, by)
        found = self._found(mine, by)
        with self._kept.transaction(alone=f"searches:{by.person}"):
            self._kept.put(replace(mine, looked_at=self._clock.now()))
        return self._looked(mine, found), found

    def forget(self, name: str, *, by: Caller) -> None:
        """Raises NotFound."""
        with self._kept.transaction(alone=f"searches:{by.person}"):
            self._kept.remove(self._mine(name, by).id)

    def _mine(self, name: str, by: Caller) -> SavedSearch:
        require(by, "knowledge.view")
        found = next((one for one in self._kept.of(by.person) if one.name == name), None)
        if found is None:
            raise NotFound("you keep no such search", fix=FIX)
        return found

    def _found(self, search: SavedSearch, by: Caller) -> Findings:
        # What is near in meaning is always there, and would always be new.
        return self._finding.search(search.text, filters=search.filters, limit=PAGE_MAX, by_meaning=False, by=by)

    def _looked(self, search: SavedSearch, found: Findings) -> Kept:
        hits = () if found.loose else found.hits  # some of the words are not what was asked for
        return Kept(search, len(hits), sum(hit.entry.published_at > search.looked_at for hit in hits))
