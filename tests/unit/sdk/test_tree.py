"""Folders, made from the paths of files."""

import pytest

from fabriek.sdk.tree import entries, find, tree_of
from fabriek.sealing.manifest import File


def a_file(path: str, link: str = "") -> File:
    return File(path, 0o644, 0, "", (), link)


TREE = tree_of(
    [
        a_file("a/b/file"), a_file("a/first"), a_file("top"),
        a_file("door", "a/b"), a_file("a/back", "../top"), a_file("a/b/up", "../../door/file"),
        a_file("round", "about"), a_file("about", "round"), a_file("broken", "nothing"),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("top", "top"), ("a/b/file", "a/b/file"), ("door/file", "a/b/file"), ("a/back", "top"), ("a/b/up", "a/b/file"),
        ("a//b/./file", "a/b/file"), ("a/b/../first", "a/first"),
    ],
)  # fmt: skip
def test_every_link_on_the_way_is_followed(path: str, leads_to: str) -> None:
    found = find(TREE, path)
    assert isinstance(found, File)
    assert found.path == leads_to


@pytest.mark.parametrize("path", ["nothing", "top/below", "a/nothing", "round", "about/x", "broken", "a/b/file/.."])
def test_what_leads_nowhere_is_nothing(path: str) -> None:
    assert find(TREE, path) is None


def test_a_folder_lists_what_is_in_it_by_name() -> None:
    folder = find(TREE, "a")
    assert isinstance(folder, dict)
    assert [name for name, _ in entries(folder)] == ["b", "back", "first"]
    assert find(TREE, "") is TREE
