"""The files of a version, read off the pages of its manifest as they are needed."""

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from fabriek.sealing.manifest import File, Part
from fabriek.sealing.pages import Page, Ref, read_below
from fabriek.sealing.paths import Following, rank

PAGES_KEPT = 64
"""Pages in memory for who looks up one path after another: of 256 files on average, some 10 MiB."""

RUN_BYTES_MAX = 2**20
"""Packed pages that are fetched at once by who reads one after another."""

Read = Callable[[Part], bytes]
"""All the bytes of a part, authenticated."""


class Book:
    """Believes of a page only what the page above it says, and of the outermost what it is given. For many threads."""

    def __init__(self, root: Page, read: Read) -> None:
        """root: checked by whoever gives it."""
        self.root, self._read = root, read
        self._kept: OrderedDict[tuple[str, int], Page] = OrderedDict()
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Drops every page but the outermost."""
        with self._lock:
            self._kept.clear()

    @property
    def count(self) -> int:
        return self.root.count

    @property
    def size_bytes(self) -> int:
        return self.root.size_bytes

    def find(self, path: str) -> File | None:
        """The file or link of that path. Opens one page on each level."""
        page, wanted = self.root, rank(path)
        while page.level:
            at = bisect_right(page.refs, wanted, key=_first) - 1
            if at < 0:
                return None
            page = self._page(page, page.refs[at])
        at = bisect_right(page.files, wanted, key=_rank) - 1
        return page.files[at] if at >= 0 and page.files[at].path == path else None

    def files(self, start: str = "") -> Iterator[File]:
        """In the order of their paths, from the first whose rank is not below `start` (itself a rank) on. Holds a page of each level."""
        following = Following()
        for page in self._leaves(self.root, start):
            if page.files:
                following.check(page.files[0].path)
                following.last_of(page.files[-1].path)
            first = bisect_left(page.files, start, key=_rank) if start else 0
            yield from islice(page.files, first, None)

    def pages(self, known: Callable[[Ref], None], start: str = "") -> Iterator[Page]:
        """The pages that hold files, in order. `known` is told of every page but the outermost before it is read."""
        yield from self._leaves(self.root, start, known)

    def pages_above(self, known: Callable[[Ref], None]) -> Iterator[Page]:
        """The pages that hold pages of files, in order; none where there is one page of files. `known` is told of every page below the
        outermost, read or not.
        """
        yield from self._above(self.root, known)

    def below(self, above: Page, ref: Ref) -> Page:
        """One of the pages that a page holds."""
        return self._page(above, ref)

    def _above(self, page: Page, known: Callable[[Ref], None]) -> Iterator[Page]:
        for ref in page.refs:
            known(ref)
        if page.level == 1:
            yield page
        for ref in page.refs if page.level > 1 else ():
            yield from self._above(self._page(page, ref), known)

    def _leaves(self, page: Page, start: str, known: Callable[[Ref], None] = lambda _: None) -> Iterator[Page]:
        if page.level == 0:
            yield page
            return
        first = max(0, bisect_right(page.refs, start, key=_first) - 1)
        if start:
            # Who begins somewhere may want no more than this page, and will come back for it.
            known(page.refs[first])
            yield from self._leaves(self._page(page, page.refs[first]), start, known)
            first += 1
        for run in _runs(page.refs[first:]):
            for ref in run:
                known(ref)
            for below in self._run(page, run):
                yield from self._leaves(below, "", known)

    def _run(self, above: Page, run: Sequence[Ref]) -> Iterator[Page]:
        """Pages that lie one behind the other, fetched together."""
        begin = run[0].part
        together = Part(begin.object_id, begin.key, begin.offset, sum(ref.part.length for ref in run))
        packed, at = memoryview(self._read(together)), 0
        for ref in run:
            yield read_below(above, ref, bytes(packed[at : at + ref.part.length]))
            at += ref.part.length

    def _page(self, above: Page, ref: Ref) -> Page:
        name = (ref.part.object_id, ref.part.offset)
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None:
                self._kept.move_to_end(name)
                return kept
        page = read_below(above, ref, self._read(ref.part))
        with self._lock:
            self._kept[name] = page
            while len(self._kept) > PAGES_KEPT:
                self._kept.popitem(last=False)
        return page


def _runs(refs: Sequence[Ref]) -> Iterator[list[Ref]]:
    run: list[Ref] = []
    end = packed = 0
    for ref in refs:
        part = ref.part
        if (
            run
            and (part.object_id, part.key, part.offset) == (run[0].part.object_id, run[0].part.key, end)
            and packed < RUN_BYTES_MAX
        ):
            run.append(ref)
            packed += part.length
        else:
            if run:
                yield run
            run, packed = [ref], part.length
        end = part.offset + part.length
    if run:
        yield run


def _first(ref: Ref) -> str:
    return rank(ref.first)


def _rank(file: File) -> str:
    return rank(file.path)
