"""Files added to a version's tree: the same tree as of all files, at the price of few pages."""

import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.sealing import pages
from fabriek.sealing.adding import added
from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.pages import ROWS_MAX, Page, read_page
from tests.factories.pages import PageStore, a_root

PACK_BYTES = 100_000


class Packs(PageStore):
    """The same store, in several objects."""

    def keep(self, page: Page, sha256: str) -> Part:
        part = super().keep(page, sha256)
        return replace(part, object_id=f"obj_pack{part.offset // PACK_BYTES}")


class More(PageStore):
    """What is new, behind what was there."""

    def __init__(self, before: PageStore) -> None:
        super().__init__()
        self.packed, self.end = dict(before.packed), before.end

    def keep(self, page: Page, sha256: str) -> Part:
        return replace(super().keep(page, sha256), object_id="obj_fresh")


def a_file(path: str, object_id: str, content: str = "a") -> File:
    return File(path, 0o644, 3, content * 64, (Part(object_id, b"k" * 32, 0, 3),))


def objects_of(root: Page, store: PageStore) -> set[str]:
    """All that a tree points at, by reading all of it."""
    found = set(root.objects())
    for ref in root.refs:
        found |= objects_of(read_page(store.read(ref.part)), store)
    return found


def check(held: list[File], fresh: list[File]) -> int:
    """How many pages were read."""
    store, by_path = Packs(), {file.path: file for file in fresh}
    root = a_root(held, store)
    more = More(store)
    book = Book(root, more.read)
    made = added(book, by_path, more.keep)
    reads = more.reads
    whole = a_root([*(file for file in held if file.path not in by_path), *fresh], PageStore())
    assert (made.root.sha256(), made.root.count, made.root.level) == (whole.sha256(), whole.count, whole.level)
    after = {file.path: file for file in Book(made.root, more.read).files()}
    assert after == {file.path: file for file in held} | by_path
    assert made.left == objects_of(root, store) - objects_of(made.root, more)
    return reads


def check_some(seed: int, count: int, more: int, replaced: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    paths = {f"{dice.randrange(9)}/{dice.getrandbits(40):x}" for _ in range(count)}
    held = [a_file(path, f"obj_{dice.randrange(50)}") for path in paths]
    fresh = {f"{dice.randrange(11)}/{dice.getrandbits(40):x}" for _ in range(more)}
    fresh |= set(dice.sample(sorted(paths), min(len(paths), replaced)))
    check(held, [a_file(path, "obj_mine", "b") for path in fresh])


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 6_000), more=st.integers(1, 40), replaced=st.integers(0, 5))
def test_the_tree_is_the_one_of_all_files_and_what_is_left_is_what_it_does_not_use(
    seed: int, count: int, more: int, replaced: int
) -> None:
    check_some(seed, count, more, replaced)


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 400), more=st.integers(1, 9), replaced=st.integers(0, 3))
@example(seed=3386, count=8, more=2, replaced=0)  # nine levels
def test_so_it_is_in_a_tree_of_many_levels(seed: int, count: int, more: int, replaced: int) -> None:
    """Of small pages, many of which end for their length. Paths border pages on 16 levels then, where with pages as they are it is 4."""
    with pytest.MonkeyPatch.context() as small:
        small.setattr(pages, "BITS", 2)
        small.setattr(pages, "ROWS_MAX", 7)
        small.setattr(pages, "LEVELS_MAX", 18)
        check_some(seed, count, more, replaced)


def test_pages_that_ended_for_their_length_find_back_to_where_they_end(world_without_borders: list[str]) -> None:
    paths = world_without_borders
    held = [a_file(path, "obj_1") for path in paths]
    for fresh in (["a"], [f"{paths[ROWS_MAX]}x"], ["zzz"], [paths[7]]):
        check(held, [a_file(path, "obj_mine", "b") for path in fresh])


@pytest.fixture(scope="module")
def world_without_borders() -> list[str]:
    """Paths of which hardly any ends a page by itself."""
    from hashlib import sha256  # noqa: PLC0415  # beside its one use

    return [path for path in (f"f{number:06d}" for number in range(9_000)) if sha256(path.encode()).digest()[0]]


def test_a_file_more_reads_few_of_many_pages() -> None:
    held = [a_file(f"{number % 13}/{number:06d}", f"obj_{number % 7}") for number in range(60_000)]
    assert check(held, [a_file("5/new", "obj_mine")]) <= 4
    assert check(held, [a_file("5/new", "obj_mine"), a_file("a", "obj_mine"), a_file("z", "obj_mine")]) <= 8


def test_where_one_takes_the_place_of_another_only_what_nothing_else_uses_is_left() -> None:
    alone = [a_file("a", "obj_one"), a_file("b", "obj_two"), a_file("c", "obj_two")]
    store = PageStore()
    root = a_root(alone, store)
    for fresh, left in (("a", {"obj_one"}), ("b", set()), ("d", set())):
        assert added(Book(root, store.read), {fresh: a_file(fresh, "obj_mine")}, store.keep).left == left


def test_a_path_that_is_a_file_and_a_folder_is_refused_on_both_sides_of_a_page() -> None:
    held = [a_file(f"{number:05d}/x", "obj_1") for number in range(3_000)]
    store = PageStore()
    root = a_root(held, store)
    borders = [ref.first for ref in root.refs]
    assert len(borders) > 4
    for path in (*(first.removesuffix("/x") for first in borders), *(f"{first}/y" for first in borders), "00007"):
        with pytest.raises(InvalidInput, match="both a file and a folder"):
            added(Book(root, store.read), {path: a_file(path, "obj_mine")}, store.keep)
