"""Manifests in pages: where they end, what they say, and what is not believed."""

import hashlib
import json
import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.sealing import pages
from fabriek.sealing.digests import BLOCK_BYTES, digest_of, zeros_hash
from fabriek.sealing.manifest import File, Part, make_manifest
from fabriek.sealing.pages import (
    ROWS_MAX,
    Page,
    content_hash,
    read_files,
    read_page,
    read_root,
    write_files,
    write_page,
)
from fabriek.sealing.paths import check_link, check_path, rank
from tests.factories.pages import PageStore, a_book, a_root


def a_file(path: str, content: str = "a", size: int = 3) -> File:
    return File(path, 0o644, size, content * 64, (Part("obj_1", b"k" * 32, 0, size),))


def many(count: int) -> list[File]:
    return [a_file(f"{number % 13}/{number:06d}") for number in range(count)]


def a_large_file(path: str = "large") -> File:
    """Data, a hole over the whole second block, and a little more data."""
    blocks = ("a" * 64, zeros_hash(2 * BLOCK_BYTES + 5, 1), "b" * 64)
    parts = (Part("obj_1", b"k" * 32, 0, BLOCK_BYTES), Part("", b"", 0, BLOCK_BYTES), Part("obj_2", b"l" * 32, 0, 5))
    return File(path, 0o644, 2 * BLOCK_BYTES + 5, digest_of(blocks), parts, "", blocks)


def a_vast_file(path: str, count: int) -> File:
    """Of so many blocks, each in an object of its own."""
    blocks = tuple(hashlib.sha256(f"{path} {number}".encode()).hexdigest() for number in range(count))
    parts = tuple(
        Part(f"obj_{path}x{number:020d}", blocks[number].encode()[:32], 0, BLOCK_BYTES) for number in range(count)
    )
    return File(path, 0o644, count * BLOCK_BYTES, digest_of(blocks), parts, "", blocks)


def test_a_page_comes_back_as_it_was() -> None:
    files = make_manifest([a_file("b/c"), a_file("a"), File("link", 0o777, 0, "", (), "b/c"), a_large_file()]).files
    assert read_page(write_page(Page(0, files=files))).files == files
    assert [file.path for file in files] == ["a", "b/c", "large", "link"]
    assert read_files(write_files(make_manifest(files))).files == files


def test_a_hole_block_takes_no_room_in_its_row() -> None:
    row = json.loads(zlib.decompress(write_page(Page(0, files=(a_large_file(),)))))["rows"][0]
    assert row[4] == [[0, 0, BLOCK_BYTES], [-1, 0, BLOCK_BYTES], [1, 0, 5]]
    assert row[5] == ["a" * 64, "", "b" * 64]


def test_what_lies_in_a_folder_stands_together() -> None:
    paths = sorted(["a", "a-b", "a!", "b/x", "b", "b-c", "b/a/z"], key=rank)
    assert paths == ["a", "a!", "a-b", "b", "b/a/z", "b/x", "b-c"]


