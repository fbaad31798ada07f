"""Files that reach the disk while something else is waited for."""

from pathlib import Path

import pytest

from fabriek.compute.executors.disk import Disk


def test_files_can_be_read_at_once_and_by_their_owner_only(tmp_path: Path) -> None:
    disk = Disk()
    files = {tmp_path / str(number): f"text {number}" for number in range(10)}
    with disk.keeping(files):
        assert {file: file.read_text("utf-8") for file in files} == files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    disk.close()


def test_a_disk_that_does_not_take_it_is_heard_of_before_the_block_has_ended_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    disk = Disk()
    monkeypatch.setattr("os.fsync", full)
    done = []
    with pytest.raises(OSError, match="No space left"), disk.keeping({tmp_path / "one": "text"}):
        done.append("what is done meanwhile")
    assert done
    disk.close()


def test_what_went_wrong_meanwhile_is_what_is_said(tmp_path: Path) -> None:
    disk = Disk()
    with pytest.raises(LookupError, match="the other"), disk.keeping({tmp_path / "one": "text"}):
        raise LookupError("the other")
    assert (tmp_path / "one").read_text("utf-8") == "text"
    disk.close()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "one").symlink_to(tmp_path / "elsewhere")
    disk = Disk()
    with pytest.raises(OSError, match="symbolic links"), disk.keeping({tmp_path / "one": "text"}):
        pass
    assert (tmp_path / "elsewhere").read_text() == "kept"
    disk.close()
