"""Files on their way in, on both databases: what is kept, and what happens at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import AlreadyExists, FabriekError, NotFound, QuotaExhausted, Stale
from fabriek.kernel.stored import Stored
from fabriek.vault.arrivals import Arrival, Stretch
from fabriek.vault.service import Vault
from fabriek.vault.store_arrivals import SqlArrivals
from fabriek.vault.store_keys import SqlEpochKeys
from fabriek.vault.store_uploads import SqlUploads
from fabriek.vault.uploads import Progress, Upload
from fabriek.vault.versions import Version
from tests.factories.threads import at_once
from tests.factories.vault import World, a_world

NOW = FakeClock().now()
UPLOAD = Upload("upl_1", "ds_1", "internal", "per_1", "", "", NOW, NOW + timedelta(hours=1))
ARRIVAL = Arrival("arr_1", "upl_1", "a/b\u0301\n", 2**40, "filename YQ==", lone=False, begun_at=NOW)


@pytest.fixture
def world(database: Database) -> World:
    made = a_world(database)
    made.vault.create("lab", "scans", by=made.hanna)
    return made


def kinds(outcomes: list[object]) -> list[str]:
    return sorted(type(one).__name__ for one in outcomes)


def test_an_arrival_comes_back_with_its_stretches(database: Database) -> None:
    store, uploads = SqlArrivals(database), SqlUploads(database)
    with database.transaction():
        uploads.add(UPLOAD)
        store.add(ARRIVAL)
    assert store.get("arr_1") == ARRIVAL
    grown = replace(ARRIVAL, arrived=2**33 + 1, sha256="0" * 64, blocks=("1" * 64, "2" * 64))
    later, first = Stretch("arr_1", 2**33, 1, "obj_2"), Stretch("arr_1", 0, 2**33, "obj_1")
    with database.transaction():
        store.save(ARRIVAL, later)
        store.save(grown, first)
    assert (store.get("arr_1"), store.stretches("arr_1")) == (grown, [first, later])
    with database.transaction():
        uploads.mint(UPLOAD, ["obj_1", "obj_2", "obj_3"], objects_max=9)
        store.forget("arr_1", objects=True)
    assert (store.stretches("arr_1"), list(uploads.objects("upl_1", {"obj_1", "obj_2", "obj_3"}))) == ([], ["obj_3"])
    with pytest.raises(NotFound):
        store.get("arr_1")


def test_the_names_of_an_upload_are_forgotten_and_what_else_is_known_stays(database: Database) -> None:
    store = SqlArrivals(database)
    with database.transaction():
        for number, upload in enumerate(("upl_1", "upl_1", "upl_2")):
            store.add(replace(ARRIVAL, id=f"arr_{number}", upload=upload))
        store.forget_names("upl_1")
    nameless = replace(ARRIVAL, path="", told="")
    assert [store.get(f"arr_{number}") for number in range(3)] == [
        replace(nameless, id="arr_0"), replace(nameless, id="arr_1"), replace(ARRIVAL, id="arr_2", upload="upl_2"),
    ]  # fmt: skip


def test_paths_that_cannot_stand_beside_another_are_found(database: Database) -> None:
    store = SqlArrivals(database)
    with database.transaction():
        for number, path in enumerate(("a", "b/c", "b/cd", "B/c/d", "b_c/x", "%", "e/f/g")):
            store.add(replace(ARRIVAL, id=f"arr_{number}", path=path))
    found = {
        path: [one.path for one in store.of_upload("upl_1", beside=path)]
        for path in ("a", "a/x/y", "b", "b/c", "b/c/d", "B", "_", "%%", "e/f", "z")
    }
    assert found == {
        "a": ["a"], "a/x/y": ["a"], "b": ["b/c", "b/cd"], "b/c": ["b/c"], "b/c/d": ["b/c"], "B": ["B/c/d"], "_": [], "%%": [],
        "e/f": ["e/f/g"], "z": [],
    }  # fmt: skip
    assert (store.count("upl_1"), store.count("upl_2")) == (7, 0)


def test_what_is_on_the_way_is_counted_for_a_person_in_open_uploads(database: Database) -> None:
    store, uploads = SqlArrivals(database), SqlUploads(database)
    with database.transaction():
        for number, changed in enumerate(
            (
                UPLOAD,
                replace(UPLOAD, person="per_2"),
                replace(UPLOAD, progress=Progress.COMMITTED),
                replace(UPLOAD, expires_at=NOW),
            )
        ):
            uploads.add(replace(changed, id=f"upl_{number}"))
            store.add(replace(ARRIVAL, id=f"arr_{number}", upload=f"upl_{number}", path="a", size=2**number))
            store.add(replace(ARRIVAL, id=f"arr_{number}x", upload=f"upl_{number}", path="b", size=100, given_up=True))
    assert (store.on_the_way("per_1", NOW), store.on_the_way("per_2", NOW), store.on_the_way("per_3", NOW)) == (1, 2, 0)
    assert [one.path for one in store.of_upload("upl_0")] == ["a"]
    overdue = {one.id for one in store.overdue(NOW)}
    assert overdue == {"arr_0x", "arr_1x", "arr_2x", "arr_3", "arr_3x"}


def test_an_epoch_that_wraps_the_key_of_an_object_outlives_the_next_one(world: World) -> None:
    """A file that is on its way through a rotation opens still; an erasure destroys all."""
    keys, dataset = SqlEpochKeys(world.database), world.vault.find("scans", project="lab", by=world.hanna)
    for number in (1, 2, 3):
        made = world.parts.cipher.make(dataset.id, number)
        with world.database.transaction():
            keys.add(made)
    with world.database.transaction():
        keys.keep_object_key(dataset.id, "obj_1", 2, b"wrapped", Stored(1, ""))
        assert keys.destroy(dataset.id, below=3) == 1
    assert [one.number for one in keys.of_dataset(dataset.id)] == [2, 3]
    with world.database.transaction():
        assert keys.destroy(dataset.id) == 2


def test_the_room_of_a_person_is_not_overbooked_from_all_sides(world: World) -> None:
    small = Vault(replace(world.parts, arriving_bytes_max=1_000), world.keeping).arriving
    upload = small.open("lab", "scans", by=world.hanna)
    outcomes = at_once(lambda number: small.begin(upload.id, f"f{number}", 300, by=world.hanna), times=8)
    assert kinds(outcomes) == ["Arrival"] * 3 + ["QuotaExhausted"] * 5
    assert all(isinstance(one, Arrival | QuotaExhausted) for one in outcomes)


def test_one_path_is_announced_once_from_all_sides(world: World) -> None:
    upload = world.vault.arriving.open("lab", "scans", by=world.hanna)
    outcomes = at_once(lambda _: world.vault.arriving.begin(upload.id, "a", 1, by=world.hanna), times=6)
    assert kinds(outcomes) == ["AlreadyExists"] * 5 + ["Arrival"]
    assert any(isinstance(one, AlreadyExists) for one in outcomes)


def test_the_same_bytes_from_all_sides_count_once(world: World) -> None:
    taking = world.vault.arriving
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    outcomes = at_once(lambda _: taking.take(one.id, 0, [b"abc"], by=world.hanna), times=6)
    refused = [outcome for outcome in outcomes if isinstance(outcome, FabriekError)]
    assert len(refused) == 5
    assert all(isinstance(outcome, Stale) for outcome in refused)
    assert len(world.blobs.objects) == 1
    assert taking.finish(upload.id, by=world.hanna).facts.size_bytes == 3


def test_uploads_that_are_finished_at_once_all_stand_in_the_newest_version(world: World) -> None:
    taking = world.vault.arriving
    uploads = [taking.open("lab", "scans", by=world.hanna) for _ in range(4)]
    for number, upload in enumerate(uploads):
        one = taking.begin(upload.id, f"f{number}", 1, by=world.hanna)
        taking.take(one.id, 0, [b"x"], by=world.hanna)
    finishing: Callable[[int], Version] = lambda number: taking.finish(uploads[number].id, by=world.hanna)  # noqa: E731
    made = at_once(finishing, times=4)
    assert sorted(one.number for one in made if isinstance(one, Version)) == [1, 2, 3, 4]
    newest = world.vault.newest(uploads[0].dataset)
    assert newest is not None
    assert newest.facts.files == 4


def test_the_same_finish_from_all_sides_makes_one_version(world: World) -> None:
    taking = world.vault.arriving
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "mine", 4, by=world.hanna)
    taking.take(one.id, 0, [b"mine"], by=world.hanna)
    made = at_once(lambda _: taking.finish(upload.id, by=world.hanna), times=6)
    assert {one.id for one in made if isinstance(one, Version)} == {world.vault.newest(upload.dataset).id}  # type: ignore[union-attr]
    assert [one for one in made if not isinstance(one, Version)] == []
    assert world.parts.versions.last_number(upload.dataset) == 1
