"""Collection under fire: a process that is killed while it collects, pushes going on at once, and a real S3 store."""

import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM
from fabriek.kernel.errors import NotFound, Unavailable, WrongState
from fabriek.vault.care.leftovers import ORPHAN_AGE
from fabriek.vault.uploads import OPEN_FOR
from tests.contract.test_blobs import s3_blobs
from tests.factories.tables import a_database
from tests.factories.vault import World, a_grant_read, a_push, a_world
from tests.faults.collecting import a_world_at
from tests.servers import seaweed

ROOT = Path(__file__).parents[2]
FILES = {f"{number}.csv": os.urandom(200) for number in range(4)}


def litter(world: World, name: str, count: int = 3) -> None:
    """Versions that are removed, and an upload that nobody commits."""
    for _ in range(count):
        a_push(world, name, FILES)
    upload = world.vault.open_upload("lab", name, by=world.hanna)
    for one in world.vault.mint(upload.id, 5, by=world.hanna):
        world.vault.put_object(upload.id, one, [os.urandom(50)], by=world.hanna)
    for version in world.vault.versions(name, project="lab", by=world.hanna)[1:]:
        world.vault.remove_version(version.id, by=world.hanna)


def check(world: World, names: list[str]) -> set[str]:
    """Opens every file of every version; the objects that are named."""
    named: set[str] = set()
    for name in names:
        for version in world.vault.versions(name, project="lab", by=world.hanna):
            opened = world.vault.open(version.id, by=world.hanna)
            for path, body in FILES.items():
                assert a_grant_read(world, opened, path, by=world.hanna) == body
            world.vault.end_grant(opened.grant.id, by=world.hanna)
            named |= world.parts.versions.objects(version.id)
    return named


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.faults)])
def test_a_process_killed_while_it_collects_loses_nothing_and_the_next_ends_its_work(
    tmp_path: Path, kills: int
) -> None:
    opened = a_database(tmp_path / "fabriek.db")
    opened.close()
    chance, names, killed_at_work = random.Random(4), [], 0  # noqa: S311  # when it is killed is no secret
    for kill in range(kills):
        with a_world_at(tmp_path) as world:
            names.append(f"set-{kill}")
            litter(world, names[-1])
        with subprocess.Popen(
            [sys.executable, "-m", "tests.faults.collecting", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(chance.randint(1, 14)):
                killed_at_work += process.stdout.readline().startswith("obj_")
            process.send_signal(signal.SIGKILL)
        with a_world_at(tmp_path) as world:
            check(world, names[-3:])
    assert killed_at_work > kills, "it was killed while it deleted"
    with a_world_at(tmp_path) as world:
        world.clock.move(OPEN_FOR)
        world.vault.collecting.collect(by=SYSTEM)
        world.clock.move(ORPHAN_AGE)
        world.vault.collecting.collect(by=SYSTEM)
        assert set(world.blobs.names()) == check(world, names)
    print(f"{kills} collectors killed, {killed_at_work} deletions seen")


def test_pushes_that_go_on_while_it_collects_are_whole_or_refused(database: Database) -> None:
    """Four push, remove and leave uploads lying; two collect, with a clock that is a week ahead now and then."""
    world = a_world(database)
    names = [f"set-{number}" for number in range(4)]
    for name in names:
        a_push(world, name, FILES)
    over, refused, pushed = threading.Event(), [], []

    def push(name: str) -> None:
        chance = random.Random(name)  # noqa: S311  # what is done is no secret
        for _ in range(12):
            with suppress(WrongState, NotFound, Unavailable):
                refused.append(name)
                if chance.random() < 0.6:
                    pushed.append(a_push(world, name, FILES))
                else:
                    for oldest in list(world.vault.versions(name, project="lab", by=world.hanna))[-1:]:
                        world.vault.remove_version(oldest.id, by=world.hanna)
                    world.vault.open_upload("lab", name, by=world.hanna)
                refused.pop()

    def collect() -> None:
        while not over.is_set():
            world.vault.collecting.collect(by=SYSTEM)
            world.clock.move(timedelta(days=1))

    with ThreadPoolExecutor(6) as pool:
        collectors = [pool.submit(collect) for _ in range(2)]
        pushers = [pool.submit(push, name) for name in names]
        failed = [one.exception() for one in pushers]
        over.set()
        failed += [one.exception() for one in collectors]
    assert failed == [None] * 6
    assert pushed
    named = check(world, names)
    assert named <= set(world.blobs.names()), "every acknowledged version is whole"
    world.clock.move(OPEN_FOR)
    world.vault.collecting.collect(by=SYSTEM)
    world.clock.move(ORPHAN_AGE)
    world.vault.collecting.collect(by=SYSTEM)
    assert set(world.blobs.names()) == check(world, names)
    print(f"{len(pushed)} pushed, {len(refused)} refused")


def test_on_a_real_s3_store_the_same_goes_and_the_same_stays(tmp_path: Path) -> None:
    if reason := seaweed.why_absent():
        pytest.skip(reason)
    database = a_database(tmp_path / "fabriek.db")
    with seaweed.running() as server:
        world = a_world(database, blobs=s3_blobs(server))
        litter(world, "biopsies")
        world.blobs.put("obj_lost", [b"x"])
        named = check(world, ["biopsies"])
        world.vault.collecting.collect(by=SYSTEM)
        world.clock.move(OPEN_FOR)
        found = world.vault.collecting.collect(by=SYSTEM)
        assert {str(heap.why): heap.objects for heap in found.freed} == {"abandoned": 5, "orphan": 1}
        assert set(world.blobs.names()) == named == check(world, ["biopsies"])
    database.close()
