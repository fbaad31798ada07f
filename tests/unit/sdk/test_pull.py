"""What a pull refuses to place, and what it tells of a folder that is not empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.sdk import pull
from fabriek.sdk.journal import Journal
from fabriek.sdk.push import commit_files, open_upload
from fabriek.sdk.vault import Vault
from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File, make_manifest
from tests.factories.vault import Doors, World
from tests.unit.sdk.test_pushing import a_folder, contents

UP, THROUGH = ("x/y/a", "../.."), ("x/y/b", "a/../..")
"""Each alone stays in the folder; together the second leads out of it."""


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own memory, for this test alone."""
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "client" / "context.json"))


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as served:
        yield served


@pytest.fixture
def vault(doors: Doors) -> Vault:
    found = doors.vault("hanna")
    found.create("links")
    return found


def pushed(doors: Doors, *links: tuple[str, str]) -> None:
    """A version of these links, by a client that does not look where they lead together."""
    client = doors.client("hanna")
    upload = open_upload(client, doors.vault("hanna").show("links"), "", Journal())
    files = [File(path, 0o777, 0, "", (), target) for path, target in links]
    commit_files(client, upload, make_manifest(files))


def links_below(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_symlink()}


def test_a_link_through_another_link_of_its_version_is_refused(doors: Doors, vault: Vault, tmp_path: Path) -> None:
    pushed(doors, UP, THROUGH)
    with pytest.raises(InvalidInput, match="leads through another link"):
        vault.pull("links", tmp_path / "out")
    assert links_below(tmp_path / "out") == set()


@pytest.mark.parametrize(("first", "second"), [(UP, THROUGH), (THROUGH, UP)])
@pytest.mark.parametrize("overwrite", [False, True])
def test_two_versions_in_one_folder_make_no_way_out_of_it(
    doors: Doors, vault: Vault, tmp_path: Path, first: tuple[str, str], second: tuple[str, str], *, overwrite: bool
) -> None:
    pushed(doors, first)
    pushed(doors, second)
    out = vault.pull("links@1", tmp_path / "out")
    with pytest.raises(InvalidInput, match="through"):
        vault.pull("links@2", out, overwrite=overwrite)
    assert links_below(out) == {first[0]}


@pytest.mark.parametrize(("first", "second"), [(UP, THROUGH), (THROUGH, UP)])
def test_two_parts_of_a_version_in_one_folder_make_no_way_out_of_it(
    doors: Doors, vault: Vault, tmp_path: Path, first: tuple[str, str], second: tuple[str, str]
) -> None:
    pushed(doors, UP, THROUGH)
    out = vault.pull("links", tmp_path / "out", paths=[first[0]])
    with pytest.raises(InvalidInput, match="through"):
        vault.pull("links", out, paths=[second[0]])
    assert links_below(out) == {first[0]}


def test_a_link_that_was_there_is_left_and_stands_in_the_way_of_one_through_it(
    doors: Doors, vault: Vault, tmp_path: Path
) -> None:
    """Both are in the second version, and the first of them is not fetched again."""
    pushed(doors, UP)
    pushed(doors, UP, THROUGH)
    out = vault.pull("links@1", tmp_path / "out")
    with pytest.raises(InvalidInput, match="leads through another link"):
        vault.pull("links@2", out)
    assert links_below(out) == {UP[0]}


def test_links_that_stand_in_a_folder_hinder_none_that_do_not_meet_them(
    doors: Doors, vault: Vault, tmp_path: Path
) -> None:
    """Those that lead out of it are its owner's, and one that is replaced leads nowhere any more."""
    pushed(doors, THROUGH)
    pushed(doors, UP, ("x/y/b", "f"))
    out = vault.pull("links@1", tmp_path / "out")
    (out / "mine").symlink_to("/etc")
    (out / "up").symlink_to("../elsewhere")
    vault.pull("links@2", out, overwrite=True)
    assert links_below(out) == {"mine", "up", *(path for path, _ in (UP, THROUGH))}
    assert (out / "x" / "y" / "b").readlink() == Path("f")