def test_the_content_hash_forgets_keys_and_objects_and_nothing_else() -> None:
    one = content_hash([a_file("a")])
    assert one == content_hash([File("a", 0o644, 3, "a" * 64, (Part("obj_9", b"x" * 32, 7, 3),))])
    for other in (a_file("b"), a_file("a", "c"), File("a", 0o755, 3, "a" * 64, (Part("obj_1", b"k" * 32, 0, 3),))):
        assert one != content_hash([other])
    large = a_large_file()
    assert content_hash([large]) == content_hash([replace(large, parts=(Part("obj_7", b"m" * 32, 0, large.size),))])


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 3_000))
def test_all_files_come_back_in_order_from_any_number_of_pages(seed: int, count: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    files = make_manifest(
        {
            path: a_file(path) for path in (f"{dice.randrange(99)}/{dice.getrandbits(40):x}" for _ in range(count))
        }.values()
    ).files
    book = a_book(files)
    assert tuple(book.files()) == files
    assert (book.count, book.size_bytes) == (len(files), 3 * len(files))
    assert book.root.sha256() == content_hash(files)
    for file in files[:: max(1, count // 20)]:
        assert book.find(file.path) == file
        assert next(book.files(rank(file.path))) == file


def test_one_changed_added_or_removed_file_changes_few_pages() -> None:
    files = make_manifest(many(20_000)).files
    store = PageStore()
    a_root(files, store)
    before = set(store.packed.values())
    assert len(before) > 40
    for changed in (
        [*files[:7_000], replace(files[7_000], mode=0o755), *files[7_001:]],
        [*files, a_file("5/new")],
        [*files[:9_000], *files[9_001:]],
    ):
        again = PageStore()
        a_root(changed, again)
        assert len(set(again.packed.values()) - before) <= 2


def test_a_page_never_has_more_rows_than_its_limit() -> None:
    """Whatever the paths are: here none that ends a page by itself."""
    paths = (f"f{number:07d}" for number in range(40_000))
    files = [a_file(path) for path in paths if hashlib.sha256(path.encode()).digest()[0]]
    store = PageStore()
    root = a_root(files, store)
    pages = [read_page(packed) for packed in store.packed.values()]
    assert max(len(page.files) for page in pages) == ROWS_MAX
    assert root.count == len(files)


def test_a_page_of_very_large_files_ends_before_nobody_would_unpack_it() -> None:
    """Of 1 TB each: what is said of forty of them in one page would take more than a page may."""
    files = [a_vast_file(f"{number:02d}", 14_902) for number in range(6)]
    store = PageStore()
    root = a_root(files, store)
    assert [ref.files for ref in root.refs] == [2, 2, 2]
    assert [file.path for file in a_book(files).files()] == [file.path for file in files]
    assert root.sha256() == content_hash(files)


def test_a_page_that_nobody_would_unpack_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES_MAX", pages.PAGE_BYTES_MAX // 16)  # as much work less
    vast = [a_vast_file(f"{number}", 2**12) for number in range(7)]
    with pytest.raises(InvalidInput) as refused:
        write_page(Page(0, files=tuple(vast)))
    assert "cut the largest files" in refused.value.fix
    assert read_page(write_page(Page(0, files=tuple(vast[:1])))).count == 1


def test_a_look_at_one_path_reads_one_page_of_each_level() -> None:
    store = PageStore()
    book = a_book(many(20_000), store)
    assert book.root.level == 1
    assert book.find("5/000005") is not None
    assert book.find("5/000005x") is None
    assert store.reads == 1


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a/./b", "a/", "nul\0", "back\\slash", "x" * 256, "\ud800"],
)
def test_a_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        check_path(path)


@settings(deadline=None, max_examples=500)
@given(
    st.text(alphabet="aZ9_-./\\é\0 \n", max_size=12)
    | st.sampled_from(["a" * 255, "a" * 256, "a/" * 200 + "b", "é" * 128])
)
def test_a_path_is_plain_by_its_names_however_usual_it_looks(path: str) -> None:
    names = path.split("/")
    is_plain = not any(name in {"", ".", ".."} or len(name.encode()) > 255 for name in names)
    if is_plain and not set(path) & {"\0", "\\"}:
        assert check_path(path) == path
    else:
        with pytest.raises(InvalidInput):
            check_path(path)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a/../../../x", ""])
def test_a_link_that_leads_out_is_refused(target: str) -> None:
    with pytest.raises(InvalidInput):
        check_link("in/here", target)


def test_a_path_twice_or_both_file_and_folder_is_refused() -> None:
    for paths in (["a", "a"], ["a", "a/b"], ["a", "a-b", "a/b/c"]):
        with pytest.raises(InvalidInput):
            make_manifest([a_file(path) for path in paths])


KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


def packed(**changed: object) -> bytes:
    said = {"form": "fabriek-page-1", "level": 0, "objects": [["obj_1", KEY]],
            "rows": [["a", 420, 3, "a" * 64, [[0, 0, 3]]]]} | changed  # fmt: skip
    return zlib.compress(json.dumps(said).encode())


WRONG = {
    "empty": b"", "not packed": b"{}", "no form": packed(form="x"), "level": packed(level=9), "a level below": packed(level=-1),
    "no rows": packed(rows=None), "size": packed(rows=[["a", 420, 4, "a" * 64, [[0, 0, 3]]]]),
    "object": packed(rows=[["a", 420, 3, "a" * 64, [[1, 0, 3]]]]), "offset": packed(rows=[["a", 420, 3, "a" * 64, [[0, -1, 3]]]]),
    "number": packed(rows=[["a", 420, 3, "a" * 64, [[-2, 0, 3]]]]), "key": packed(objects=[["obj_1", "not base64"]]),
    "blocks of a small file": packed(rows=[["a", 420, 3, "a" * 64, [[0, 0, 3]], ["a" * 64]]]),
    "no blocks": packed(rows=[["a", 420, BLOCK_BYTES + 1, "a" * 64, [[0, 0, BLOCK_BYTES + 1]]]]),
    "blocks that are not the file's": packed(rows=[["a", 420, BLOCK_BYTES + 1, "a" * 64, [[0, 0, BLOCK_BYTES + 1]], ["b" * 64, "c" * 64]]]),
    "two pages": packed() + packed(), "cut": packed()[:-3], "a page nowhere": packed(level=1, rows=[["a", -1, 0, 1, "a" * 64, 1, 1]]),
    "deep": zlib.compress(b"[" * 100_000), "no pages": packed(level=1, rows=[]), "rows of a name": packed(rows={"a": 1}),
    "a short key": packed(objects=[["obj_1", "a2tr"]]), "a key that is no text": packed(objects=[["obj_1", 7]]),
    "an object that leads out": packed(objects=[["../obj_1", KEY]]), "an object with half a character": packed(objects=[["obj_\ud800", KEY]]),
    "a level in words": packed(level="0"), "a broken level": packed(level=0.0),
    "a path that is no text": packed(rows=[[7, 420, 3, "a" * 64, [[0, 0, 3]]]]),
    "a broken mode": packed(rows=[["a", 420.0, 3, "a" * 64, [[0, 0, 3]]]]),
    "a broken size": packed(rows=[["a", 420, 3.0, "a" * 64, [[0, 0, 3]]]]),
    "a true size": packed(rows=[["a", 420, True, "a" * 64, [[0, 0, 1]]]]),
    "a broken offset": packed(rows=[["a", 420, 3, "a" * 64, [[0, 0.5, 3]]]]),
    "a broken length": packed(rows=[["a", 420, 3, "a" * 64, [[0, 0, 3.0]]]]),
    "a hole that is broken": packed(rows=[["a", 420, 3, "a" * 64, [[-1.0, 0, 3]]]]),
    "a hash of half a character": packed(rows=[["a", 420, 3, "\ud800", [[0, 0, 3]]]]),
    "a hash in capitals": packed(rows=[["a", 420, 3, "A" * 64, [[0, 0, 3]]]]),
    "a hash that is none": packed(rows=[["a", 420, 3, None, [[0, 0, 3]]]]), "a short hash": packed(rows=[["a", 420, 3, "aa", [[0, 0, 3]]]]),
    "a block's hash with spaces": packed(rows=[["a", 420, BLOCK_BYTES + 1, digest_of(["a" * 64, "b" * 64]), [[0, 0, BLOCK_BYTES + 1]],
                                                [" ".join(["a" * 32] * 2), "b" * 64]]]),
    "a target of half a character": packed(rows=[["a", 511, 0, "", "\ud800"]]), "a link to nothing": packed(rows=[["a", 511, 0, "", ""]]),
    "a page with a broken count": packed(level=1, rows=[["a", 0, 0, 1, "a" * 64, 1.0, 1]]),
    "a page with a broken size": packed(level=1, rows=[["a", 0, 0, 1, "a" * 64, 1, 1.5]]),
    "a page with a count beyond": packed(level=1, rows=[["a", 0, 0, 1, "a" * 64, 2**60, 1]]),
    "pages with counts beyond together": packed(level=1, rows=[[name, 0, 0, 1, "a" * 64, 2**51, 1] for name in "abc"]),
    "pages with sizes beyond together": packed(level=1, rows=[[name, 0, 0, 1, "a" * 64, 1, 2**51] for name in "abc"]),
    "a page with a hash of half a character": packed(level=1, rows=[["a", 0, 0, 1, "\ud800", 1, 1]]),
    "a page whose path is no text": packed(level=1, rows=[[None, 0, 0, 1, "a" * 64, 1, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_page_is_damaged(name: str) -> None:
    with pytest.raises(Damaged):
        read_page(WRONG[name])


@pytest.mark.parametrize(
    "rows",
    [
        [["../a", 420, 0, "a" * 64, []]],
        [["a", 511, 0, "", "../../etc/passwd"]],
        [["b", 420, 0, "a" * 64, []], ["a", 420, 0, "a" * 64, []]],
        [["a", 420, 0, "a" * 64, []], ["a/b", 420, 0, "a" * 64, []]],
    ],
)
def test_paths_that_escape_or_stand_wrong_are_refused(rows: object) -> None:
    with pytest.raises(InvalidInput):
        read_page(packed(rows=rows))


def test_a_page_that_unpacks_to_more_than_a_page_may_is_damaged() -> None:
    with pytest.raises(Damaged):
        read_page(zlib.compress(b" " * (65 * 2**20)))


def test_an_outermost_page_that_is_not_what_the_record_says_is_not_believed() -> None:
    root = Page(0, files=make_manifest([a_file("a"), a_file("b")]).files)
    packed = write_page(root)
    assert read_root(packed, root.sha256(), 2, 6) == root
    for said in ((content_hash([a_file("a")]), 2, 6), (root.sha256(), 3, 6), (root.sha256(), 2, 7), (None, None, None)):
        with pytest.raises(Damaged, match="its record"):
            read_root(packed, *said)


def test_a_page_of_another_place_or_version_is_not_believed() -> None:
    store = PageStore()
    book = a_book(many(5_000), store)
    offsets = sorted(store.packed)
    first, second = store.packed[offsets[0]], store.packed[offsets[1]]
    for swapped in (second, write_page(Page(0, files=(a_file("0/000000", "f"),)))):
        store.packed[offsets[0]] = swapped[: len(first)].ljust(len(first), b"\0")
        with pytest.raises(Damaged):
            list(book.files())
    store.packed[offsets[0]] = first
    assert len(list(book.files())) == 5_000
