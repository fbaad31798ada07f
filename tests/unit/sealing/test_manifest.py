"""Manifests, their paths, and how files become objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import Damaged, InvalidInput
from fabriek.sealing.manifest import File, Part, make_manifest, read_manifest
from fabriek.sealing.packing import PACK_BYTES, PART_BYTES, SMALL_BYTES, Found, placed, plan
from fabriek.sealing.paths import check_link, check_path


def a_file(path: str, content: str = "a", size: int = 3) -> File:
    return File(path, 0o644, size, content * 64, (Part("obj_1", b"k" * 32, 0, size),))


def found(path: str, size: int, content: str = "") -> Found:
    return Found(path, 0o644, size, content or path)


def test_a_manifest_comes_back_as_it_was() -> None:
    made = make_manifest([a_file("b/c"), a_file("a"), File("link", 0o777, 0, "", (), "b/c")])
    assert read_manifest(made.to_bytes()) == made
    assert [file.path for file in made.files] == ["a", "b/c", "link"]


def test_the_content_hash_forgets_keys_and_objects_and_nothing_else() -> None:
    one = make_manifest([a_file("a")])
    moved = make_manifest([File("a", 0o644, 3, "a" * 64, (Part("obj_9", b"x" * 32, 7, 3),))])
    assert one.content_hash() == moved.content_hash()
    for other in (a_file("b"), a_file("a", "c"), File("a", 0o755, 3, "a" * 64, (Part("obj_1", b"k" * 32, 0, 3),))):
        assert one.content_hash() != make_manifest([other]).content_hash()


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a/./b", "a/", "nul\0", "back\\slash", "x" * 256, "\ud800"],
)
def test_a_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        check_path(path)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a/../../../x", ""])
def test_a_link_that_leads_out_is_refused(target: str) -> None:
    with pytest.raises(InvalidInput):
        check_link("in/here", target)


def test_a_path_twice_or_both_file_and_folder_is_refused() -> None:
    for paths in (["a", "a"], ["a", "a/b"]):
        with pytest.raises(InvalidInput):
            make_manifest([a_file(path) for path in paths])


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"nonsense", b'{"form":"fabriek-manifest-1"}', b'{"form":"x","files":[]}']
)
def test_what_is_not_a_manifest_is_damaged(raw: bytes) -> None:
    with pytest.raises(Damaged):
        read_manifest(raw)


def test_a_manifest_whose_parts_do_not_make_up_the_file_is_damaged() -> None:
    whole = make_manifest([a_file("a")]).to_bytes()
    with pytest.raises(Damaged):
        read_manifest(whole.replace(b'"size":3', b'"size":4'))


def test_small_files_share_an_object_and_large_ones_are_cut() -> None:
    made = plan([found(f"s{number}", 1000) for number in range(5)] + [found("large", 2 * PART_BYTES + 1)], None)
    assert [len(pieces) for pieces in made.objects] == [1, 1, 1, 5]
    assert [piece.length for pieces in made.objects[:3] for piece in pieces] == [PART_BYTES, PART_BYTES, 1]


def test_what_the_parent_holds_and_what_stands_twice_is_sent_once() -> None:
    first = plan([found("a", 10, "same"), found("b", 10, "same"), found("empty", 0)], None)
    assert first.bytes_to_send == 10
    parent = placed(first, [("obj_1", b"k" * 32)])
    again = plan([found("renamed", 10, "same"), found("new", 20)], parent)
    assert again.bytes_to_send == 20
    assert again.kept[0].parts == parent.files[0].parts


@given(sizes=st.lists(st.integers(0, 3 * SMALL_BYTES), max_size=30))
def test_every_byte_has_exactly_one_place(sizes: list[int]) -> None:
    files = [found(f"f{number}", size, f"content {number}") for number, size in enumerate(sizes)]
    made = plan(files, None)
    manifest = placed(made, [(f"obj_{number}", b"k" * 32) for number in range(len(made.objects))])
    assert [file.size for file in manifest.files] == [
        sum(part.length for part in file.parts) for file in manifest.files
    ]
    assert all(sum(piece.length for piece in pieces) <= PACK_BYTES or len(pieces) == 1 for pieces in made.objects)
