"""What one may do with catalogues elsewhere: add one, read it, look how it is, take it away. What it tells of is found here and opened there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, QuotaExhausted
from fabriek.kernel.ids import Ids
from fabriek.kernel.lines import one_line
from fabriek.knowledge.catalogue import entries
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, Reach
from fabriek.knowledge.catalogue.ports import Entries
from fabriek.knowledge.harvest.graphs import read_graph
from fabriek.knowledge.harvest.ports import Harvests, Sources, Web
from fabriek.knowledge.harvest.reading import PageTold, Told, read_page
from fabriek.knowledge.harvest.sources import (
    LEFT_OUT_TOLD_MAX,
    SOURCES_MAX,
    TROUBLE_CHARACTERS_MAX,
    Harvested,
    Source,
    check_name,
    is_due,
)

T = TypeVar("T")

ACCEPT = "application/ld+json, text/turtle;q=0.9, application/json;q=0.5"
PAGE_BYTES_MAX = 4 * 2**20
PAGES_MAX = 500
ALL_BYTES_MAX = 128 * 2**20
ENTRIES_MAX = 20_000
SECONDS_MAX = 1_800.0
"""For all pages of a source together."""

AT_ONCE = 50
"""Entries that are written in one transaction: others write between."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a source tells of, once it was read to its end."""

    told: Mapping[str, Told]
    left_out: Sequence[str]
    pages: int


