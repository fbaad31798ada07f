"""While a backup is taken nothing goes from the store, so that it holds what it names; nobody waits for it, and what was to go goes later."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fabriek.adapters.blobs_local import LocalBlobs, standing_still
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotFound, Unavailable
from fabriek.ops import backup
from fabriek.vault.care import leftovers
from fabriek.vault.care.collecting import Collected
from fabriek.vault.intake.arriving import Checksum, WrongChecksum
from fabriek.vault.pushing import Pushing
from fabriek.vault.uploads import OPEN_FOR
from fabriek.vault.versions import Version
from tests.factories.tables import a_database
from tests.factories.vault import World, a_push, a_world

OPERATOR = Caller("per_olga", "org_factory", rights=frozenset({"vault.collect"}))
NAMED = """
    select object from vault_object_keys union select object from vault_version_objects
    union select id from vault_objects where size is not null
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    (place / "keys").mkdir(parents=True)
    (place / "keys" / "keyring.json").write_text("{}")
    return place


@pytest.fixture
def installed(home: Path) -> Iterator[World]:
    """A world that a backup can be taken of."""
    opened = a_database(home / "fabriek.db")
    yield a_world(opened, blobs=LocalBlobs(home / "objects"))
    opened.close()


@pytest.fixture
def world(database: Database, home: Path) -> World:
    return a_world(database, blobs=LocalBlobs(home / "objects"))


def collect(world: World) -> Collected:
    return world.vault.collecting.collect(by=OPERATOR)


def freed(found: Collected) -> dict[str, int]:
    return {str(heap.why): heap.objects for heap in found.freed}


Acts = tuple[Callable[[], object], Callable[[], object]]
"""What deletes, and what ends it later."""


def an_artifact_that_is_removed(world: World) -> Acts:
    room = world.vault.room("prj_1")
    sealed = world.vault.safe.put(room, [b"kept"])
    return lambda: world.vault.safe.remove(room, sealed.id), lambda: collect(world)


def a_file_that_is_given_up(world: World) -> Acts:
    world.vault.create("lab", "scans", by=world.hanna)
    taking = world.vault.arriving
    one = taking.begin_alone("lab", "scans", "a", 5, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    return lambda: taking.give_up(one.id, by=world.hanna), taking.forget_overdue


def a_file_that_nobody_went_on_with(world: World) -> Acts:
    a_file_that_is_given_up(world)
    world.clock.move(OPEN_FOR)
    return world.vault.arriving.forget_overdue, world.vault.arriving.forget_overdue


def a_dataset_that_is_erased(world: World) -> Acts:
    a_push(world, "biopsies", {"a.csv": b"in a", "b/c.csv": b"in c"})
    asked, dataset = world.vault.erasing.ask("biopsies", "the patient asked", project="lab", by=world.hanna)
    return (
        lambda: world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna),
        world.vault.erasing.sweep,
    )


DELETIONS = [
    an_artifact_that_is_removed,
    a_file_that_is_given_up,
    a_file_that_nobody_went_on_with,
    a_dataset_that_is_erased,
]


@pytest.mark.parametrize("deletion", DELETIONS)
def test_a_backup_holds_every_object_that_it_names_whatever_is_deleted_meanwhile(
    installed: World, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deletion: Callable[[World], Acts]
) -> None:
    act, later = deletion(installed)
    listed = backup._objects

    def deleted_first(place: Path) -> Iterator[str]:
        act()
        return listed(place)

    monkeypatch.setattr(backup, "_objects", deleted_first)
    backup.write_backup(home, tmp_path / "copy", tmp_path / "keys.json")
    with closing(sqlite3.connect(tmp_path / "copy" / "fabriek.db")) as copied:
        named = {name for (name,) in copied.execute(NAMED)}
    assert named
    assert named == {path.name for path in (tmp_path / "copy" / "objects").rglob("obj_*")}
    later()
    assert list(installed.blobs.names()) == []


@pytest.mark.parametrize("deletion", DELETIONS)
def test_what_was_to_go_while_a_copy_was_taken_goes_after_it(
    world: World, home: Path, deletion: Callable[[World], Acts]
) -> None:
    act, later = deletion(world)
    before = set(world.blobs.names())
    with standing_still(home / "objects"):
        act()
        assert set(world.blobs.names()) == before
    later()
    assert set(world.blobs.names()) == set()


