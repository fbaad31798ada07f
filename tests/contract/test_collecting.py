"""Collection on both databases: what is named stays, what is not goes, and a run that was killed anywhere is ended by the next."""

import hashlib
import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from fabriek.adapters.blobs_local import LocalBlobs, standing_still
from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import Damaged, FabriekError, NotFound, NotPermitted, Stale, Unavailable, WrongState
from fabriek.sealing.book import Book
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.objects import open_bytes, seal_bytes
from fabriek.sealing.pages import Page, read_page, write_page
from fabriek.vault.care import collecting, leftovers
from fabriek.vault.care.collecting import Collected
from fabriek.vault.care.leftovers import ORPHAN_AGE, Why
from fabriek.vault.keeping.holds import Retention
from fabriek.vault.paging import PageReader
from fabriek.vault.pushing import Committed
from fabriek.vault.uploads import OPEN_FOR, Progress, Upload
from fabriek.vault.versions import Version
from tests.factories.vault import World, a_grant_read, a_push, a_world, fill

OFFICER = Caller("per_sofie", "org_factory", rights=frozenset({"data.hold"}))
OPERATOR = Caller("per_olga", "org_factory", rights=frozenset({"vault.collect"}))
FILES = {"a.csv": b"in a", "b/c.csv": b"in c"}


@pytest.fixture
def world(database: Database) -> World:
    return a_world(database)


def collect(world: World, **how: bool) -> Collected:
    return world.vault.collecting.collect(by=OPERATOR, **how)


def freed(found: Collected) -> dict[str, int]:
    return {str(heap.why): heap.objects for heap in found.freed}


def sent(world: World, upload: Upload, count: int = 2) -> list[str]:
    """Objects that arrived for an upload that nobody commits."""
    names = world.vault.mint(upload.id, count, by=world.hanna)
    for name in names:
        world.vault.put_object(upload.id, name, [os.urandom(100)], by=world.hanna)
    return list(names)


def everything_opens(world: World, name: str = "biopsies") -> None:
    for version in world.vault.versions(name, project="lab", by=world.hanna):
        opened = world.vault.open(version.id, by=world.hanna)
        for path in FILES:
            assert a_grant_read(world, opened, path, by=world.hanna)


def remove(world: World, reference: str) -> None:
    with world.database.transaction():
        world.parts.grants.end(
            world.clock.now(), dataset=world.vault.find(reference.partition("@")[0], project="lab", by=world.hanna).id
        )
    world.vault.remove_version(reference, project="lab", by=world.hanna)


def test_what_a_removed_version_alone_used_goes_and_what_another_uses_stays(world: World) -> None:
    first, second = a_push(world, "biopsies", FILES), a_push(world, "biopsies", FILES)
    gone, kept = world.parts.versions.objects(first.id), world.parts.versions.objects(second.id)
    remove(world, "biopsies@1")
    assert freed(world.vault.collecting.plan(by=OPERATOR)) == {"unused": 3}
    assert set(world.blobs.names()) == gone | kept, "a plan changes nothing"
    found = collect(world)
    assert (freed(found), found.more) == ({"unused": 3}, False)
    assert found.freed[0].size_bytes > 0
    assert set(world.blobs.names()) == kept
    everything_opens(world)
    assert freed(collect(world)) == {}


def test_an_upload_keeps_what_it_brought_until_its_time_is_over(world: World) -> None:
    a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    brought = set(sent(world, upload))
    world.clock.move(OPEN_FOR - timedelta(seconds=1))
    assert freed(collect(world)) == {}
    assert brought <= set(world.blobs.names())
    world.clock.move(timedelta(seconds=1))
    assert freed(collect(world)) == {"abandoned": 2}
    assert not brought & set(world.blobs.names())
    assert world.parts.uploads.get(upload.id).progress is Progress.ABANDONED
    with pytest.raises(WrongState, match="left open for too long"):
        fill(world, upload, FILES, by=world.hanna)
    everything_opens(world)


