"""What a job left is removed, small or large, open or closed, and never what a link points at."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fabriek.kernel.wiping import SMALL_DEPTH, SMALL_ENTRIES, wipe


def few(room: Path) -> None:
    (room / "a" / "b").mkdir(parents=True)
    (room / "a" / "file").write_text("x")


def many(room: Path) -> None:
    for number in range(SMALL_ENTRIES + 1):
        (room / str(number)).touch()


def deep(room: Path) -> None:
    room.joinpath(*["d"] * (SMALL_DEPTH + 3)).mkdir(parents=True)


def closed(room: Path) -> None:
    few(room)
    (room / "a").chmod(0)


@pytest.mark.parametrize("fill", [few, many, deep, closed])
def test_nothing_of_a_folder_stays_and_nothing_beside_it_goes(fill: Callable[[Path], None], tmp_path: Path) -> None:
    outside, room = tmp_path / "outside", tmp_path / "room"
    (outside / "kept").mkdir(parents=True)
    room.mkdir()
    fill(room)
    (room / "link").symlink_to(outside)
    wipe(room, tmp_path / "never-was")
    assert not room.exists()
    assert (outside / "kept").is_dir()
