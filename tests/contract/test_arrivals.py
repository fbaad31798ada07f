"""Files on their way in, on both databases: what is kept, and what happens at once."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import AlreadyExists, FabriekError, NotFound, QuotaExhausted, Stale, WrongState
from fabriek.kernel.stored import Stored
from fabriek.vault.intake import store as store_arrivals
from fabriek.vault.intake.arrivals import Arrival, Stretch
from fabriek.vault.intake.store import SqlArrivals
from fabriek.vault.keeping.store_keys import SqlEpochKeys
from fabriek.vault.service import Vault
from fabriek.vault.store_uploads import SqlUploads
from fabriek.vault.uploads import OPEN_FOR, Progress, Upload
from fabriek.vault.versions import Version
from tests.factories.threads import at_once
from tests.factories.vault import World, a_world

NOW = FakeClock().now()
UPLOAD = Upload("upl_1", "ds_1", "internal", "per_1", "", "", NOW, NOW + timedelta(hours=1))
OFFICER = Caller("per_sofie", "org_factory", rights=frozenset({"data.hold", "vault.collect"}))
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
        store.save(ARRIVAL, other := Stretch("arr_0", 0, 1, "obj_4"))
    assert (store.stretches("arr_1", "arr_0"), store.stretches()) == ([other, first, later], [])
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


def rows(world: World, table: str) -> int:
    return int(world.database.scalar(text(f"select count(*) from {table}")))  # noqa: S608  # names of ours


def test_a_file_that_is_given_up_while_bytes_of_it_are_counted_leaves_nothing(world: World) -> None:
    taking = world.vault.arriving
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 6, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    save = world.parts.arrivals.save
    giving_up = threading.Thread(target=lambda: taking.give_up(one.id, by=world.hanna))

    def meanwhile(arrival: Arrival, stretch: Stretch | None = None) -> None:
        if stretch is not None and not giving_up.ident:
            giving_up.start()
            giving_up.join(1.0)  # it has to wait for us, and where it did not it is over by then
        save(arrival, stretch)

    world.parts.arrivals.save = meanwhile  # type: ignore[method-assign]
    with suppress(NotFound):  # it may be gone by the time that its sender hears of it
        taking.take(one.id, 3, [b"def"], by=world.hanna)
    giving_up.join()
    assert world.blobs.objects == {}
    assert [rows(world, table) for table in ("vault_arrivals", "vault_arrival_stretches", "vault_object_keys")] == [
        0
    ] * 3


def test_a_hold_keeps_what_arrived_of_a_file_until_it_is_lifted(world: World) -> None:
    taking = world.vault.arriving
    upload = taking.open("lab", "scans", by=world.hanna)
    one, gone = (taking.begin(upload.id, path, 6, by=world.hanna) for path in ("a", "b"))
    for each in (one, gone):
        taking.take(each.id, 0, [b"abc"], by=world.hanna)
    taking.give_up(gone.id, by=world.hanna)
    (stretch,) = world.parts.arrivals.stretches(one.id)
    world.vault.erasing.hold("scans", "a court asked", project="lab", by=OFFICER)
    for ask in (
        lambda: taking.give_up(one.id, by=world.hanna),
        lambda: taking.give_up_all(upload.id, by=world.hanna),
    ):
        with pytest.raises(WrongState, match="a court asked") as refused:
            ask()
        assert refused.value.fields["rule"] == "hold"
    assert taking.look(one.id, by=world.hanna)[0].arrived == 3
    world.clock.move(OPEN_FOR)
    taking.forget_overdue()
    world.vault.collecting.collect(by=OFFICER)
    taking.forget_overdue()
    assert b"".join(world.vault.safe.open(upload.dataset, stretch.object_id)) == b"abc"
    world.vault.erasing.unhold("scans", "over", project="lab", by=OFFICER)
    taking.forget_overdue()
    assert world.blobs.objects == {}
    assert [rows(world, table) for table in ("vault_arrivals", "vault_arrival_stretches", "vault_object_keys")] == [
        0
    ] * 3


def test_what_is_held_does_not_stand_before_what_may_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_arrivals, "OVERDUE_AT_ONCE", 2)
    taking = world.vault.arriving
    for number in range(3):
        held = taking.begin_alone("lab", "scans", f"f{number}", 6, by=world.hanna)
        taking.take(held.id, 0, [b"abc"], by=world.hanna)
    world.vault.create("lab", "free", by=world.hanna)
    free = taking.begin_alone("lab", "free", "a", 6, by=world.hanna)
    taking.take(free.id, 0, [b"abc"], by=world.hanna)
    world.vault.erasing.hold("scans", "a court asked", project="lab", by=OFFICER)
    world.clock.move(OPEN_FOR)
    taking.forget_overdue()
    assert (len(world.blobs.objects), rows(world, "vault_arrivals")) == (3, 3)
    with pytest.raises(NotFound):
        world.parts.arrivals.get(free.id)


def test_an_end_that_a_hold_comes_before_is_no_end_of_the_others(world: World) -> None:
    """A hold that is set once the overdue ones were found keeps its own, and stops nothing else."""
    taking = world.vault.arriving
    world.vault.create("lab", "free", by=world.hanna)
    for name in ("scans", "free"):
        one = taking.begin_alone("lab", name, "a", 6, by=world.hanna)
        taking.take(one.id, 0, [b"abc"], by=world.hanna)
    world.clock.move(OPEN_FOR)
    overdue = world.parts.arrivals.overdue

    def found_before(now: datetime) -> Sequence[Arrival]:
        found = sorted(overdue(now), key=lambda one: one.id)
        world.vault.erasing.hold("scans", "a court asked", project="lab", by=OFFICER)
        return found

    world.parts.arrivals.overdue = found_before  # type: ignore[method-assign]
    taking.forget_overdue()
    assert (len(world.blobs.objects), rows(world, "vault_arrivals")) == (1, 1)


def test_a_version_of_many_files_forgets_their_keys_together(world: World) -> None:
    taking, keys = world.vault.arriving, world.parts.epoch_keys
    upload, forgotten = taking.open("lab", "scans", by=world.hanna), list[int]()
    for number in range(5):
        one = taking.begin(upload.id, f"f{number}", 1, by=world.hanna)
        taking.take(one.id, 0, [b"x"], by=world.hanna)
    forget = keys.forget_object_keys

    def counted(dataset: str, objects: Sequence[str]) -> None:
        forgotten.append(len(objects))
        forget(dataset, objects)

    keys.forget_object_keys = counted  # type: ignore[method-assign]
    taking.finish(upload.id, by=world.hanna)
    assert (forgotten, rows(world, "vault_object_keys")) == ([5], 0)