def test_what_an_upload_named_is_kept_with_it_and_no_trace_of_it_stays(world: World) -> None:
    first = a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    named, other = sent(world, upload)
    world.vault.use(upload.id, {named}, {first.facts.manifest}, by=world.hanna)
    assert freed(collect(world)) == {}
    world.vault.use(upload.id, {other}, by=world.hanna)
    world.clock.move(OPEN_FOR)
    assert freed(collect(world)) == {"abandoned": 2}
    with pytest.raises(WrongState, match="left open for too long"):
        world.vault.use(upload.id, {named}, by=world.hanna)
    with world.database.transaction():
        assert world.database.scalar(text("select count(*) from vault_left_objects")) == 0
    everything_opens(world)


def test_a_push_on_its_parent_lives_without_it_and_its_pages_stay(world: World) -> None:
    first = a_push(world, "biopsies", FILES)
    second = change(world, "biopsies")
    shared = world.parts.versions.objects(first.id) & world.parts.versions.objects(second.id)
    assert len(shared) == 2
    remove(world, "biopsies@1")
    assert freed(collect(world)) == {"unused": 1}
    assert set(world.blobs.names()) == world.parts.versions.objects(second.id)
    everything_opens(world)


def test_a_name_that_was_never_used_is_forgotten_and_frees_nothing(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    world.vault.mint(upload.id, 10, by=world.hanna)
    fill(world, upload, FILES, by=world.hanna)
    assert freed(world.vault.collecting.plan(by=OPERATOR)) == freed(collect(world)) == {}
    with world.database.transaction():
        assert world.database.scalar(text("select count(*) from vault_objects")) == 3
    everything_opens(world)


def test_an_upload_that_was_closed_stays_closed_when_the_clock_is_put_back(world: World) -> None:
    a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    world.clock.move(OPEN_FOR)
    collect(world)
    world.clock.move(-OPEN_FOR)
    with pytest.raises(WrongState, match="left open for too long"):
        fill(world, upload, FILES, by=world.hanna)


def test_what_was_sent_and_never_named_by_its_version_goes(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    twice = set(sent(world, upload, 3))
    fill(world, upload, FILES, by=world.hanna)
    assert freed(collect(world)) == {"unused": 3}
    assert not twice & set(world.blobs.names())
    everything_opens(world)


def test_a_hold_keeps_everything_also_what_was_removed_before_it(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    sent(world, upload)
    remove(world, "biopsies@1")
    world.vault.erasing.hold("biopsies", "a court asked", project="lab", by=OFFICER)
    world.clock.move(OPEN_FOR)
    before = set(world.blobs.names())
    found = collect(world)
    assert (freed(found), {str(one.why): one.objects for one in found.kept}) == ({}, {"abandoned": 2, "unused": 3})
    assert set(world.blobs.names()) == before
    world.vault.erasing.unhold("biopsies", "over", project="lab", by=OFFICER)
    assert freed(collect(world)) == {"abandoned": 2, "unused": 3}


def test_a_promise_to_keep_covers_what_was_a_version_and_not_what_never_was(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    sent(world, world.vault.open_upload("lab", "biopsies", by=world.hanna))
    remove(world, "biopsies@1")
    until = world.clock.today() + timedelta(days=30)
    world.vault.erasing.retain("biopsies", Retention(until, None), project="lab", by=world.hanna)
    world.clock.move(OPEN_FOR)
    assert freed(collect(world)) == {"abandoned": 2}
    world.clock.move(timedelta(days=30))
    assert freed(collect(world)) == {"unused": 3}
    everything_opens(world)


def test_a_hold_set_after_a_run_was_killed_keeps_what_is_left(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    remove(world, "biopsies@1")
    with dying(world, 2), pytest.raises(Killed):
        collect(world)
    left = set(world.blobs.names())
    world.vault.erasing.hold("biopsies", "a court asked", project="lab", by=OFFICER)
    collect(world)
    assert set(world.blobs.names()) == left
    world.vault.erasing.unhold("biopsies", "over", project="lab", by=OFFICER)
    collect(world)
    assert len(set(world.blobs.names())) == 3


def test_what_an_erasure_left_behind_goes_with_uploads_that_were_open(world: World) -> None:
    a_push(world, "scans", FILES)
    a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    sent(world, upload)
    asked, dataset = world.vault.erasing.ask("biopsies", "why", project="lab", by=world.hanna)
    world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna)
    assert freed(collect(world)) == {"erased": 2}
    assert len(set(world.blobs.names())) == 3
    everything_opens(world, "scans")


def test_an_object_that_no_record_names_goes_once_it_was_seen_for_a_day(world: World) -> None:
    a_push(world, "biopsies", FILES)
    world.blobs.put("obj_lost", [b"12345"])
    assert collect(world).waiting == 1
    world.clock.move(ORPHAN_AGE - timedelta(seconds=1))
    assert (collect(world).waiting, "obj_lost" in set(world.blobs.names())) == (1, True)
    world.clock.move(timedelta(seconds=1))
    (heap,) = collect(world).freed
    assert (heap.why, heap.objects, heap.size_bytes) == (Why.ORPHAN, 1, 5)
    assert "obj_lost" not in set(world.blobs.names())
    everything_opens(world)


def frozen_between(world: World, act: Callable[[], object]) -> str:
    """Seals something here, and does `act` after its bytes are in the store and before its record is written; the object's id."""
    put = world.blobs.put

    def frozen(*given: Any, **how: Any) -> Any:
        stored = put(*given, **how)
        act()
        return stored

    world.blobs.put = frozen  # type: ignore[method-assign]
    try:
        return world.vault.safe.put(world.vault.room("prj_1"), [b"kept"]).id
    finally:
        world.blobs.put = put  # type: ignore[method-assign]


@pytest.mark.parametrize("ends", [True, False])
def test_what_is_sealed_here_has_its_record_in_time_or_is_refused(world: World, *, ends: bool) -> None:
    """A server that was frozen between the bytes and their record, nearly as long as an orphan lives, and longer."""

    def seen_and_waited(*, for_: timedelta, at_step: int | None = None) -> None:
        collect(world)
        world.clock.move(for_)
        try:
            with dying(world, 10**6 if at_step is None else at_step):
                collect(world)
        except Killed:
            pass

    name = frozen_between(world, lambda: seen_and_waited(for_=ORPHAN_AGE - timedelta(minutes=1)))
    world.clock.move(ORPHAN_AGE)
    collect(world)
    assert b"".join(world.vault.safe.open(world.vault.room("prj_1"), name)) == b"kept"
    with pytest.raises(Unavailable, match="collected meanwhile"):
        # Killed once it is doomed and not deleted yet, or ended.
        frozen_between(world, lambda: seen_and_waited(for_=ORPHAN_AGE, at_step=None if ends else 6))
    collect(world)
    assert set(world.blobs.names()) == {name}


def test_a_store_of_which_the_records_know_little_is_not_emptied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh database on an old store, or two factories on one bucket."""
    monkeypatch.setattr(leftovers, "ORPHANS_FREE", 4)
    a_push(world, "biopsies", FILES)
    for number in range(5):
        world.blobs.put(f"obj_old{number}", [b"another factory's"])
    collect(world)
    world.clock.move(ORPHAN_AGE)
    found = collect(world)
    assert (freed(found), found.doubted) == ({}, 5)
    assert world.vault.collecting.plan(by=OPERATOR).doubted == 5
    assert freed(collect(world, despite_doubt=True)) == {"orphan": 5}


def test_a_name_that_we_did_not_make_is_left_alone(world: World) -> None:
    for name in ("lost+found", "obj_UPPER", "notes.txt", "obj_1.beef"):
        world.blobs.objects[name] = b"x"
    collect(world)
    world.clock.move(ORPHAN_AGE)
    collect(world)
    assert len(world.blobs.objects) == 4


def test_collecting_is_for_operators_and_stands_in_the_log(world: World) -> None:
    with pytest.raises(NotPermitted):
        world.vault.collecting.collect(by=world.hanna)
    with pytest.raises(NotPermitted):
        world.vault.collecting.plan(by=world.hanna)
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    remove(world, "biopsies@1")
    collect(world)
    dataset = world.vault.find("biopsies", project="lab", by=world.hanna)
    events = [
        one
        for one in world.audit.events(by=SYSTEM, limit=10, subject=dataset.id).items
        if one.action == "objects.collected"
    ]
    assert len(events) == 1
    assert '"objects":3' in events[0].facts
    everything_opens(world)


def test_a_call_does_a_bounded_part_and_says_that_there_is_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "BATCH", 2)
    monkeypatch.setattr(collecting, "OBJECTS_AT_ONCE", 4)
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    sent(world, upload, 9)
    fill(world, upload, FILES, by=world.hanna)
    calls = 0
    while True:
        calls += 1
        if not collect(world).more:
            break
    assert calls == 3
    assert len(set(world.blobs.names())) == 3


class counting:  # noqa: N801  # reads as a word
    """How often something is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, of: object, name: str) -> None:
        self.times, act = 0, getattr(of, name)

        def counted(*given: Any, **named: Any) -> Any:
            self.times += 1
            return act(*given, **named)

        monkeypatch.setattr(of, name, counted)


def test_what_is_kept_costs_a_run_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a hold or a promise keeps: it is counted in one question, and gone through by none."""
    monkeypatch.setattr(collecting, "BATCH", 2)
    for name in ("held", "promised"):
        for _ in range(3):
            a_push(world, name, FILES)
        for number in (1, 2):
            remove(world, f"{name}@{number}")
    until = world.clock.today() + timedelta(days=30)
    world.vault.erasing.retain("promised", Retention(until, None), project="lab", by=world.hanna)
    with dying(world, 2), pytest.raises(Killed):
        collect(world)  # some of it is doomed when the hold comes
    world.vault.erasing.hold("held", "a court asked", project="lab", by=OFFICER)
    asked = [
        counting(monkeypatch, world.parts.leftovers, name) for name in ("unnamed", "doomed", "heaps", "still_unnamed")
    ]
    holds = counting(monkeypatch, world.keeping.holds, "standing_on")
    found = collect(world)
    assert ({str(one.why): one.objects for one in found.kept}, found.more) == ({"unused": 12}, False)
    assert ([one.times for one in asked], holds.times) == ([1, 1, 1, 0], 0)


def test_whether_a_dataset_is_held_is_asked_once_for_all_of_its_objects(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    sent(world, upload, 20)
    world.clock.move(OPEN_FOR)
    holds = counting(monkeypatch, world.keeping.holds, "standing_on")
    assert freed(collect(world)) == {"abandoned": 20}
    assert holds.times == 2, "when they are doomed, and before they are deleted"


def test_what_the_database_says_is_kept_is_what_the_rules_say(world: World) -> None:
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    sent(world, world.vault.open_upload("lab", "biopsies", by=world.hanna))
    remove(world, "biopsies@1")
    world.clock.move(OPEN_FOR)
    erasing, seen = world.vault.erasing, set[tuple[str, bool]]()

    def agree() -> None:
        for heap in world.parts.leftovers.heaps(world.clock.now(), world.clock.today()):
            assert heap.is_kept is not world.vault.collecting._may_go(heap.dataset, heap.why)
            seen.add((str(heap.why), heap.is_kept))

    agree()
    last = world.clock.today() + timedelta(days=2)
    erasing.retain("biopsies", Retention(last, None), project="lab", by=world.hanna)
    for _ in range(4):  # before that day, on it, and after it
        agree()
        world.clock.move(timedelta(days=1))
    erasing.hold("biopsies", "a court asked", project="lab", by=OFFICER)
    agree()
    erasing.unhold("biopsies", "over", project="lab", by=OFFICER)
    agree()
    asked, dataset = erasing.ask("biopsies", "why", project="lab", by=world.hanna)
    erasing.confirm(asked.id, dataset.name, by=world.hanna)
    agree()
    assert seen == {
        ("abandoned", False), ("abandoned", True), ("unused", False), ("unused", True), ("erased", False),
    }  # fmt: skip


def test_uploads_are_closed_and_orphans_doomed_by_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "BATCH", 2)
    monkeypatch.setattr(collecting, "OBJECTS_AT_ONCE", 4)
    a_push(world, "biopsies", FILES)
    uploads = [world.vault.open_upload("lab", "biopsies", by=world.hanna) for _ in range(9)]
    for number in range(5):
        world.blobs.put(f"obj_lost{number}", [b"x"])
    assert collect(world).waiting == 5
    world.clock.move(OPEN_FOR)
    closed, found = list[int](), None
    while found is None or found.more:
        found = collect(world)
        now = [world.parts.uploads.get(one.id).progress is Progress.ABANDONED for one in uploads]
        closed.append(sum(now))
        assert list(found.kept) == []
    assert closed[:3] == [4, 8, 9]
    assert len(set(world.blobs.names())) == 3
    everything_opens(world)


def keys_kept(world: World) -> int:
    return int(world.database.scalar(text("select count(*) from vault_object_keys")))


def test_files_on_their_way_in_stay_and_go_with_their_upload(world: World) -> None:
    taking = world.vault.arriving
    a_push(world, "biopsies", FILES)
    one = taking.begin_alone("lab", "biopsies", "late.csv", 6, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    world.clock.move(OPEN_FOR - timedelta(seconds=1))
    assert freed(collect(world)) == {}
    taking.take(one.id, 3, [b"def"], by=world.hanna)
    assert keys_kept(world) == 0, "they stand in the manifest"
    other = taking.begin_alone("lab", "biopsies", "never.csv", 6, by=world.hanna)
    taking.take(other.id, 0, [b"abc"], by=world.hanna)
    world.clock.move(OPEN_FOR)
    assert freed(collect(world)) == {"abandoned": 1}
    assert keys_kept(world) == 0
    taking.forget_overdue()
    everything_opens(world)
    opened = world.vault.open("biopsies", project="lab", by=world.hanna)
    assert a_grant_read(world, opened, "late.csv", by=world.hanna) == b"abcdef"


# The races between a push and a collector, each at its narrowest.


def at_the_last_moment(world: World, act: Callable[[], object]) -> None:
    """Runs `act` when the next commit has checked its objects and is about to write."""
    sign = world.keyring.sign

    def signing(message: bytes) -> bytes:
        world.keyring.sign = sign  # type: ignore[method-assign]
        act()
        return sign(message)

    world.keyring.sign = signing  # type: ignore[method-assign]


def test_a_push_that_builds_on_a_version_removed_and_collected_under_it_is_refused(world: World) -> None:
    first = a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    inherited = world.parts.versions.objects(first.id) - {first.facts.manifest}
    (manifest,) = sent(world, upload, 1)
    said = Committed(
        manifest, bytes(32), 2, 8, "0" * 64, len(inherited), left=frozenset({first.facts.manifest}), on_parent=True
    )

    def vanish() -> None:
        remove(world, "biopsies@1")
        collect(world)

    at_the_last_moment(world, vanish)
    with pytest.raises(WrongState, match="removed meanwhile"):
        world.vault.commit(upload.id, said, by=world.hanna)
    assert world.vault.versions("biopsies", project="lab", by=world.hanna) == []
    a_push(world, "biopsies", FILES)
    everything_opens(world)


@pytest.mark.parametrize("before", [0, 1])
def test_what_is_added_to_a_version_that_is_removed_under_it_is_added_to_the_one_before(
    world: World, before: int
) -> None:
    for _ in range(before + 1):
        a_push(world, "biopsies", FILES)
    taking = world.vault.arriving
    one = taking.begin_alone("lab", "biopsies", "late.csv", 3, by=world.hanna)

    def vanish() -> None:
        remove(world, f"biopsies@{before + 1}")
        collect(world)

    at_the_last_moment(world, vanish)
    _, upload = taking.take(one.id, 0, [b"abc"], by=world.hanna)
    version = world.parts.versions.get(upload.version)
    assert (version.number, version.facts.files) == (before + 2, 1 + before * len(FILES))
    opened = world.vault.open(version.id, by=world.hanna)
    for path, body in ({"late.csv": b"abc"} | (FILES if before else {})).items():
        assert a_grant_read(world, opened, path, by=world.hanna) == body


@pytest.mark.parametrize("before", [0, 1])
def test_what_is_added_to_a_version_whose_pages_go_before_they_are_read_is_added_to_the_one_before(
    world: World, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    for _ in range(before + 1):
        a_push(world, "biopsies", FILES)
    taking, book, read = world.vault.arriving, PageReader.book, list[int]()
    one = taking.begin_alone("lab", "biopsies", "late.csv", 3, by=world.hanna)

    def later(self: PageReader, version: Version) -> Book:
        read.append(version.number)
        if len(read) == 1:
            remove(world, f"biopsies@{version.number}")
            assert freed(collect(world)) == {"unused": 3}
        return book(self, version)

    monkeypatch.setattr(PageReader, "book", later)
    _, upload = taking.take(one.id, 0, [b"abc"], by=world.hanna)
    assert read == [before + 1, before][: before + 1]
    version = world.parts.versions.get(upload.version)
    assert (version.number, version.facts.files) == (before + 2, 1 + before * len(FILES))
    opened = world.vault.open(version.id, by=world.hanna)
    for path, body in ({"late.csv": b"abc"} | (FILES if before else {})).items():
        assert a_grant_read(world, opened, path, by=world.hanna) == body


def test_pages_that_are_gone_of_a_version_that_stands_are_damage(world: World) -> None:
    version = a_push(world, "biopsies", FILES)
    taking = world.vault.arriving
    one = taking.begin_alone("lab", "biopsies", "late.csv", 3, by=world.hanna)
    world.blobs.delete(version.facts.manifest)
    with pytest.raises(Damaged, match="gone from the store"):
        taking.take(one.id, 0, [b"abc"], by=world.hanna)
    assert [one.id for one in world.vault.versions("biopsies", project="lab", by=world.hanna)] == [version.id]


def test_who_adds_to_the_newest_version_is_told_to_do_it_again_when_that_one_is_removed(world: World) -> None:
    """And not that nothing can be built: clients do it again by themselves."""
    first = a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    inherited = world.parts.versions.objects(first.id) - {first.facts.manifest}
    (manifest,) = sent(world, upload, 1)
    left = frozenset({first.facts.manifest})
    said = Committed(manifest, bytes(32), 2, 8, "0" * 64, len(inherited), left=left, on_parent=True)
    at_the_last_moment(world, lambda: remove(world, "biopsies@1"))
    with pytest.raises(Stale):
        world.vault.commit(upload.id, said, on_newest=True, by=world.hanna)


def test_a_push_whose_time_ends_while_it_commits_is_a_version_or_refused(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)

    def too_late() -> None:
        world.clock.move(OPEN_FOR)
        assert collect(world).freed

    at_the_last_moment(world, too_late)
    with pytest.raises(WrongState, match="left open for too long"):
        fill(world, upload, FILES, by=world.hanna)
    assert set(world.blobs.names()) == set()


def test_a_push_that_reuses_its_parents_objects_keeps_them_when_the_parent_goes(world: World) -> None:
    first = a_push(world, "biopsies", FILES)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    inherited = world.parts.versions.objects(first.id) - {first.facts.manifest}
    (manifest,) = sent(world, upload, 1)
    world.vault.commit(
        upload.id,
        Committed(
            manifest, bytes(32), 2, 8, "0" * 64, len(inherited), left=frozenset({first.facts.manifest}), on_parent=True
        ),
        by=world.hanna,
    )
    remove(world, "biopsies@1")
    assert freed(collect(world)) == {"unused": 1}, "the first one's manifest alone"
    assert inherited | {manifest} == set(world.blobs.names())


def test_an_object_that_arrives_after_its_upload_was_collected_is_refused_and_goes(world: World) -> None:
    world.vault.create("lab", "biopsies", by=world.hanna)
    upload = world.vault.open_upload("lab", "biopsies", by=world.hanna)
    (name,) = world.vault.mint(upload.id, 1, by=world.hanna)

    def slowly() -> Any:
        yield b"half"
        world.clock.move(OPEN_FOR)
        collect(world)
        yield b"half"

    with pytest.raises(WrongState, match="left open for too long"):
        world.vault.put_object(upload.id, name, slowly(), by=world.hanna)
    collect(world)
    world.clock.move(ORPHAN_AGE)
    collect(world)
    assert set(world.blobs.names()) == set()


def test_the_end_of_a_job_does_not_open_an_upload_again(world: World) -> None:
    upload = world.vault.output_for_job("prj_1", "job_1", "open")
    read = world.parts.uploads.of_job

    def stale(job: str) -> Upload | None:
        found = read(job)
        world.clock.move(timedelta(days=8))
        collect(world)
        return found

    world.parts.uploads.of_job = stale  # type: ignore[method-assign]
    world.vault.end_uploads_of_job("job_1")
    assert world.parts.uploads.get(upload.id).progress is Progress.ABANDONED


def test_nothing_is_collected_while_a_backup_is_taken(database: Database, tmp_path: Any) -> None:
    world = a_world(database, blobs=LocalBlobs(tmp_path / "objects"))
    a_push(world, "biopsies", FILES)
    a_push(world, "biopsies", FILES)
    remove(world, "biopsies@1")
    with standing_still(tmp_path / "objects"), pytest.raises(Unavailable, match="backup"):
        collect(world)
    assert len(set(world.blobs.names())) == 6
    assert freed(collect(world)) == {"unused": 3}
    everything_opens(world)


class Killed(BaseException):
    """The server died here. Not an Exception, so that nobody catches it."""


class dying:  # noqa: N801  # reads as a word
    """Dies at the n-th step of a run: before or after any change of the database, any commit, and any deletion from the store."""

    def __init__(self, world: World, step: int) -> None:
        self._world, self._left = world, step
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> None:
        self._around(self._world.parts.blobs, "delete")
        for name in ("put", "spare", "forget"):
            self._around(self._world.parts.leftovers, name)
        self._around(self._world.parts.uploads, "save")
        self._around(self._world.audit, "record")

    def __exit__(self, *_: object) -> None:
        for undo in self._undo:
            undo()

    def _around(self, of: Any, name: str) -> None:
        act = getattr(of, name)

        def step(*given: Any, **named: Any) -> Any:
            self._tick()
            result = act(*given, **named)
            self._tick()
            return result

        setattr(of, name, step)
        self._undo.append(lambda: setattr(of, name, act))

    def _tick(self) -> None:
        if self._left <= 0:
            raise Killed
        self._left -= 1


@pytest.mark.parametrize("step", range(0, 40, 3))
def test_a_run_killed_at_any_step_loses_nothing_and_the_next_ends_it(world: World, step: int) -> None:
    kept = a_push(world, "scans", FILES)
    a_push(world, "biopsies", FILES)
    second = a_push(world, "biopsies", FILES)
    sent(world, world.vault.open_upload("lab", "scans", by=world.hanna))
    world.blobs.put("obj_lost", [b"x"])
    collect(world)
    world.clock.move(OPEN_FOR)
    remove(world, "biopsies@1")
    try:
        with dying(world, step):
            collect(world)
    except Killed:
        everything_opens(world)
        everything_opens(world, "scans")
    found = collect(world)
    assert not found.more
    assert set(world.blobs.names()) == world.parts.versions.objects(kept.id) | world.parts.versions.objects(second.id)
    everything_opens(world)
    everything_opens(world, "scans")


STEPS = 25
ACTS = (
    "push",
    "push",
    "push",
    "change",
    "change",
    "leave",
    "leave",
    "remove",
    "remove",
    "hold",
    "unhold",
    "unhold",
    "erase",
    "die",
    "die",
    "die",
    "wait",
)


def numbers_of(world: World, name: str) -> list[int]:
    return [one.number for one in world.vault.versions(name, project="lab", by=world.hanna)] or [1]


def change(world: World, name: str) -> Version:
    """The newest version with one file more, as a client pushes it: on the objects of its parent, but for the page that it writes anew."""
    upload = world.vault.open_upload("lab", name, by=world.hanna)
    parent = world.vault.parent_of(upload, by=world.hanna)
    if parent is None:
        return fill(world, upload, FILES, by=world.hanna)
    facts = parent.facts
    sealed = world.blobs.objects[facts.manifest]
    page = read_page(
        open_bytes(sealed, parent.manifest_key, object_context(facts.organisation, facts.dataset, facts.manifest))
    )
    inherited = world.parts.versions.objects(facts.version) - {facts.manifest}
    more, root = world.vault.mint(upload.id, 2, by=world.hanna)
    keys, body = {more: os.urandom(32), root: os.urandom(32)}, more.encode()
    file = File(
        f"z-{more}", 0o644, len(body), hashlib.sha256(body).hexdigest(), (Part(more, keys[more], 0, len(body)),)
    )
    page = Page(0, files=(*page.files, file))
    for object_id, plain in ((more, body), (root, write_page(page))):
        context = object_context(facts.organisation, facts.dataset, object_id)
        sealed = seal_bytes(plain, keys[object_id], context, os.urandom(24))
        world.vault.put_object(upload.id, object_id, [sealed], by=world.hanna)
    said = Committed(
        root, keys[root], page.count, page.size_bytes, page.sha256(), len(inherited) + 1, frozenset({more}), frozenset({facts.manifest}),
        on_parent=True,
    )  # fmt: skip
    return world.vault.commit(upload.id, said, by=world.hanna)


def live(world: World, name: str, chance: random.Random) -> None:
    """One random thing that happens to a dataset. Raises FabriekError where a rule refuses it, and Killed."""
    match chance.choice(ACTS):
        case "push":
            a_push(world, name, FILES)
        case "change":
            change(world, name)
        case "leave":
            upload = world.vault.open_upload("lab", name, by=world.hanna)
            world.vault.use(upload.id, sent(world, upload)[:1], by=world.hanna)
        case "remove":
            remove(world, f"{name}@{chance.choice(numbers_of(world, name))}")
        case "hold":
            world.vault.erasing.hold(name, "a court asked", project="lab", by=OFFICER)
        case "unhold":
            world.vault.erasing.unhold(name, "over", project="lab", by=OFFICER)
        case "erase" if chance.random() < 0.4:
            asked, dataset = world.vault.erasing.ask(name, "why", project="lab", by=world.hanna)
            world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna)
        case "wait":
            world.clock.move(timedelta(days=chance.choice((1, 8))))
        case "die":
            world.clock.move(timedelta(days=chance.choice((0, 0, 1, 8))))
            with dying(world, chance.randint(0, 12)):
                collect(world)


def end(world: World, names: list[str]) -> None:
    """Nothing is held any more, all time is over, and everything was collected."""
    for name in names:
        with suppress(WrongState):
            world.vault.erasing.unhold(name, "over", project="lab", by=OFFICER)
    for waits in (OPEN_FOR, ORPHAN_AGE):
        world.clock.move(waits)
        collect(world)


@pytest.mark.parametrize("seeds", [1, pytest.param(60, marks=pytest.mark.faults)])
def test_random_lives_of_datasets_lose_nothing_and_leave_nothing(world: World, seeds: int) -> None:
    """Pushes, removals, holds, erasures and runs that are killed, in random order; after each everything that stands opens."""
    kills = refused = 0
    for seed in range(seeds):
        chance = random.Random(seed)  # noqa: S311  # what is done is no secret
        names = names_of(seed)
        for name in names:
            a_push(world, name, FILES)
        for _ in range(STEPS):
            try:
                live(world, chance.choice(names), chance)
            except FabriekError:
                refused += 1  # what it left behind is what is looked at
            except Killed:
                kills += 1
            check_all(world, names)
        end(world, names)
    print(f"{seeds * STEPS} steps, {refused} refused, {kills} runs killed")
    assert kills > seeds
    everyone = [name for seed in range(seeds) for name in names_of(seed)]
    named = {
        one for name in everyone for version in standing(world, name) for one in world.parts.versions.objects(version)
    }
    assert set(world.blobs.names()) == named, "everything named is there, and nothing else"
    assert list(world.parts.leftovers.heaps(world.clock.now(), world.clock.today())) == []


def names_of(seed: int) -> list[str]:
    return [f"set-{seed}-{number}" for number in range(3)]


def standing(world: World, name: str) -> list[str]:
    dataset = world.vault.find(name, project="lab", by=world.hanna)
    return [] if dataset.erased_at else [one.id for one in world.vault.versions(name, project="lab", by=world.hanna)]


def check_all(world: World, names: list[str]) -> None:
    for name in names:
        for version in standing(world, name):
            opened = world.vault.open(version, by=world.hanna)
            assert a_grant_read(world, opened, "a.csv", by=world.hanna) == FILES["a.csv"]


def test_what_is_not_there_is_not_found_after_a_run(world: World) -> None:
    a_push(world, "biopsies", FILES)
    remove(world, "biopsies@1")
    collect(world)
    with pytest.raises(NotFound):
        world.vault.open("biopsies", project="lab", by=world.hanna)
