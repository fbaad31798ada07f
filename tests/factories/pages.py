"""Pages of manifests, made and kept in memory."""

from collections.abc import Iterable

from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File, Part, make_manifest
from fabriek.sealing.pages import Growing, Page, write_page


class PageStore:
    """Where pages lie: `packed` by the offset that their part says, `read` counts."""

    def __init__(self) -> None:
        self.packed: dict[int, bytes] = {}
        self.end = self.reads = 0

    def keep(self, page: Page, _sha256: str) -> Part:
        packed = write_page(page)
        part = Part("obj_1", b"k" * 32, self.end, len(packed))
        self.packed[self.end] = packed
        self.end += len(packed)
        return part

    def read(self, part: Part) -> bytes:
        self.reads += 1
        whole = b"".join(self.packed[offset] for offset in sorted(self.packed))
        return whole[part.offset : part.offset + part.length]


def a_root(files: Iterable[File], store: PageStore) -> Page:
    """The outermost page; the others are in the store. The files in any order."""
    growing = Growing(store.keep)
    for file in make_manifest(files).files:
        growing.add(file)
    return growing.finish()


def a_book(files: Iterable[File], store: PageStore | None = None) -> Book:
    kept = store or PageStore()
    return Book(a_root(files, kept), kept.read)
