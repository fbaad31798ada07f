"""A push of many files, and of a large file of holes, killed and given again: whole at last, and little of it sent twice. Three kills of
each; ten, and of much more: `make faults`."""

import filecmp
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.pushes import MEMORY_MIB_MAX, Pushes, kill_by_progress, many_files, objects_of, sparse_file
from tests.servers.factory import Running, quickstarted

MIB = 2**20
KILLS = 3


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with quickstarted(tmp_path_factory.mktemp("killed") / "home") as started:
        yield started


def pulled(running: Running, name: str, into: Path) -> Path:
    done = running.run("data", "pull", name, str(into))
    assert done.returncode == 0, done.stderr
    return into


def test_a_push_of_many_files_that_is_killed_is_whole_at_last(running: Running, tmp_path: Path) -> None:
    folder, dice = tmp_path / "in", random.Random(os.urandom(8))  # noqa: S311  # other moments each time
    many_files(folder, 2_400, lambda number: 50_000 + number % 7_000)
    before = sum(objects_of(running).values())
    pushes = Pushes(running, folder, "many", dice)
    kill_by_progress(pushes, most=2, kills=KILLS)
    assert pushes.kills
    pushes.whole()
    assert pushes.versions() == 1
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    # Each kill may cost what was under way: four objects of 8 MiB, of which the name was not yet written down.
    assert sum(objects_of(running).values()) - before < 1.02 * size + KILLS * 4 * 8.5 * MIB
    assert pushes.memory_mib < MEMORY_MIB_MAX
    out = pulled(running, "many", tmp_path / "out")
    same = filecmp.dircmp(folder, out)
    assert (same.left_only, same.right_only, same.diff_files) == ([], [], [])
    for file in folder.rglob("*"):
        assert file.is_dir() or filecmp.cmp(file, out / file.relative_to(folder), shallow=False)


def test_a_push_of_a_large_file_of_holes_that_is_killed_is_whole_at_last(running: Running, tmp_path: Path) -> None:
    folder, dice = tmp_path / "in", random.Random(os.urandom(8))  # noqa: S311
    folder.mkdir()
    told = sparse_file(folder / "sparse", 16 * 2**30, runs=40, run_bytes=3 * MIB, dice=dice)
    if (folder / "sparse").stat().st_blocks * 512 > 2**30:
        pytest.skip("this file system keeps no holes")
    before = sum(objects_of(running).values())
    pushes = Pushes(running, folder, "sparse", dice)
    kill_by_progress(pushes, most=4, kills=KILLS)
    assert pushes.kills
    pushes.whole()
    assert pushes.versions() == 1
    assert sum(objects_of(running).values()) - before < 40 * 3 * 1.1 * MIB + KILLS * 4 * 7 * MIB
    assert pushes.memory_mib < MEMORY_MIB_MAX
    out = pulled(running, "sparse", tmp_path / "out") / "sparse"
    assert out.stat().st_size == 16 * 2**30
    assert out.stat().st_blocks * 512 < 2**30
    with out.open("rb") as pulled_file:
        for offset, body in told:
            pulled_file.seek(offset)
            assert pulled_file.read(len(body)) == body
            assert pulled_file.read(1) in {b"\0", b""}