MANY = {f"{number % 11}/{number:05d}": b"%d" % number for number in range(3_000)}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pages were read at a time, in runs and alone."""
    found, run, page = list[int](), Book._run, Book._page

    def counted_run(self: Book, above: object, refs: list[object]) -> Iterator[object]:
        found.append(len(refs))
        yield from run(self, above, refs)  # type: ignore[arg-type]  # as they came

    def counted_page(self: Book, above: object, ref: object) -> object:
        kept = len(self._kept)
        got = page(self, above, ref)  # type: ignore[arg-type]  # as they came
        if len(self._kept) > kept:
            found.append(1)
        return got

    monkeypatch.setattr(Book, "_run", counted_run)
    monkeypatch.setattr(Book, "_page", counted_page)
    return found


def test_a_folder_of_few_files_has_the_manifest_read_about_once(vault: Vault, tmp_path: Path, read: list[int]) -> None:
    vault.push(a_folder(tmp_path / "in", MANY), "many")
    out = a_folder(tmp_path / "out", {"README": b"mine", "3/own": b"mine"})
    with vault.opened("many") as version:
        pages = len(version.book.root.refs)
    assert pages > 6, "or it shows nothing"
    read.clear()
    pulled = vault.fetch("many", out)
    assert (pulled.files, pulled.kept, pulled.kept_files) == (3_000, (), 0)
    assert pages <= sum(read) <= pages + 4
    assert contents(out) == MANY | {"README": b"mine", "3/own": b"mine"}


def test_what_was_kept_is_counted_and_the_first_paths_are_told(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "KEPT_TOLD_MAX", 2)
    vault.push(a_folder(tmp_path / "in", dict.fromkeys("abcd", b"theirs")), "few")
    pulled = vault.fetch("few", a_folder(tmp_path / "out", dict.fromkeys("abc", b"mine")))
    assert (pulled.files, pulled.kept, pulled.kept_files) == (1, ("a", "b"), 3)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("standing", "paths", "is_in_the_way"),
    [
        ({"a": b""}, [], "not a folder"),
        ({"a": b""}, ["a/b"], "not a folder"),
        ({"a": b""}, ["a/b/c"], "not a folder"),
        ({"a": b""}, ["f"], ""),
        ({"a/b/c/d": b""}, [], "a folder"),
        ({"a/b/c/d": b""}, ["a/"], "a folder"),
        ({"a/b/c/d": b""}, ["f"], ""),
        ({"a/other/c": b"", "ab": b"", "f2/f": b""}, [], ""),
    ],
)
def test_what_is_in_the_way_is_said_before_anything_is_fetched(
    vault: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    standing: dict[str, bytes],
    paths: list[str],
    is_in_the_way: str,
    *,
    overwrite: bool,
) -> None:
    vault.push(a_folder(tmp_path / "in", {"a/b/c": b"c", "f": b"f"}), "way")
    out, fetched, real = a_folder(tmp_path / "out", standing), list[object](), pull.fetch
    monkeypatch.setattr(pull, "fetch", lambda *given: fetched.append(given) or real(*given))  # type: ignore[func-returns-value]
    if not is_in_the_way:
        vault.pull("way", out, paths=paths, overwrite=overwrite)
        assert fetched
        return
    with pytest.raises(InvalidInput, match=f"it is {is_in_the_way}$"):
        vault.pull("way", out, paths=paths, overwrite=overwrite)
    assert not fetched
    assert contents(out) == standing


def test_a_link_in_place_of_a_folder_is_in_the_way(vault: Vault, tmp_path: Path) -> None:
    vault.push(a_folder(tmp_path / "in", {"a/b": b"b"}), "way")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="not a folder"):
        vault.pull("way", tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "elsewhere") == {}
    with pytest.raises(NotFound):
        vault.pull("way", tmp_path / "out", paths=["c"])
