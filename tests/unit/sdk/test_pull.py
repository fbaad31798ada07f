"""What a pull refuses to place, and what it tells of a folder that is not empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.journal import Journal
from fabriek.sdk.push import commit_files, open_upload
from fabriek.sdk.vault import Vault
from fabriek.sealing.manifest import File, make_manifest
from tests.factories.vault import Doors, World

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
