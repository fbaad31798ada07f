"""A version's manifest with some files more: the pages in which none of them has its place are kept as they are, most of them unread."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge

from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.pages import Growing, Keep, Page, Ref
from fabriek.sealing.paths import rank


@dataclass(frozen=True, slots=True)
class Added:
    """`left`: objects of the version before that this one does not use, its outermost page's own left out."""

    root: Page
    left: frozenset[str]


def added(book: Book, fresh: Mapping[str, File], keep: Keep) -> Added:
    """The same tree that all of these files would make, those of `fresh` in place of others of the same path. keep: called for new pages.

    Every page is read only where a file takes another one's place, to see what is used no more. Raises Damaged, and InvalidInput where a
    path is a file's and a folder's.
    """
    return _Adding(book, fresh, keep).all()


class _Adding:
    def __init__(self, book: Book, fresh: Mapping[str, File], keep: Keep) -> None:
        self._book, self._fresh, self._keep = book, fresh, keep
        self._coming = sorted(fresh.values(), key=_rank)[::-1]
        self._growing = Growing(self._kept_or_new)
        self._pages: dict[str, Part] = {}
        self._packs, self._kept, self._replaced = set[str](), set[str](), set[str]()

    def all(self) -> Added:
        if self._book.root.level == 0:
            self._feed(self._book.root, "")
        else:
            for above, ref, following in self._leaves():
                border = rank(following.first) if following else ""
                falls_here = bool(self._coming) and (not border or _rank(self._coming[-1]) < border)
                if falls_here or not self._growing.is_at_border or ref is above.refs[-1]:
                    self._feed(self._book.below(above, ref), border)
                else:
                    self._growing.add_page(ref)
                    self._kept.add(ref.part.object_id)
        root = self._growing.finish()
        return Added(root, frozenset((self._packs - self._kept) | self._unused()))

    def _feed(self, page: Page, border: str) -> None:
        """Its files, and what comes before the page behind it; at the end (no border) all that is left."""
        coming = list[File]()
        while self._coming and (not border or _rank(self._coming[-1]) < border):
            coming.append(self._coming.pop())
        held = list[File]()
        for file in page.files:
            if file.path in self._fresh:
                self._replaced.update(part.object_id for part in file.parts if part.object_id)
            else:
                held.append(file)
        for file in merge(held, coming, key=_rank):
            self._growing.add(file)

    def _leaves(self) -> Iterator[tuple[Page, Ref, Ref | None]]:
        """(page above, page of files, the one behind it)."""
        found = ((above, ref) for above in self._book.pages_above(self._know) for ref in above.refs)
        last: tuple[Page, Ref] | None = None
        for here in found:
            if last is not None:
                yield *last, here[1]
            last = here
        if last is not None:
            yield *last, None

    def _unused(self) -> set[str]:
        """Of the objects of files that others took the place of, those in which nothing else lies."""
        left = set(self._replaced)
        for file in self._book.files() if left else ():
            if file.path not in self._fresh:
                left.difference_update(part.object_id for part in file.parts)
                if not left:
                    break
        return left

    def _know(self, ref: Ref) -> None:
        self._packs.add(ref.part.object_id)
        self._pages[ref.sha256] = ref.part

    def _kept_or_new(self, page: Page, sha256: str) -> Part:
        known = self._pages.get(sha256)
        if known is None:
            return self._keep(page, sha256)
        self._kept.add(known.object_id)
        return known


def _rank(file: File) -> str:
    return rank(file.path)
