"""What comes back of a pack is looked at before it is believed."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.packing.results import folder_of, read_results

PACK = "pck_1"


def listed(folder: Path) -> None:
    """As job.sh does it."""
    subprocess.run(
        ["sh", "-c", "find . -type f ! -path ./CHECKSUMS -print0 | xargs -0 sha256sum -- > CHECKSUMS"],
        cwd=folder,
        check=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "results"
    (made / "output").mkdir(parents=True)
    (made / "output" / "sum.txt").write_text("6")
    (made / "log.txt").write_text("done")
    (made / "exit_code").write_text("0\n")
    (made / "ran.json").write_text(json.dumps({"pack": PACK, "host": "n1"}))
    listed(made)
    return made


def test_a_folder_as_job_sh_left_it_is_read(folder: Path) -> None:
    found = read_results(folder, PACK)
    assert (found.exit_code, found.ran["host"], len(found.sha256)) == (0, "n1", 64)


def test_what_was_changed_added_or_taken_out_is_named(folder: Path) -> None:
    (folder / "output" / "sum.txt").write_text("7")
    with pytest.raises(InvalidInput, match=r"output/sum.txt is not what"):
        read_results(folder, PACK)
    (folder / "output" / "sum.txt").write_text("6")
    (folder / "output" / "more.txt").write_text("x")
    with pytest.raises(InvalidInput, match=r"'output/more.txt' is in CHECKSUMS or in the folder"):
        read_results(folder, PACK)
    (folder / "output" / "more.txt").unlink()
    (folder / "log.txt").unlink()
    with pytest.raises(InvalidInput, match=r"'log.txt'"):
        read_results(folder, PACK)


def test_links_and_devices_are_refused_and_never_followed(folder: Path) -> None:
    for make in (
        lambda path: path.symlink_to("/etc/passwd"), lambda path: path.symlink_to("sum.txt"), lambda path: path.symlink_to("/etc"), os.mkfifo,
    ):  # fmt: skip
        make(folder / "output" / "thing")
        with pytest.raises(InvalidInput, match="a link, a pipe or a device"):
            read_results(folder, PACK)
        (folder / "output" / "thing").unlink()
    (folder.parent / "way").symlink_to(folder)
    with pytest.raises(InvalidInput, match="not a folder"):
        read_results(folder.parent / "way", PACK)


def test_a_job_that_did_not_end_and_one_of_another_pack_are_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="not of pck_2"):
        read_results(folder, "pck_2")
    (folder / "exit_code").write_text("fine")
    listed(folder)
    with pytest.raises(InvalidInput, match="exit_code holds"):
        read_results(folder, PACK)
    (folder / "exit_code").unlink()
    listed(folder)
    with pytest.raises(InvalidInput, match="did not come to its end"):
        read_results(folder, PACK)


def an_archive(tmp_path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path = tmp_path / "results.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return path


def a_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "member",
    [
        a_member("../out"),
        a_member("/etc/out"),
        a_member("results/../../out"),
        a_member("results/link", tarfile.SYMTYPE, "/etc"),
        a_member("results/hard", tarfile.LNKTYPE, "/etc/passwd"),
        a_member("results/null", tarfile.CHRTYPE),
        a_member("results/pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda one: one.name,
)
def test_an_archive_that_reaches_out_is_refused(tmp_path: Path, member: tarfile.TarInfo) -> None:
    with pytest.raises(InvalidInput), folder_of(an_archive(tmp_path, (member, b""))):
        pytest.fail("it was laid out")
    assert not (tmp_path.parent / "out").exists()


def test_an_archive_with_one_file_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput), folder_of(an_archive(tmp_path, (a_member("a"), b"1"), (a_member("a"), b"2"))):
        pytest.fail("it was laid out")


def test_an_archive_made_to_fill_the_disk_is_refused_before_it_does(tmp_path: Path) -> None:
    bomb = an_archive(tmp_path, *((a_member(f"{number}"), bytes(40 * 2**20)) for number in range(3)))
    assert bomb.stat().st_size < 2**18
    with pytest.raises(InvalidInput, match="more than it should"), folder_of(bomb):
        pytest.fail("it was laid out")


def test_what_is_no_archive_or_a_cut_one_is_refused(tmp_path: Path, folder: Path) -> None:
    whole = tmp_path / "whole.tar.gz"
    subprocess.run(["tar", "-czf", str(whole), "-C", str(tmp_path), "results"], check=True)
    with folder_of(whole) as inside:
        assert read_results(inside, PACK).exit_code == 0
    assert not inside.exists()
    for raw in (b"nothing of the kind", whole.read_bytes()[:200]):
        (tmp_path / "bad").write_bytes(raw)
        with pytest.raises(InvalidInput), folder_of(tmp_path / "bad"):
            pytest.fail("it was laid out")
    assert folder.exists()