def test_what_is_removed_while_a_copy_is_taken_is_gone_for_everybody_at_once(world: World, home: Path) -> None:
    room = world.vault.room("prj_1")
    sealed = world.vault.safe.put(room, [b"kept"])
    with standing_still(home / "objects"):
        world.vault.safe.remove(room, sealed.id)
        with pytest.raises(NotFound):
            world.vault.safe.size(room, sealed.id)
        world.vault.safe.remove(room, sealed.id)  # idempotent then too
    assert freed(collect(world)) == {"orphan": 1}


def test_the_worker_does_not_ask_again_and_again_while_a_copy_is_taken(world: World, home: Path) -> None:
    a_file_that_nobody_went_on_with(world)
    taking = world.vault.arriving
    with standing_still(home / "objects"):
        assert not taking.forget_overdue()
    assert taking.forget_overdue()
    assert not taking.forget_overdue()


def test_what_was_let_go_knowingly_makes_nobody_doubt_the_database(
    world: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "ORPHANS_FREE", 2)
    room = world.vault.room("prj_1")
    removed = [world.vault.safe.put(room, [b"kept"]) for _ in range(3)]
    with standing_still(home / "objects"):
        for one in removed:
            world.vault.safe.remove(room, one.id)
    plan = world.vault.collecting.plan(by=OPERATOR)
    assert (freed(plan), plan.doubted) == ({"orphan": 3}, 0)
    found = collect(world)
    assert (freed(found), found.doubted) == ({"orphan": 3}, 0)


def test_what_was_refused_while_a_copy_was_taken_is_collected_with_its_upload(
    world: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes with a wrong checksum, and the pages of a version that another push came before."""
    world.vault.create("lab", "scans", by=world.hanna)
    taking, commit, pushed = world.vault.arriving, Pushing.commit, list[int]()
    wrong = taking.begin_alone("lab", "scans", "wrong", 3, by=world.hanna)
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "mine", 1, by=world.hanna)
    taking.take(one.id, 0, [b"x"], by=world.hanna)

    def later(self: Pushing, upload_id: str, *said: object, **named: object) -> Version:
        if upload_id == upload.id and not pushed:
            pushed.append(1)
            a_push(world, "scans", {"theirs": b"theirs"})
        return commit(self, upload_id, *said, **named)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Pushing, "commit", later)
    checksum = Checksum("sha256", hashlib.sha256(b"xyz").digest())
    with standing_still(home / "objects"):
        with pytest.raises(WrongChecksum):
            taking.take(wrong.id, 0, [b"abc"], checksum=checksum, by=world.hanna)
        taking.finish(upload.id, by=world.hanna)
        versions = world.vault.versions("scans", project="lab", by=world.hanna)
        used = {name for version in versions for name in world.parts.versions.objects(version.id)}
        assert len(versions) == 2
        assert len(set(world.blobs.names()) - used) == 2
    world.clock.move(OPEN_FOR)
    collect(world)
    assert set(world.blobs.names()) == used


def test_many_delete_at_once_also_beside_a_collection_and_one_collects(tmp_path: Path) -> None:
    first, second = LocalBlobs(tmp_path / "objects"), LocalBlobs(tmp_path / "objects")
    with (
        first.collecting(),
        first.deleting(),
        second.deleting(),
        pytest.raises(Unavailable, match="another collection"),
        second.collecting(),
    ):
        pass
    with standing_still(tmp_path / "objects"):
        for refused in (first.deleting, first.collecting):
            with pytest.raises(Unavailable, match="a backup is being taken"), refused():
                pass
    with first.deleting(), second.collecting():
        pass


@pytest.mark.parametrize("what", ["deleting", "collecting"])
def test_a_copy_waits_for_what_is_being_deleted(tmp_path: Path, what: str) -> None:
    blobs, order, begun = LocalBlobs(tmp_path / "objects"), list[str](), threading.Event()

    def copy() -> None:
        begun.set()
        with standing_still(tmp_path / "objects"):
            order.append("copied")

    copying = threading.Thread(target=copy)
    with getattr(blobs, what)():
        copying.start()
        begun.wait()
        copying.join(0.2)  # time enough for one that would not wait
        order.append("deleted")
    copying.join()
    assert order == ["deleted", "copied"]


def test_whoever_deletes_leaves_nothing_in_the_store_to_lock(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "objects")
    before = set((tmp_path / "objects").rglob("*"))
    with blobs.deleting():
        assert set((tmp_path / "objects").rglob("*")) == before