class Harvesting:
    """One source at a time can be read by anybody who may; two at once come to the same."""

    def __init__(
        self, sources: Sources, harvests: Harvests, kept: Entries, web: Web, *, base: str, audit: Audit, clock: Clock, ids: Ids
    ) -> None:  # fmt: skip
        """base: where people reach this installation, whose own entries do not come back to it."""
        self._sources, self._harvests, self._entries, self._web = sources, harvests, kept, web
        self._base, self._audit, self._clock, self._ids = base.rstrip("/"), audit, clock, ids

    def add(self, address: str, name: str = "", *, by: Caller) -> Source:
        """A source that is read from now on. Raises InvalidInput, NotPermitted, AlreadyExists, QuotaExhausted."""
        require(by, "knowledge.harvest")
        self._web.check(address)
        called = check_name(name or urlsplit(address).hostname or address)
        made = Source(self._ids.new("src"), address, called, by.organisation, by.person, self._clock.now())
        with self._sources.transaction(alone="knowledge:sources"):
            known = self._sources.all()
            if any(one.address == address for one in known):
                raise AlreadyExists("this catalogue is a source already", fix="fabriek catalogue harvest ls")
            if len(known) >= SOURCES_MAX:
                raise QuotaExhausted(
                    f"there are {SOURCES_MAX} sources at most", limit=SOURCES_MAX, used=len(known), fix="fabriek catalogue harvest rm SOURCE"
                )  # fmt: skip
            self._sources.put(made)
            self._audit.record("source.added", made.id, by)
        return made

    def all(self, *, by: Caller) -> Sequence[Source]:
        """In the order in which they were added."""
        require(by, "knowledge.harvest")
        return self._sources.all()

    def get(self, source_id: str, *, by: Caller) -> Source:
        """Raises NotFound."""
        require(by, "knowledge.harvest")
        return self._sources.get(source_id)

    def due(self, *, by: Caller) -> Sequence[Source]:
        """Those that were not read for a day."""
        require(by, "knowledge.harvest")
        now = self._clock.now()
        return [one for one in self._sources.all() if is_due(one, now)]

    def run(self, source_id: str, *, by: Caller) -> Source:
        """Reads it to its end and then takes over what it says, or nothing of it: how that went stands in the source. Raises NotFound."""
        require(by, "knowledge.harvest")
        source = self._sources.get(source_id)
        begun = self._clock.now()
        try:
            gathered = self._gather(source)
        except FabriekError as error:
            trouble = one_line(error.detail, TROUBLE_CHARACTERS_MAX)
            return self._kept(source, replace(source, tried_at=begun, trouble=trouble), by)
        count = self._take_over(source, gathered)
        return self._kept(
            source,
            replace(
                source, tried_at=begun, good_at=begun, trouble="", entries=count, pages=gathered.pages,
                left_out=tuple(one_line(one, 300) for one in gathered.left_out[:LEFT_OUT_TOLD_MAX]), left_out_count=len(gathered.left_out),
            ),
            by,
        )  # fmt: skip

    def remove(self, source_id: str, *, by: Caller) -> None:
        """With all entries that came from it. Raises NotFound."""
        require(by, "knowledge.harvest")
        source = self._sources.get(source_id)
        for some in _runs(list(self._sources.harvested(source.id).values())):
            self._withdraw(source, some)
        with self._sources.transaction(alone=f"source:{source.id}"):
            for one in self._sources.harvested(source.id).values():  # of a run that went on meanwhile
                self._entries.remove(one.entry)
            self._sources.remove(source.id)
            self._audit.record("source.removed", source.id, by)

    def origin(self, entry_id: str, *, by: Caller) -> tuple[str, str]:
        """(name of the source, address of the page) of an entry from elsewhere. For who was shown the entry. Raises NotFound."""
        require(by, "knowledge.view")
        found = self._harvests.of_entry(entry_id)
        if found is None:
            raise NotFound("there is no such thing, or you may not know of it", fix="fabriek catalogue search")
        return self._sources.get(found.source).name, found.address

    # Reading.

    def _gather(self, source: Source) -> Gathered:
        told, left_out, seen = dict[str, Told](), list[str](), set[str]()
        give_up = self._clock.monotonic() + SECONDS_MAX
        following, size = source.address, 0
        while following:
            if following in seen:
                raise InvalidInput(f"its pages lead in a circle, at {following[:200]}")
            if len(seen) >= PAGES_MAX:
                raise InvalidInput(f"it has more than {PAGES_MAX} pages")
            if self._clock.monotonic() > give_up:
                raise InvalidInput(f"it took more than {SECONDS_MAX / 60:.0f} minutes to read")
            seen.add(following)
            page, count = self._page(following)
            size += count
            if size > ALL_BYTES_MAX:
                raise InvalidInput(f"it has more than {ALL_BYTES_MAX // 2**20} MiB")
            for one in page.datasets:
                if why := self._refused(one, told):
                    left_out.append(f"{one_line(one.identifier, 120)}: {why}")
                else:
                    told[one.identifier] = one
            left_out += page.left_out
            if len(told) + len(left_out) > ENTRIES_MAX:
                raise InvalidInput(f"it tells of more than {ENTRIES_MAX:,} datasets")
            if page.following and urlsplit(page.following)[:2] != urlsplit(following)[:2]:
                raise InvalidInput(f"its next page is at another host: {page.following[:200]}")
            following = page.following
        return Gathered(told, left_out, len(seen))

    def _page(self, address: str) -> tuple[PageTold, int]:
        found = self._web.read(address, accept=ACCEPT, bytes_max=PAGE_BYTES_MAX)
        return read_page(read_graph(found.body, found.media_type, found.url), found.url, found.link), len(found.body)

    def _refused(self, one: Told, told: Mapping[str, Told]) -> str:
        """Why a dataset is not taken over; empty where it is."""
        if one.identifier in told:
            return "another page has this identifier too"
        if self._base and (one.identifier + "/").startswith(f"{self._base}/"):
            return "it is ours, and is here already"
        try:
            entries.check(self._entry(one, "", Source("", "", "", "", "", self._clock.now())))
        except InvalidInput as error:
            return error.detail
        return ""

    # Taking over.

    def _take_over(self, source: Source, gathered: Gathered) -> int:
        """How many there are of it now. What the source names and we cannot read stays as it was."""
        for some in _runs(list(gathered.told.values())):
            with self._sources.transaction(alone=f"source:{source.id}"):
                self._sources.get(source.id)  # taken away meanwhile, it gets nothing more
                known = self._sources.harvested(source.id)
                for one in some:
                    self._put(source, one, known.get(one.identifier))
        unread = {one.partition(": ")[0] for one in gathered.left_out}
        gone = [
            one for name, one in self._sources.harvested(source.id).items()
            if name not in gathered.told and one_line(name, 120) not in unread
        ]  # fmt: skip
        for withdrawn in _runs(gone):
            self._withdraw(source, withdrawn)
        return len(self._sources.harvested(source.id))

    def _put(self, source: Source, told: Told, known: Harvested | None) -> None:
        before = None
        if known is not None:
            with suppress(NotFound):
                before = self._entries.get(known.entry)
        made = self._entry(told, known.entry if known else self._ids.new("crd"), source)
        if told.said_at is None or told.said_at > self._clock.now():
            # A day to come would stand before all others for ever: it counts from when it was first seen.
            made = replace(made, published_at=before.published_at if before else self._clock.now())
        if made != before:
            self._entries.put(made)
        link = Harvested(source.id, told.identifier, made.id, told.address)
        if link != known:
            self._harvests.put(link)

    def _entry(self, told: Told, entry_id: str, source: Source) -> Entry:
        """Its subject names the source too: no source says anything about what is ours, or another's."""
        face = told.face
        return Entry(
            entry_id, EntryKind.ELSEWHERE, f"{source.id}:{told.identifier}", "", source.organisation, "", face.title, face.summary,
            face.licence, face.terms, face.keywords, face.language, face.text, told.said_at or source.added_at, Reach.EVERYONE, face.doi,
            face.authors,
        )  # fmt: skip

    def _withdraw(self, source: Source, some: Sequence[Harvested]) -> None:
        with self._sources.transaction(alone=f"source:{source.id}"):
            for one in some:
                self._entries.remove(one.entry)
            self._harvests.forget(source.id, [one.identifier for one in some])

    def _kept(self, before: Source, after: Source, by: Caller) -> Source:
        with self._sources.transaction(alone=f"source:{before.id}"):
            self._sources.get(before.id)
            self._sources.put(after)
            self._audit.record("source.read", after.id, by, entries=after.entries, good=not after.trouble)
        return after


def _runs(some: Sequence[T]) -> Iterator[Sequence[T]]:
    return (some[at : at + AT_ONCE] for at in range(0, len(some), AT_ONCE))
