"""The pages of a version's manifest, gone through from any of them on; one page of each level is held.

Which one is said by the number of its row on each level, from the outermost page down: nothing, the outermost itself; (3, 5), the sixth page below
the fourth.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from fabriek.kernel.errors import Damaged, InvalidInput, NotFound
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import Part
from fabriek.sealing.objects import Opener
from fabriek.sealing.pages import Page, read_below, read_root
from fabriek.sealing.paths import rank
from fabriek.vault.care.examining import CHANGED, GONE
from fabriek.vault.datasets import Dataset
from fabriek.vault.ports import Blobs
from fabriek.vault.versions import Facts

MANIFEST = "(the list of its files)"
MISPLACED = "a page of the list of its files is not the one that belongs there"

UNREADABLE = "it cannot be gone through"
"""For a reason that nobody foresaw; the log says which."""

BY_ID = "-"
"""In place of a page in a position: the objects are gone through in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How far the pages of one version are gone through, as a position holds it. `is_broken`: one could not be read, so that what lies below
    it must be looked at by the list. `is_lost`: one names what is not in the list.
    """

    place: tuple[int, ...] = ()
    is_broken: bool = False
    is_lost: bool = False

    @property
    def text(self) -> str:
        marks = ("!" if self.is_broken else "") + ("?" if self.is_lost else "")
        return f"p{marks}{'.'.join(map(str, self.place))}"


def stand_of(text: str) -> Stand:
    """The one that `text` was written from; the beginning for an empty one."""
    numbers = text.lstrip("p!?")
    return Stand(tuple(int(one) for one in numbers.split(".")) if numbers else (), "!" in text, "?" in text)


@dataclass(frozen=True, slots=True)
class Named:
    """An object as a page names it: its key, the first path of the page that lies in it, and how many files of it do, or below it."""

    key: bytes
    path: str
    files: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page that was come to, with its size in bytes as it was packed; or none, with why it cannot be read and which object it lies in.
    That is empty where the object opens, and it is the page that does not belong here.
    """

    place: tuple[int, ...]
    page: Page | None
    packed_bytes: int = 0
    why: str = ""
    object_id: str = ""


class Leaves:
    """For one version and one thread."""

    def __init__(self, blobs: Blobs, dataset: Dataset, facts: Facts, key: bytes) -> None:
        self._blobs, self._dataset, self._facts, self._key = blobs, dataset, facts, key
        self._opened: tuple[str, bytes, Opener] | None = None

    def walk(self, start: tuple[int, ...] = ()) -> Iterator[Leaf]:
        """Each page before those below it, from the one at `start` on; those above that one are read and not given, unless they cannot be."""
        facts = self._facts
        leaf = self._leaf((), Part(facts.manifest, self._key, 0, -1), self._outermost, "")
        if not start or leaf.page is None:
            yield leaf
        if leaf.page is not None and leaf.page.level:
            yield from self._below(leaf.page, (), start, "")

    def named(self, leaf: Leaf) -> dict[str, Named]:
        """The objects that a page names, by id; that of the outermost page with it."""
        page, found = leaf.page, dict[str, Named]()
        if page is None:
            return found
        for file in page.files:
            for object_id, key in {part.object_id: part.key for part in file.parts if part.object_id}.items():
                known = found.get(object_id) or Named(key, file.path, 0)
                found[object_id] = replace(known, files=known.files + 1)
        for ref in page.refs:
            known = found.get(ref.part.object_id) or Named(ref.part.key, MANIFEST, 0)
            found[ref.part.object_id] = replace(known, files=known.files + ref.files)
        if not leaf.place:
            found[self._facts.manifest] = Named(self._key, MANIFEST, page.count)
        return dict(sorted(found.items()))

    def _below(self, above: Page, place: tuple[int, ...], start: tuple[int, ...], end: str) -> Iterator[Leaf]:
        """end: the path that comes after all of these; empty where none does."""
        first = start[0] if start else 0
        for number, ref in enumerate(above.refs[first:], first):
            rest = start[1:] if number == first else ()
            following = above.refs[number + 1].first if number + 1 < len(above.refs) else end
            leaf = self._leaf((*place, number), ref.part, partial(read_below, above, ref), following)
            if not rest or leaf.page is None:
                yield leaf
            if leaf.page is not None and leaf.page.level:
                yield from self._below(leaf.page, leaf.place, rest, following)

    def _leaf(self, place: tuple[int, ...], part: Part, read: Callable[[bytes], Page], end: str) -> Leaf:
        try:
            packed = self._plain(part)
        except NotFound:
            return Leaf(place, None, why=GONE, object_id=part.object_id)
        except Damaged:
            return Leaf(place, None, why=CHANGED, object_id=part.object_id)
        try:
            page = read(packed)
        except (Damaged, InvalidInput):
            return Leaf(place, None, len(packed), why=MISPLACED)
        if end and page.files and rank(page.files[-1].path) >= rank(end):
            return Leaf(place, None, len(packed), why=MISPLACED)
        return Leaf(place, page, len(packed))

    def _outermost(self, packed: bytes) -> Page:
        facts = self._facts
        return read_root(packed, facts.content_hash, facts.files, facts.size_bytes)

    def _plain(self, part: Part) -> bytes:
        """Of a part, or of the whole object where its length is not known. Raises Damaged, NotFound."""
        blobs, name = self._blobs, part.object_id
        if self._opened is None or self._opened[:2] != (name, part.key):

            def read_at(offset: int, count: int) -> bytes:
                return b"".join(blobs.get(name, offset, offset + count))

            context = object_context(self._dataset.organisation, self._dataset.id, name)
            self._opened = name, part.key, Opener(read_at, blobs.size(name), part.key, context)
        opener = self._opened[2]
        return opener.read(part.offset, opener.size if part.length < 0 else part.length)
