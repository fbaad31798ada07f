"""Checking and scrubbing on both databases: what is not what was written is found, named, told of, and forgotten once it is mended."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted, Unavailable
from fabriek.vault.care.damage import Damage, Looked, Position
from fabriek.vault.care.examining import CHANGED, GONE
from fabriek.vault.care.scrubbing import Scrubbing
from fabriek.vault.care.stretches import Sample
from fabriek.vault.leafing import MANIFEST
from fabriek.vault.uploads import OPEN_FOR
from fabriek.vault.versions import Version
from tests.factories.vault import World, a_push, a_world

OPERATOR = Caller("per_olga", "org_factory", rights=frozenset({"vault.check", "vault.collect"}))
FILES = {"a.csv": b"in a" * 5_000, "b/c.csv": b"in c"}
FLIPS = 60


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def walk(world: World, share: float = 0.0, *, objects_max: int = 5_000, bytes_max: int = 2**29) -> list[Looked]:
    """The whole walk, a stretch after another."""
    stretches, at = [], Position()
    while True:
        found = world.vault.checking.look(
            at, Sample(share, "seed"), objects_max=objects_max, bytes_max=bytes_max, by=OPERATOR
        )
        stretches.append(found)
        if found.next is None:
            return stretches
        at = found.next


def damage(world: World, share: float = 0.0) -> list[Damage]:
    return [one for found in walk(world, share) for one in found.damage]


def object_of(world: World, version: Version, path: str) -> str:
    """The object that a file lies in: the pushes of tests give each its own, in the order of the files."""
    own = sorted(world.parts.versions.objects(version.id) - {version.facts.manifest}, key=world.blobs.size)
    return own[{"a.csv": -1, "b/c.csv": 0}[path]]


def flip(world: World, name: str, bit: int) -> None:
    changed = bytearray(world.blobs.objects[name])
    changed[bit // 8] ^= 1 << bit % 8
    world.blobs.objects[name] = bytes(changed)


def again(world: World, version: Version) -> Version:
    return world.parts.versions.get(version.id)


def other_end(key: bytes) -> bytes:
    """With another last byte, whatever it was."""
    return key[:-1] + bytes([key[-1] ^ 1])


def test_a_sound_vault_is_sound_to_the_last_byte(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "scans", FILES)
    kept = world.vault.safe.put(world.vault.room("prj_1"), [b"a file of a run"])
    found = walk(world, 1.0)
    assert sum(one.versions for one in found) == 2
    assert sum(one.objects for one in found) == sum(one.read_objects for one in found) == 7
    assert (sum(one.authenticated for one in found), sum(one.by_hash for one in found)) == (7, 0)
    assert sum(one.read_bytes for one in found) == sum(world.blobs.size(name) for name in world.blobs.names())
    assert not [each for one in found for each in one.damage]
    assert kept.id in set(world.blobs.names())


def test_without_reading_what_is_gone_or_cut_is_found_and_named(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "scans", FILES)
    gone, cut = object_of(world, first, "a.csv"), object_of(world, second, "b/c.csv")
    world.blobs.delete(gone)
    world.blobs.objects[cut] = world.blobs.objects[cut][:-1]
    found = {one.object_id: one for one in damage(world)}
    assert set(found) == {gone, cut}
    assert (found[gone].why, found[gone].path, found[gone].files) == (GONE, "a.csv", 1)
    assert (found[cut].path, found[cut].version) == ("b/c.csv", second.id)
    assert "bytes" in found[cut].why


def test_a_flipped_bit_anywhere_is_seen_when_it_is_read(world: World) -> None:
    """Promise P5, thinned: every bit of the head and the end of a small object, and at random in all others."""
    version = a_push(world, "biopsies", FILES)
    sealed = world.vault.safe.put(world.vault.room("prj_1"), [b"a file of a run"]).id
    chance, tried = Random(5), 0  # noqa: S311  # which bits are flipped is no secret
    for name in [*sorted(world.parts.versions.objects(version.id)), sealed]:
        bits = world.blobs.size(name) * 8
        for bit in {0, bits - 1, *(chance.randrange(bits) for _ in range(FLIPS // 4))}:
            flip(world, name, bit)
            assert [one.object_id for one in damage(world, 1.0)] == [name]
            flip(world, name, bit)
            assert damage(world) == [], "what was mended is read again and forgotten"
            tried += 1
    assert list(world.parts.damages.all(limit=10)) == []
    print(f"{tried} bits flipped, each seen")


def test_a_bit_is_not_seen_by_looking_alone_and_a_share_sees_a_share(world: World) -> None:
    version = a_push(world, "biopsies", {f"{number:03}": os.urandom(50) for number in range(200)})
    for name in world.parts.versions.objects(version.id) - {version.facts.manifest}:
        flip(world, name, 500)
    assert damage(world) == []
    found = len(damage(world, 0.1))
    assert 5 <= found <= 45
    assert len({Sample(0.5, seed).draws("obj_1") for seed in map(str, range(20))}) == 2, "another seed draws others"


def test_swapped_objects_and_a_manifest_of_elsewhere_are_seen(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "scans", FILES)
    one, other = object_of(world, first, "a.csv"), object_of(world, second, "a.csv")
    objects = world.blobs.objects
    objects[one], objects[other] = objects[other], objects[one]
    assert {(each.object_id, each.why) for each in damage(world, 1.0)} == {(one, CHANGED), (other, CHANGED)}
    objects[one], objects[other] = objects[other], objects[one]
    flip(world, first.facts.manifest, 900)
    (seen,) = damage(world, 1.0)
    assert (seen.object_id, seen.path) == (first.facts.manifest, MANIFEST)


def test_a_hash_changed_in_the_database_hides_nothing(world: World) -> None:
    """Who changes an object and the hash that was kept of it is seen by the chunks; of the manifest by its signed record."""
    version = a_push(world, "biopsies", FILES)

    def change(name: str) -> None:
        flip(world, name, 500)
        stored = world.blobs.put(name, [world.blobs.objects[name]])
        with world.database.transaction():
            world.database.execute(
                text("update vault_objects set sha256 = :sha256 where id = :id"), {"sha256": stored.sha256, "id": name}
            )

    for name in sorted(world.parts.versions.objects(version.id)):
        change(name)
        assert [one.object_id for one in damage(world, 1.0)] == [name]
        change(name)
        assert damage(world) == []


def test_a_record_that_does_not_hold_is_seen_without_reading(world: World) -> None:
    old, version = a_push(world, "biopsies", FILES), a_push(world, "biopsies", FILES)
    with world.database.transaction():
        world.parts.versions.save(replace(version, record=old.record))
    (seen,) = damage(world)
    assert (seen.version, seen.object_id) == (version.id, "")
    assert "another version" in seen.why
    with world.database.transaction():
        world.parts.versions.save(version)
    assert damage(world) == []


def test_a_row_taken_out_of_a_versions_list_is_seen_before_it_is_collected(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    name = object_of(world, version, "a.csv")
    with world.database.transaction():
        world.database.execute(text("delete from vault_version_objects where object = :name"), {"name": name})
    (seen,) = damage(world, 1.0)
    assert "would be collected" in seen.why


def test_a_key_that_does_not_open_is_seen_and_one_that_is_away_is_nobodys_damage(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    world.parts.cipher.forget_all()
    world.keyring.away = True
    found = walk(world, 1.0)
    assert not [each for one in found for each in one.damage]
    assert sum(one.by_hash for one in found) == 3
    world.keyring.away = False
    with world.database.transaction():
        world.parts.versions.save(replace(version, wrapped_key=other_end(version.wrapped_key)))
    assert [(one.version, one.object_id) for one in damage(world)] == [(version.id, "")]


def test_a_shared_object_counts_for_every_version_and_is_read_once(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "biopsies", FILES)
    shared = object_of(world, first, "a.csv")
    with world.database.transaction():
        world.database.execute(
            text("insert into vault_version_objects (version, object) values (:version, :object)"),
            {"version": second.id, "object": shared},
        )
    found = walk(world, 1.0)
    assert sum(one.read_objects for one in found) == 6
    flip(world, shared, 500)
    (seen,) = damage(world, 1.0)
    assert world.vault.checking.numbers(seen) == [1, 2]
    for version in (first, second):
        assert [one.object_id for one in world.vault.checking.damage_of_version(version.id)] == [shared]
    # Of many at once the same: their own, that of what they share, and of a sound one nothing.
    sound = a_push(world, "scans", FILES)
    with world.database.transaction():
        world.parts.versions.save(replace(first, wrapped_key=other_end(first.wrapped_key)))
    damage(world)
    ids = [first.id, second.id, sound.id]
    each = {one: world.vault.checking.damage_of_version(one) for one in ids}
    assert [len(each[one]) for one in ids] == [2, 1, 0]
    assert world.vault.checking.damage_of_versions(ids) == {one: found for one, found in each.items() if found}


def test_damage_stands_in_the_log_once_and_its_version_still_opens(world: World) -> None:
    """An event about the version itself would be newer than its record, and then the record would not be believed."""
    version = a_push(world, "biopsies", FILES)
    flip(world, object_of(world, version, "b/c.csv"), 500)
    for _ in range(3):
        assert len(damage(world, 1.0)) == 1
    events = [one.action for one in world.audit.events(by=SYSTEM, limit=100, subject=version.dataset).items]
    assert events.count("damage.found") == 1
    assert world.vault.open("biopsies", project="lab", by=world.hanna).manifest_key
    flip(world, object_of(world, version, "b/c.csv"), 500)
    damage(world)
    events = [one.action for one in world.audit.events(by=SYSTEM, limit=100, subject=version.dataset).items]
    assert events.count("damage.mended") == 1


def test_what_is_pushed_on_a_damaged_version_builds_on_nothing_of_it(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    assert world.vault.parent_of(upload, by=world.hanna)
    world.blobs.delete(object_of(world, version, "a.csv"))
    damage(world)
    assert world.vault.parent_of(upload, by=world.hanna) is None


def test_erased_and_removed_data_is_not_looked_for(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "scans", FILES)
    a_push(world, "scans", FILES)
    world.vault.remove_version("scans@1", project="lab", by=world.hanna)
    asked, dataset = world.vault.erasing.ask("biopsies", "why", project="lab", by=world.hanna)
    world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna)
    world.vault.collecting.collect(by=OPERATOR)
    found = walk(world, 1.0)
    assert (sum(one.versions for one in found), sum(one.objects for one in found)) == (1, 3)
    assert not [each for one in found for each in one.damage]


def arriving(world: World, name: str = "scans") -> tuple[str, str]:
    """A file half of which arrived at a dataset without versions: its id, and that of its object."""
    world.vault.create("lab", name, by=world.hanna)
    one = world.vault.arriving.begin_alone("lab", name, "a.csv", 6, by=world.hanna)
    world.vault.arriving.take(one.id, 0, [b"abc"], by=world.hanna)
    (stretch,) = world.parts.arrivals.stretches(one.id)
    return one.id, stretch.object_id


def test_a_file_on_its_way_in_is_looked_at_and_its_damage_goes_with_it(world: World) -> None:
    kept, _ = arriving(world)
    given_up, name = arriving(world, "biopsies")
    assert sum(one.authenticated for one in walk(world, 1.0)) == 2
    flip(world, name, 500)
    assert [one.object_id for one in damage(world, 1.0)] == [name]
    world.vault.arriving.give_up(given_up, by=world.hanna)
    assert list(world.parts.damages.all(limit=9)) == damage(world, 1.0) == []
    assert world.vault.arriving.look(kept, by=world.hanna)[0].arrived == 3


def test_a_file_that_nobody_went_on_with_is_not_looked_for_once_it_was_collected(world: World) -> None:
    _, name = arriving(world)
    flip(world, name, 500)
    assert [one.object_id for one in damage(world, 1.0)] == [name]
    world.clock.move(OPEN_FOR)
    world.vault.collecting.collect(by=OPERATOR)
    assert list(world.blobs.names()) == []
    assert list(world.parts.damages.all(limit=9)) == damage(world, 1.0) == []
    world.vault.arriving.forget_overdue()
    assert damage(world, 1.0) == []


def while_looking(world: World, act: Callable[[], object], *, at: str = "") -> list[Damage]:
    """A walk during which `act` happens, once an object is about to be looked at: the first, or `at`."""
    size = world.blobs.size

    def sized(name: str) -> int:
        if at in {"", name}:
            world.blobs.size = size  # type: ignore[method-assign]
            act()
        return size(name)

    world.blobs.size = sized  # type: ignore[method-assign]
    return damage(world)


def collected_after(world: World, act: Callable[[], object]) -> None:
    act()
    world.vault.collecting.collect(by=OPERATOR)


def erased(world: World) -> None:
    asked, dataset = world.vault.erasing.ask("biopsies", "why", project="lab", by=world.hanna)
    world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna)


@pytest.mark.parametrize("how", ["removed", "erased", "given up", "overdue", "unsealed"])
def test_what_goes_lawfully_while_it_is_looked_at_is_nobodys_damage(world: World, how: str) -> None:
    a_push(world, "biopsies", FILES)
    if how in {"given up", "overdue"}:
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
        world.vault.collecting.collect(by=OPERATOR)
        arrival, _ = arriving(world)
    if how == "unsealed":
        world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)
        room = world.vault.room("prj_1")
        sealed = world.vault.safe.put(room, [b"a file of a run"]).id
    acts: dict[str, Callable[[], object]] = {
        "removed": lambda: world.vault.remove_version("biopsies@1", project="lab", by=world.hanna),
        "erased": lambda: erased(world),
        "given up": lambda: world.vault.arriving.give_up(arrival, by=world.hanna),
        "overdue": lambda: world.clock.move(OPEN_FOR),
        "unsealed": lambda: world.vault.safe.remove(room, sealed),
    }
    assert while_looking(world, lambda: collected_after(world, acts[how])) == []
    assert list(world.blobs.names()) == list(world.parts.damages.all(limit=9)) == []


def test_what_is_being_collected_is_nobodys_damage(world: World) -> None:
    """Killed between its end in the store and that of its records."""
    _, name = arriving(world)
    world.clock.move(OPEN_FOR)
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(world.parts.leftovers, "forget", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.vault.collecting.collect(by=OPERATOR)
    assert name not in set(world.blobs.names())
    assert damage(world, 1.0) == []


def test_damage_that_another_version_has_stays_when_the_first_is_removed(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "biopsies", FILES)
    shared = object_of(world, first, "a.csv")
    with world.database.transaction():
        world.database.execute(
            text("insert into vault_version_objects (version, object) values (:version, :object)"),
            {"version": second.id, "object": shared},
        )
    world.blobs.delete(shared)
    remove = lambda: world.vault.remove_version("biopsies@1", project="lab", by=world.hanna)  # noqa: E731
    assert {one.object_id for one in while_looking(world, remove, at=shared)} == {shared}


def test_a_walk_in_the_smallest_stretches_sees_the_same(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    a_push(world, "scans", FILES)
    room = world.vault.room("prj_1")
    for number in range(3):
        world.vault.safe.put(room, [str(number).encode()])
    flip(world, object_of(world, version, "b/c.csv"), 500)
    for bounds in ({"objects_max": 1}, {"bytes_max": 1}):
        found = walk(world, 1.0, **bounds)
        assert sum(one.objects for one in found) == 9
        assert sum(one.versions for one in found) == 2
        assert len([each for one in found for each in one.damage]) == 1


def test_checking_is_for_operators_and_of_a_share(world: World) -> None:
    with pytest.raises(NotPermitted):
        world.vault.checking.check(Position(), Sample(0), by=world.hanna)
    with pytest.raises(NotPermitted):
        world.vault.scrubbing.standing(by=world.hanna)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInput):
            world.vault.checking.check(Position(), Sample(share), by=OPERATOR)


# The background pass.


def scrubbing(world: World, days: int = 10) -> Scrubbing:
    return Scrubbing(world.parts, world.vault.checking, days=days)


def go_on(scrub: Scrubbing, **bounds: int) -> int:
    rounds = 1
    while scrub.go_on(**bounds):
        rounds += 1
    return rounds


def test_a_pass_reads_as_much_each_day_and_marks_what_it_read(world: World) -> None:
    versions = [a_push(world, f"set-{number}", {"f": os.urandom(2_000)}) for number in range(10)]
    scrub, read = scrubbing(world), []
    for _ in range(11):
        go_on(scrub, bytes_max=1)
        read.append(world.parts.passes.newest().bytes_read)  # type: ignore[union-attr]
        world.clock.move(timedelta(days=1))
    whole = sum(world.blobs.size(name) for name in world.blobs.names())
    assert read[-1] == whole
    assert all(abs(read[day] - whole * day / 10) < 3_000 for day in range(10))
    assert all(again(world, one).verified_at for one in versions)
    ended = world.vault.scrubbing.standing(by=OPERATOR).last
    assert ended is not None
    assert (ended.bytes_read, ended.damaged) == (whole, 0)


def test_the_next_pass_begins_when_the_days_are_over_and_not_before(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    scrub, first, verified = scrubbing(world), "", []
    for day in range(21):
        go_on(scrub)
        newest = world.parts.passes.newest()
        assert newest is not None
        first = first or newest.id
        assert (newest.id == first) == (day <= 10), "ten days, and whatever begins after them"
        verified.append(again(world, version).verified_at)
        world.clock.move(timedelta(days=1))
    assert len(set(verified)) == 2, "read once in each pass"


def test_a_damaged_version_is_not_verified_and_the_pass_goes_on(world: World) -> None:
    bad, good = a_push(world, "biopsies", FILES), a_push(world, "scans", FILES)
    flip(world, object_of(world, bad, "a.csv"), 500)
    scrub = scrubbing(world)
    go_on(scrub)
    world.clock.move(timedelta(days=10))
    go_on(scrub)
    assert again(world, bad).verified_at is None
    assert again(world, good).verified_at is not None
    standing = world.vault.scrubbing.standing(by=OPERATOR)
    assert standing.last is not None
    assert (standing.last.damaged, len(standing.damage)) == (1, 1)


def test_a_version_is_verified_no_later_than_what_it_builds_on(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "biopsies", FILES)
    with world.database.transaction():
        world.database.execute(
            text("insert into vault_version_objects (version, object) values (:version, :object)"),
            {"version": second.id, "object": object_of(world, first, "a.csv")},
        )
    at, looked = Position(), []
    while at is not None:
        found = world.vault.checking.look(at, Sample(1.0), objects_max=100, bytes_max=2**20)
        looked.append(world.clock.now())
        world.clock.move(timedelta(days=3))
        at = found.next  # type: ignore[assignment]
    assert again(world, first).verified_at == again(world, second).verified_at == looked[0]


def test_a_stretch_that_was_killed_is_read_again_by_another_worker_later(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    one, other = scrubbing(world), scrubbing(world)
    taken = one._taken()
    assert taken is not None
    world.clock.move(timedelta(minutes=10))
    assert go_on(other) == 1
    assert world.parts.passes.newest() == taken, "it is held"
    world.clock.move(timedelta(days=10))
    go_on(other)
    assert again(world, version).verified_at is not None


def test_a_store_that_is_away_ends_a_stretch_and_the_next_goes_on(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    scrub, size = scrubbing(world), world.blobs.size

    def away(name: str) -> int:
        raise Unavailable(f"no {name}")

    world.clock.move(timedelta(days=10))
    world.blobs.size = away  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        scrub.go_on()
    world.blobs.size = size  # type: ignore[method-assign]
    go_on(scrub)
    world.clock.move(timedelta(days=10))
    go_on(scrub)
    assert again(world, version).verified_at is not None
    assert list(world.parts.damages.all(limit=1)) == []


def test_zero_days_is_never(world: World) -> None:
    a_push(world, "biopsies", FILES)
    assert go_on(scrubbing(world, days=0)) == 1
    assert world.parts.passes.newest() is None
