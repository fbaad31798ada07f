"""A root is made ready without following anything that its image put there."""

import os
import stat
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.node.images.roots import OURS, make_folder, make_ready, with_variables


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """The job's own files."""
    (tmp_path / "ours").mkdir()
    for name in OURS:
        (tmp_path / "ours" / name).write_text(f"our {name}\n")
    return tmp_path / "ours"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/etc").mkdir(parents=True)
    return tmp_path / "root"


def test_all_that_is_laid_over_a_root_has_its_place(root: Path, etc: Path) -> None:
    make_ready(root, etc, ["/data/cells"])
    assert all((root / name).is_dir() for name in ("dev", "proc", "run", "tmp", "output", "home/job", "data/cells"))
    assert (root / "etc/passwd").read_text() == "our passwd\n"


def test_the_images_own_files_of_etc_stay_beside_ours(root: Path, etc: Path) -> None:
    (root / "etc/os-release").write_text("ID=tiny\n")
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    make_ready(root, etc, [])
    assert (root / "etc/os-release").read_text() == "ID=tiny\n"
    assert "root" not in (root / "etc/passwd").read_text()


def test_no_link_of_an_image_leads_our_hand_out_of_its_root(root: Path, etc: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("the machine's\n")
    (root / "etc/passwd").symlink_to(outside / "passwd")
    (root / "etc/hosts").symlink_to(outside / "new")
    for name in ("output", "home", "tmp", "data", "run"):
        (root / name).symlink_to(outside)
    make_ready(root, etc, ["/data/cells"])
    assert [one.name for one in outside.iterdir()] == ["passwd"]
    assert (outside / "passwd").read_text() == "the machine's\n"
    assert (root / "data/cells").is_dir()
    assert not (root / "data").is_symlink()


def test_where_etc_itself_is_a_link_the_job_finds_our_files_alone(root: Path, etc: Path, tmp_path: Path) -> None:
    (root / "etc").rmdir()
    (root / "etc").symlink_to(tmp_path)
    make_ready(root, etc, [])
    assert sorted(one.name for one in (root / "etc").iterdir()) == sorted(OURS)


def test_a_file_in_the_way_of_a_folder_gives_way(root: Path, etc: Path) -> None:
    (root / "output").write_text("a file")
    make_ready(root, etc, [])
    assert (root / "output").is_dir()


def test_a_folder_in_the_way_of_one_of_our_files_is_refused(root: Path, etc: Path) -> None:
    (root / "etc/passwd").mkdir()
    with pytest.raises(InvalidInput, match="/etc/passwd is a folder"):
        make_ready(root, etc, [])


def test_no_program_keeps_the_right_to_become_another_user(root: Path, etc: Path) -> None:
    (root / "su").write_text("#!/bin/sh\n")
    (root / "su").chmod(0o6755)
    make_ready(root, etc, [])
    assert not (root / "su").stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    assert os.access(root / "su", os.X_OK)


def test_folders_that_their_owner_could_not_enter_or_fill_are_opened_to_it(root: Path, etc: Path) -> None:
    (root / "srv").mkdir(mode=0o000)
    make_ready(root, etc, ["/srv/data"])
    assert stat.S_IMODE((root / "srv").stat().st_mode) & 0o700 == 0o700


def test_a_folder_that_is_there_is_entered_as_it_is(root: Path) -> None:
    (root / "data").mkdir(mode=0o750)
    os.close(make_folder(root, "/data"))
    assert stat.S_IMODE((root / "data").stat().st_mode) == 0o750


def test_a_command_begins_with_the_variables_of_an_image_that_has_some(root: Path) -> None:
    assert with_variables(root, ("train", "a b")) == ("train", "a b")
    (root / ".singularity.d/env").mkdir(parents=True)
    assert with_variables(root, ("train", "a b"))[-2:] == ("train", "a b")
    assert with_variables(root, ("train", "a b"))[0] == "/bin/sh"
