"""Folders, seen in the paths of files, however many pages those lie on."""

import hashlib

import pytest

from fabriek.sdk.tree import TOP, Folder, Tree
from fabriek.sealing.manifest import File
from tests.factories.pages import a_book

EMPTY = hashlib.sha256(b"").hexdigest()


def a_file(path: str, link: str = "") -> File:
    return File(path, 0o777 if link else 0o644, 0, "" if link else EMPTY, (), link)


FILES = [
    a_file("a/b/file"), a_file("a/first"), a_file("top"), a_file("a-b"), a_file("a!"),
    a_file("door", "a/b"), a_file("a/back", "../top"), a_file("a/b/up", "../../door/file"),
    a_file("round", "about"), a_file("about", "round"), a_file("broken", "nothing"),
]  # fmt: skip
TREE = Tree(a_book(FILES))
MANY = Tree(a_book([a_file(f"{number % 7}/{number % 50:02d}/{number}") for number in range(9_000)]))


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("top", "top"), ("a/b/file", "a/b/file"), ("door/file", "a/b/file"), ("a/back", "top"), ("a/b/up", "a/b/file"),
        ("a//b/./file", "a/b/file"), ("a/b/../first", "a/first"), ("a-b", "a-b"),
    ],
)  # fmt: skip
def test_every_link_on_the_way_is_followed(path: str, leads_to: str) -> None:
    found = TREE.find(path)
    assert isinstance(found, File)
    assert found.path == leads_to


@pytest.mark.parametrize("path", ["nothing", "top/below", "a/nothing", "round", "about/x", "broken", "a/b/file/.."])
def test_what_leads_nowhere_is_nothing(path: str) -> None:
    assert TREE.find(path) is None


def test_a_folder_lists_what_is_in_it_by_name() -> None:
    folder = TREE.find("a")
    assert isinstance(folder, Folder)
    assert [name for name, _ in TREE.entries(folder)] == ["b", "back", "first"]
    assert TREE.find("") == TOP
    assert [name for name, _ in TREE.entries(TOP)] == ["a", "a!", "a-b", "about", "broken", "door", "round", "top"]


def test_folders_over_many_pages_are_listed_whole_and_every_file_is_found() -> None:
    assert [name for name, _ in MANY.entries(TOP)] == [str(number) for number in range(7)]
    names = [name for name, _ in MANY.entries(Folder("3"))]
    assert names == sorted({f"{number % 50:02d}" for number in range(3, 9_000, 7)})
    listed = {entry.path for name in names for _, entry in MANY.entries(Folder(f"3/{name}"))}
    assert listed == {f"3/{number % 50:02d}/{number}" for number in range(3, 9_000, 7)}
    assert all(MANY.at(path) is not None for path in listed)
    assert MANY.at("3/00/1") is None
