"""Uids are given to one attempt at a time, and rooms are wiped whatever is in them."""

import os
from pathlib import Path

import pytest

from fabriek.kernel.wiping import wipe
from fabriek.node.room import Room, take_uid
from tests.factories.threads import at_once


@pytest.mark.skipif(os.getuid() != 0, reason="jobs have a uid of their own only where the server runs as root")
def test_no_two_attempts_have_one_uid_however_they_start(tmp_path: Path) -> None:
    folders = [tmp_path / f"job_{number}-1" for number in range(8)]
    for folder in folders:
        folder.mkdir()
    taken = at_once(lambda number: take_uid(folders[number]), times=8)
    assert len(set(taken)) == 8
    wipe(folders[3])
    folders[3].mkdir()
    assert take_uid(folders[3]) == taken[3]


def test_what_is_wiped_is_gone_and_what_a_link_points_at_stays(tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("ours")
    room = tmp_path / "room"
    (room / "closed" / "deep").mkdir(parents=True)
    (room / "link").symlink_to(tmp_path / "keep")
    (room / "folder").symlink_to(tmp_path)
    (room / "closed").chmod(0)
    link = tmp_path / "other"
    link.symlink_to(tmp_path / "keep")
    wipe(room, tmp_path / "never", link)
    assert not room.exists()
    assert (tmp_path / "keep").read_text() == "ours"
    assert link.is_symlink()


def test_a_room_is_closed_to_all_but_its_job(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.prepare(None)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (room.etc / "passwd").read_text().count("\n") == 1
