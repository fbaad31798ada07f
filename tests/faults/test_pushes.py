"""A million small files, and one file of a terabyte that is nearly all holes: pushed, killed ten times, pushed again, pulled. Prints what it took.

`FABRIEK_FILES=1000000 FABRIEK_SPARSE_GIB=1024` are the defaults; `FABRIEK_LONG_DIR` is where it lies, which must have room for the files twice.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.pushes import MEMORY_MIB_MAX, Pushes, kill_by_time, many_files, objects_of, sparse_file
from tests.servers.factory import Running, quickstarted

pytestmark = pytest.mark.faults

FILES = int(os.environ.get("FABRIEK_FILES", "1000000"))  # noqa: TID251  # how long it takes is chosen where it is started
SPARSE_GIB = int(os.environ.get("FABRIEK_SPARSE_GIB", "1024"))  # noqa: TID251
PLACE = os.environ.get("FABRIEK_LONG_DIR") or None  # noqa: TID251


@pytest.fixture
def place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="fabriek-long-", dir=PLACE, ignore_cleanup_errors=True) as named:
        yield Path(named)


@pytest.fixture
def running(place: Path) -> Iterator[Running]:
    with quickstarted(place / "home") as started:
        yield started


def told(what: str, pushes: Pushes) -> None:
    stored = objects_of(pushes.running)
    print(
        f"{what}: {pushes.kills} kills, {pushes.halfway} of them halfway, {pushes.seconds[-1]:.0f} s, client at most {pushes.memory_mib:.0f} MiB,"
        f" {len(stored)} objects of {sum(stored.values()) / 2**20:.0f} MiB",
        flush=True,
    )
    assert pushes.memory_mib < MEMORY_MIB_MAX


def test_a_million_small_files(running: Running, place: Path) -> None:
    folder, dice = place / "in", random.Random(os.urandom(8))  # noqa: S311
    many_files(folder, FILES, lambda number: number % 300)
    pushes = Pushes(running, folder, "many", dice)
    kill_by_time(pushes, FILES / 12_000)
    assert pushes.halfway, (
        f"of {pushes.kills} kills none fell while files were being sent: this machine wants another time"
    )
    pushes.whole()
    told(f"{FILES} files, the push that was whole", pushes)
    assert pushes.versions() == 1
    again = Pushes(running, folder, "many", dice)
    again.whole()
    told("again, nothing changed", again)
    for number in range(0, FILES, 100):
        file = folder / f"{number // 100_000:03d}" / f"{number // 1_000 % 100:02d}" / f"{number:08d}"
        file.write_bytes(b"changed %d" % number)
    again.whole()
    told("again, 1 % changed", again)
    assert again.versions() == 2
    pull = Pushes(running, place / "out", "many", dice, verb=("pull", "many", str(place / "out")))
    pull.whole()
    told("pulled", pull)
    for number in dice.sample(range(FILES), 2_000):
        path = f"{number // 100_000:03d}/{number // 1_000 % 100:02d}/{number:08d}"
        assert (place / "out" / path).read_bytes() == (folder / path).read_bytes()


def test_a_terabyte_of_holes(running: Running, place: Path) -> None:
    folder, dice = place / "in", random.Random(os.urandom(8))  # noqa: S311
    folder.mkdir()
    parts = sparse_file(folder / "sparse", SPARSE_GIB * 2**30, runs=1_000, run_bytes=2**20, dice=dice)
    pushes = Pushes(running, folder, "sparse", dice)
    kill_by_time(pushes, 6)
    assert pushes.halfway, (
        f"of {pushes.kills} kills none fell while the file was being sent: this machine wants another time"
    )
    pushes.whole()
    told(f"{SPARSE_GIB} GiB, 1,000 MiB of it data, the push that was whole", pushes)
    pull = Pushes(running, place / "out", "sparse", dice, verb=("pull", "sparse", str(place / "out")))
    pull.whole()
    told("pulled", pull)
    out = place / "out" / "sparse"
    assert out.stat().st_size == SPARSE_GIB * 2**30
    assert out.stat().st_blocks * 512 < 4 * 2**30
    with out.open("rb") as pulled:
        for offset, body in parts:
            pulled.seek(offset)
            assert pulled.read(len(body)) == body
