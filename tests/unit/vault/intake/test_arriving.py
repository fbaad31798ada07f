import base64
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.kernel.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    Stale,
    Unavailable,
    WrongState,
)
from fabriek.sealing.digests import FileDigest
from fabriek.sealing.packing import PART_BYTES
from fabriek.vault.intake.arrivals import FILE_BYTES_MAX, STRETCH_SECONDS_MAX
from fabriek.vault.intake.arriving import Arriving, Checksum, WrongChecksum
from fabriek.vault.keeping.epochs import Epoch
from fabriek.vault.pushing import Pushing
from fabriek.vault.service import Vault
from fabriek.vault.uploads import OPEN_FOR
from fabriek.vault.versions import Version
from tests.factories.vault import World, a_grant_read, a_push


@pytest.fixture
def taking(world: World) -> Arriving:
    world.vault.create("lab", "scans", by=world.hanna)
    return world.vault.arriving


def read(world: World, version: Version, path: str) -> bytes:
    opened = world.vault.open(version.id, by=world.hanna)
    return a_grant_read(world, opened, path, by=world.hanna)


def restarted(world: World) -> Arriving:
    """Another server on the same store: what the first one had in its memory is gone."""
    return Vault(world.parts, world.keeping).arriving


def test_a_file_alone_becomes_a_version_at_its_last_byte(world: World, taking: Arriving) -> None:
    body = os.urandom(100_000)
    arrival = taking.begin_alone("lab", "scans", "a/b.bin", len(body), by=world.hanna)
    half, upload = taking.take(arrival.id, 0, [body[:40_000]], by=world.hanna)
    assert (half.arrived, upload.version) == (40_000, "")
    whole, upload = taking.take(arrival.id, 40_000, [body[40_000:60_000], body[60_000:]], by=world.hanna)
    assert whole.is_whole
    version = world.parts.versions.get(upload.version)
    assert (version.number, version.facts.files, version.facts.size_bytes) == (1, 1, len(body))
    assert read(world, version, "a/b.bin") == body


def test_files_of_one_upload_are_one_version_beside_what_was_there(world: World, taking: Arriving) -> None:
    a_push(world, "scans", {"kept.txt": b"kept", "old.txt": b"before"})
    upload = taking.open("lab", "scans", by=world.hanna)
    for path, body in (("new.txt", b"new"), ("old.txt", b"after"), ("empty", b"")):
        one = taking.begin(upload.id, path, len(body), by=world.hanna)
        taking.take(one.id, 0, [body] if body else [], by=world.hanna)
    version = taking.finish(upload.id, by=world.hanna)
    assert taking.finish(upload.id, by=world.hanna) == version
    assert (version.number, version.facts.files) == (2, 4)
    bodies = {path: read(world, version, path) for path in ("kept.txt", "old.txt", "new.txt", "empty")}
    assert bodies == {"kept.txt": b"kept", "old.txt": b"after", "new.txt": b"new", "empty": b""}


def test_what_somebody_else_pushed_meanwhile_stays(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "mine", 4, by=world.hanna)
    taking.take(one.id, 0, [b"mine"], by=world.hanna)
    a_push(world, "scans", {"theirs": b"theirs"})
    version = taking.finish(upload.id, by=world.hanna)
    assert (version.number, version.facts.files, version.facts.parent) == (
        2,
        2,
        world.vault.resolve("scans@1", project="lab", by=world.hanna)[1].id,
    )


def test_a_push_that_comes_between_is_built_upon(
    world: World, taking: Arriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of the finish, after its manifest was made."""
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "mine", 4, by=world.hanna)
    taking.take(one.id, 0, [b"mine"], by=world.hanna)
    commit, pushed = Pushing.commit, []

    def later(self: Pushing, upload_id: str, *said: object, **named: object) -> Version:
        if upload_id == upload.id and not pushed:
            pushed.append(1)
            a_push(world, "scans", {"theirs": b"theirs"})
        return commit(self, upload_id, *said, **named)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Pushing, "commit", later)
    version = taking.finish(upload.id, by=world.hanna)
    assert (version.number, version.facts.files) == (2, 2)


def test_nothing_plain_reaches_the_store_and_the_key_of_what_came_is_wrapped(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 70_000, by=world.hanna)
    taking.take(one.id, 0, [b"canary " * 10_000], by=world.hanna)
    assert not any(b"canary" in body for body in world.blobs.objects.values())
    (stretch,) = world.parts.arrivals.stretches(one.id)
    number, wrapped, _ = world.parts.epoch_keys.object_key(upload.dataset, stretch.object_id)
    key = world.parts.cipher.unwrap(world.parts.epoch_keys.get(upload.dataset, number), wrapped, stretch.object_id)
    assert key not in wrapped
    taking.finish(upload.id, by=world.hanna)
    with pytest.raises(NotFound):  # from here on it stands in the sealed manifest alone
        world.parts.epoch_keys.object_key(upload.dataset, stretch.object_id)


def test_a_stream_is_cut_into_objects_and_never_held_whole(world: World, taking: Arriving) -> None:
    drawn, size = 0, PART_BYTES + 3 * 2**20

    def source() -> Iterator[bytes]:
        nonlocal drawn
        for _ in range(size // 2**20):
            drawn += 1
            yield bytes(2**20)

    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "big", size, by=world.hanna)
    seen: list[int] = []
    put = world.blobs.put

    def watched(name: str, chunks: Iterator[bytes], **limits: object) -> object:
        def through() -> Iterator[bytes]:
            for chunk in chunks:
                seen.append(drawn)
                yield chunk

        return put(name, through(), **limits)  # type: ignore[arg-type]

    world.blobs.put = watched  # type: ignore[method-assign,assignment]
    taking.take(one.id, 0, source(), by=world.hanna)
    assert [stretch.length for stretch in world.parts.arrivals.stretches(one.id)] == [PART_BYTES, 3 * 2**20]
    assert seen[1] <= 3  # the first sealed bytes leave while the stream has hardly begun


def test_a_slow_stream_is_durable_every_half_minute(world: World, taking: Arriving) -> None:
    def slow() -> Iterator[bytes]:
        for _ in range(6):
            yield b"x" * 10
            world.clock.move(timedelta(seconds=STRETCH_SECONDS_MAX / 2))

    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "slow", 60, by=world.hanna)
    taking.take(one.id, 0, slow(), by=world.hanna)
    assert [stretch.length for stretch in world.parts.arrivals.stretches(one.id)] == [20, 20, 20]


def test_what_arrived_before_the_store_failed_is_kept_and_the_rest_goes_on(world: World, taking: Arriving) -> None:
    def breaks() -> Iterator[bytes]:
        yield bytes(PART_BYTES)
        yield b"lost"
        raise OSError

    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "big", PART_BYTES + 10, by=world.hanna)
    before = set(world.blobs.objects)
    with pytest.raises(OSError):
        taking.take(one.id, 0, breaks(), by=world.hanna)
    assert taking.look(one.id, by=world.hanna)[0].arrived == PART_BYTES
    assert len(set(world.blobs.objects) - before) == 1
    taking.take(one.id, PART_BYTES, [b"0123456789"], by=world.hanna)
    version = taking.finish(upload.id, by=world.hanna)
    assert read(world, version, "big") == bytes(PART_BYTES) + b"0123456789"


def test_a_server_that_knows_no_hash_reads_back_what_came_and_finds_the_same(world: World, taking: Arriving) -> None:
    body = os.urandom(50_000)
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", len(body), by=world.hanna)
    taking.take(one.id, 0, [body[:20_000]], by=world.hanna)
    after = restarted(world)
    whole, _ = after.take(one.id, 20_000, [body[20_000:]], by=world.hanna)
    assert whole.sha256 == ""
    version = after.finish(upload.id, by=world.hanna)
    assert world.parts.arrivals.get(one.id).sha256 == hashlib.sha256(body).hexdigest()
    assert read(world, version, "a") == body


def test_a_version_that_was_not_made_when_the_last_byte_came_is_made_when_it_is_asked_about(
    world: World, taking: Arriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrival = taking.begin_alone("lab", "scans", "a", 3, by=world.hanna)
    with monkeypatch.context() as dying:
        dying.setattr(Pushing, "commit", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            taking.take(arrival.id, 0, [b"abc"], by=world.hanna)
    whole, upload = restarted(world).look(arrival.id, by=world.hanna)
    assert whole.is_whole
    assert read(world, world.parts.versions.get(upload.version), "a") == b"abc"


def test_only_the_next_byte_is_taken(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 10, by=world.hanna)
    taking.take(one.id, 0, [b"01234"], by=world.hanna)
    for offset in (0, 4, 6, 10):
        with pytest.raises(Stale, match="stands at 5"):
            taking.take(one.id, offset, [b"x"], by=world.hanna)
    with pytest.raises(InvalidInput, match="more bytes"):
        taking.take(one.id, 5, [b"567", b"89+"], by=world.hanna)
    assert taking.look(one.id, by=world.hanna)[0].arrived == 5


def test_of_two_that_send_the_same_bytes_one_counts_and_the_other_leaves_nothing(
    world: World, taking: Arriving
) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 10, by=world.hanna)

    def overtaken() -> Iterator[bytes]:
        yield b"01234"
        taking.take(one.id, 0, [b"012"], by=world.hanna)

    with pytest.raises(Stale):
        taking.take(one.id, 0, overtaken(), by=world.hanna)
    assert [stretch.length for stretch in world.parts.arrivals.stretches(one.id)] == [3]
    assert len(world.blobs.objects) == 1
    taking.take(one.id, 3, [b"3456789"], by=world.hanna)
    assert read(world, taking.finish(upload.id, by=world.hanna), "a") == b"0123456789"


def test_bytes_with_a_wrong_checksum_leave_nothing(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 5, by=world.hanna)
    right = Checksum("sha1", hashlib.sha1(b"01234", usedforsecurity=False).digest())
    for sent in (b"01235", b"0123"):
        with pytest.raises(WrongChecksum):
            taking.take(one.id, 0, [sent], checksum=right, by=world.hanna)
    assert (taking.look(one.id, by=world.hanna)[0].arrived, world.blobs.objects) == (0, {})
    taking.take(one.id, 0, [b"01234"], checksum=right, by=world.hanna)
    assert read(world, taking.finish(upload.id, by=world.hanna), "a") == b"01234"


@pytest.mark.parametrize(
    "path", ["../up", "/abs", "a//b", "a/./b", "", "nul\0", "back\\slash", "x" * 256, "\udc80", "a/.."]
)
def test_paths_that_lead_elsewhere_are_refused_before_anything_is_kept(
    world: World, taking: Arriving, path: str
) -> None:
    with pytest.raises(InvalidInput):
        taking.begin_alone("lab", "scans", path, 1, by=world.hanna)
    upload = taking.open("lab", "scans", by=world.hanna)
    with pytest.raises(InvalidInput):
        taking.begin(upload.id, path, 1, by=world.hanna)
    assert taking.files(upload.id, by=world.hanna) == []


def test_odd_names_stay_as_they_are_and_twins_stay_two(world: World, taking: Arriving) -> None:
    odd = ["-rf", "new\nline", "\x1b[31mred", "\u202egnp.exe", "caf\u00e9", "cafe\u0301", "con", " ", "🧬"]
    upload = taking.open("lab", "scans", by=world.hanna)
    for path in odd:
        one = taking.begin(upload.id, path, 1, by=world.hanna)
        taking.take(one.id, 0, [b"x"], by=world.hanna)
    version = taking.finish(upload.id, by=world.hanna)
    assert version.facts.files == len(odd)
    assert all(read(world, version, path) == b"x" for path in odd)


def test_one_path_is_not_sent_twice_nor_both_file_and_folder(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    taking.begin(upload.id, "a/b", 1, by=world.hanna)
    with pytest.raises(AlreadyExists):
        taking.begin(upload.id, "a/b", 1, by=world.hanna)
    for path in ("a", "a/b/c"):
        with pytest.raises(InvalidInput, match="both a file and a folder"):
            taking.begin(upload.id, path, 1, by=world.hanna)


def test_a_file_where_the_version_has_a_folder_is_told_and_nothing_is_lost(world: World, taking: Arriving) -> None:
    a_push(world, "scans", {"a/b": b"there"})
    upload = taking.open("lab", "scans", by=world.hanna)
    wrong, right = taking.begin(upload.id, "a", 1, by=world.hanna), taking.begin(upload.id, "c", 1, by=world.hanna)
    for one in (wrong, right):
        taking.take(one.id, 0, [b"x"], by=world.hanna)
    with pytest.raises(InvalidInput, match="both a file and a folder"):
        taking.finish(upload.id, by=world.hanna)
    taking.give_up(wrong.id, by=world.hanna)
    assert taking.finish(upload.id, by=world.hanna).facts.files == 2


def test_sizes_beyond_the_limits_are_refused_at_the_announcement(world: World, taking: Arriving) -> None:
    few = Vault(replace(world.parts, arriving_bytes_max=1_000), world.keeping).arriving
    with pytest.raises(InvalidInput, match="256"):
        few.begin_alone("lab", "scans", "a", FILE_BYTES_MAX + 1, by=world.hanna)
    upload = few.open("lab", "scans", by=world.hanna)
    first = few.begin(upload.id, "a", 600, by=world.hanna)
    for ask in (
        lambda: few.begin(upload.id, "b", 401, by=world.hanna),
        lambda: few.begin_alone("lab", "scans", "b", 401, by=world.hanna),
    ):
        with pytest.raises(QuotaExhausted, match="1000 B on the way, and 600 B are"):
            ask()
    few.begin(upload.id, "c", 400, by=world.hanna)
    few.give_up(first.id, by=world.hanna)
    few.begin(upload.id, "b", 600, by=world.hanna)


def test_nobody_else_sees_or_touches_it(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    node = world.directory.add_node("job_1", "prj_1")
    for by in (world.stef, world.uma, node):
        for ask in (
            lambda by=by: taking.look(one.id, by=by),
            lambda by=by: taking.take(one.id, 0, [b"abc"], by=by),
            lambda by=by: taking.give_up(one.id, by=by),
            lambda by=by: taking.files(upload.id, by=by),
            lambda by=by: taking.begin(upload.id, "b", 1, by=by),
            lambda by=by: taking.finish(upload.id, by=by),
            lambda by=by: taking.give_up_all(upload.id, by=by),
        ):
            with pytest.raises(NotFound):
                ask()
    with pytest.raises(NotPermitted):  # of the project, and not of the house that owns the data
        taking.begin_alone("lab", "scans", "a", 1, by=world.stef)


def test_who_left_the_project_sends_nothing_more(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    left = replace(world.hanna, project_rights={})
    for ask in (lambda: taking.take(one.id, 0, [b"abc"], by=left), lambda: taking.finish(upload.id, by=left)):
        with pytest.raises(NotPermitted):
            ask()


def test_a_dataset_whose_owner_holds_the_key_is_not_sealed_for_here(world: World, taking: Arriving) -> None:
    dataset = world.vault.find("scans", project="lab", by=world.hanna)
    upload = taking.open("lab", "scans", by=world.hanna)
    with world.parts.datasets.transaction():
        world.parts.datasets.save(replace(dataset, key_home="organisation"))  # type: ignore[arg-type]  # as the store keeps it
    for ask in (
        lambda: taking.open("lab", "scans", by=world.hanna),
        lambda: taking.begin_alone("lab", "scans", "a", 1, by=world.hanna),
        lambda: taking.begin(upload.id, "a", 1, by=world.hanna),
    ):
        with pytest.raises(NotPermitted, match="live with the organisation") as refused:
            ask()
        assert refused.value.fields["rule"] == "key_home.server"


def test_a_job_has_no_part_in_it(world: World, taking: Arriving) -> None:
    upload = world.vault.output_for_job("prj_1", "job_1", "internal")
    with pytest.raises(NotFound):
        taking.begin(upload.id, "a", 1, by=world.directory.add_node("job_1", "prj_1"))


def test_unfinished_files_make_no_version(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    with pytest.raises(WrongState, match="no file has arrived"):
        taking.finish(upload.id, by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    taking.begin(upload.id, "empty", 0, by=world.hanna)
    taking.take(one.id, 0, [b"ab"], by=world.hanna)
    with pytest.raises(WrongState, match="1 of 2 files have not arrived whole, 'a' first"):
        taking.finish(upload.id, by=world.hanna)


def test_what_is_given_up_is_gone_with_key_and_bytes(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    (stretch,) = world.parts.arrivals.stretches(one.id)
    taking.give_up_all(upload.id, by=world.hanna)
    assert stretch.object_id not in world.blobs.objects
    with pytest.raises(NotFound):
        world.parts.epoch_keys.object_key(upload.dataset, stretch.object_id)
    with pytest.raises(NotFound):
        taking.look(one.id, by=world.hanna)
    with pytest.raises(WrongState):
        taking.begin(upload.id, "b", 1, by=world.hanna)


def test_giving_up_goes_on_where_it_was_killed(world: World, taking: Arriving, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    with monkeypatch.context() as dying:
        dying.setattr(world.blobs, "delete", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            taking.give_up(one.id, by=world.hanna)
    with pytest.raises(NotFound):
        taking.look(one.id, by=world.hanna)
    restarted(world).forget_overdue()
    assert world.blobs.objects == {}


def test_a_file_that_is_given_up_while_the_version_is_made_is_not_in_it(
    world: World, taking: Arriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    gone, kept = taking.begin(upload.id, "gone", 1, by=world.hanna), taking.begin(upload.id, "kept", 1, by=world.hanna)
    for one in (gone, kept):
        taking.take(one.id, 0, [b"x"], by=world.hanna)
    commit, once = Pushing.commit, []

    def later(self: Pushing, *said: object, **named: object) -> Version:
        if not once:
            once.append(1)
            taking.give_up(gone.id, by=world.hanna)
        return commit(self, *said, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Pushing, "commit", later)
    version = taking.finish(upload.id, by=world.hanna)
    assert version.facts.files == 1
    assert read(world, version, "kept") == b"x"


def test_what_nobody_went_on_with_is_forgotten_with_its_bytes(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 5, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    done = taking.begin_alone("lab", "scans", "done", 3, by=world.hanna)
    version = world.parts.versions.get(taking.take(done.id, 0, [b"xyz"], by=world.hanna)[1].version)
    taking.forget_overdue()
    assert taking.look(one.id, by=world.hanna)[0].arrived == 3
    world.clock.move(OPEN_FOR)
    for ask in (
        lambda: taking.look(one.id, by=world.hanna),
        lambda: taking.take(one.id, 3, [b"de"], by=world.hanna),
        lambda: taking.finish(upload.id, by=world.hanna),
    ):
        with pytest.raises(WrongState, match="too long"):
            ask()
    taking.forget_overdue()
    with pytest.raises(NotFound):
        taking.look(one.id, by=world.hanna)
    assert len(world.blobs.objects) == 2  # the version's file and its manifest
    assert read(world, version, "done") == b"xyz"


def names_in(place: Path) -> bool:
    """Whether the database's file says the canary, once its journal is in it: by itself or as a client tells it."""
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("pragma wal_checkpoint(truncate)").fetchone() == (0, 0, 0)
    kept = b"".join(file.read_bytes() for file in place.parent.glob(f"{place.name}*"))
    return b"canary" in kept or base64.b64encode(b"canary") in kept


@pytest.mark.parametrize("end", ["finished", "alone", "given up", "killed while it was given up", "overdue"])
def test_names_are_in_the_database_no_longer_than_an_upload_is_open(
    world: World, taking: Arriving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    place = tmp_path / "vault.db"
    told = f"filename {base64.b64encode(b'canary').decode()}"
    if end == "alone":
        one = taking.begin_alone("lab", "scans", "canary/a", 3, told=told, by=world.hanna)
        upload = world.parts.uploads.get(one.upload)
    else:
        upload = taking.open("lab", "scans", by=world.hanna)
        one = taking.begin(upload.id, "canary/a", 3, told=told, by=world.hanna)
    assert names_in(place)  # who looks sees it
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    if end == "finished":
        version = taking.finish(upload.id, by=world.hanna)
        assert taking.finish(upload.id, by=world.hanna) == version
    elif end == "given up":
        taking.give_up(one.id, by=world.hanna)
    elif end == "overdue":
        world.clock.move(OPEN_FOR)
        taking.forget_overdue()
    elif end == "killed while it was given up":
        monkeypatch.setattr(world.blobs, "delete", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            taking.give_up_all(upload.id, by=world.hanna)
    assert not names_in(place)
    if end in {"finished", "alone"}:
        found, upload = taking.look(one.id, by=world.hanna)
        assert (found.arrived, found.is_whole) == (3, True)
        assert read(world, world.parts.versions.get(upload.version), "canary/a") == b"abc"


def test_names_stay_while_a_finish_is_refused(world: World, taking: Arriving) -> None:
    a_push(world, "scans", {"a/b": b"there"})
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, told="name YQ==", by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    with pytest.raises(InvalidInput, match="both a file and a folder"):
        taking.finish(upload.id, by=world.hanna)
    assert [(found.path, found.told) for found in taking.files(upload.id, by=world.hanna)] == [("a", "name YQ==")]


def test_a_rotation_meanwhile_costs_nothing(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 6, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    world.vault.rotating.rotate_dataset("scans", project="lab", by=world.hanna)
    world.vault.rotating.go_on()
    after = restarted(world)
    after.take(one.id, 3, [b"def"], by=world.hanna)
    assert read(world, after.finish(upload.id, by=world.hanna), "a") == b"abcdef"


def erase(world: World) -> None:
    asked, dataset = world.vault.erasing.ask("scans", "why", project="lab", by=world.hanna)
    world.vault.erasing.confirm(asked.id, dataset.name, by=world.hanna)


def and_then(act: Callable[[], object], first: bytes, *rest: bytes) -> Iterator[bytes]:
    """A stream in the middle of which something happens."""
    yield first
    act()
    yield from rest


@pytest.mark.parametrize("with_checksum", [False, True])
def test_a_rotation_within_one_request_costs_nothing(world: World, taking: Arriving, *, with_checksum: bool) -> None:
    """Of the epoch that was there when it began nothing is left when it ends."""
    upload = taking.open("lab", "scans", by=world.hanna)
    body = bytes(PART_BYTES) + b"behind"
    one = taking.begin(upload.id, "a", len(body), by=world.hanna)
    checksum = Checksum("sha256", hashlib.sha256(body).digest()) if with_checksum else None
    rotate = lambda: world.vault.rotating.rotate_dataset("scans", project="lab", by=world.hanna)  # noqa: E731
    taking.take(one.id, 0, and_then(rotate, bytes(1000), body[1000:]), checksum=checksum, by=world.hanna)
    for stretch in world.parts.arrivals.stretches(one.id):
        number, _, _ = world.parts.epoch_keys.object_key(upload.dataset, stretch.object_id)
        assert number == world.parts.datasets.get(upload.dataset).epoch == 2
    assert [epoch.number for epoch in world.parts.epoch_keys.of_dataset(upload.dataset)] == [2]
    assert read(world, taking.finish(upload.id, by=world.hanna), "a") == body


def test_a_rotation_between_the_wrapping_and_the_count_costs_nothing(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 3, by=world.hanna)
    wrap = world.parts.cipher.wrap

    def wrapped(epoch: Epoch, key: bytes, what: str) -> bytes:
        world.parts.cipher.wrap = wrap  # type: ignore[method-assign]
        made = wrap(epoch, key, what)
        world.vault.rotating.rotate_dataset("scans", project="lab", by=world.hanna)
        return made

    world.parts.cipher.wrap = wrapped  # type: ignore[method-assign]
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    assert read(world, taking.finish(upload.id, by=world.hanna), "a") == b"abc"


@pytest.mark.parametrize("with_checksum", [False, True])
def test_a_request_ends_with_the_dataset_that_is_erased_under_it(
    world: World, taking: Arriving, *, with_checksum: bool
) -> None:
    """Also where nothing of it would count before its end, and that is hours away."""
    upload, drawn = taking.open("lab", "scans", by=world.hanna), 0
    one = taking.begin(upload.id, "a", 3 * PART_BYTES, by=world.hanna)

    def source() -> Iterator[bytes]:
        nonlocal drawn
        for drawn in range(3 * PART_BYTES // 2**20):
            if drawn == 1:
                erase(world)
            yield bytes(2**20)

    checksum = Checksum("sha256", bytes(32)) if with_checksum else None
    with pytest.raises(WrongState, match="erased"):
        taking.take(one.id, 0, source(), checksum=checksum, by=world.hanna)
    assert drawn <= PART_BYTES // 2**20
    assert (world.blobs.objects, world.parts.arrivals.stretches(one.id)) == ({}, [])


def test_an_erased_dataset_takes_nothing_more(world: World, taking: Arriving) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 6, by=world.hanna)
    taking.take(one.id, 0, [b"abc"], by=world.hanna)
    dataset = world.vault.find("scans", project="lab", by=world.hanna)
    with world.parts.datasets.transaction():
        world.parts.epoch_keys.destroy(dataset.id)
        world.parts.datasets.save(replace(dataset, erased_at=world.clock.now()))
    for ask in (
        lambda: taking.begin(upload.id, "b", 1, by=world.hanna),
        lambda: taking.take(one.id, 3, [b"def"], by=world.hanna),
        lambda: taking.finish(upload.id, by=world.hanna),
    ):
        with pytest.raises(WrongState, match="erased"):
            ask()
    taking.give_up_all(upload.id, by=world.hanna)
    assert world.blobs.objects == {}


def test_a_file_of_several_blocks_holds_for_whoever_fetches_it(world: World, taking: Arriving) -> None:
    """Wherever its stretches end, and also where a server must read back what another one took."""
    body = os.urandom(2**20) * 66
    bodies = {"seen": body, "read-back": body[5:]}
    for path, plain in bodies.items():
        one = taking.begin_alone("lab", "scans", path, len(plain), by=world.hanna)
        taking.take(one.id, 0, [plain[:30_000_001]], by=world.hanna)
        going_on = taking if path == "seen" else restarted(world)
        going_on.take(one.id, 30_000_001, [plain[30_000_001:]], by=world.hanna)
        assert len(world.parts.arrivals.get(one.id).blocks) == 2
    with world.served() as doors:
        vault = doors.vault("hanna")
        assert vault.verify("scans") == []
        with vault.opened("scans") as opened:
            for path, plain in bodies.items():
                digest = FileDigest(len(plain))
                digest.update(plain)
                assert (opened.file(path).sha256, opened.file(path).blocks) == digest.hashes()


def test_what_is_added_to_many_files_is_what_a_push_of_all_would_be(
    world: World, taking: Arriving, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(3_000):
        (folder / f"{number:05d}").write_bytes(b"%d" % number)
    used = set[str]()
    with world.served() as doors:
        vault = doors.vault("hanna")
        vault.push(folder, "scans")
        for path, body in (("01500-more", b"more"), ("00007", b"another"), ("z", b"last")):
            one = taking.begin_alone("lab", "scans", path, len(body), by=world.hanna)
            taking.take(one.id, 0, [body], by=world.hanna)
            (folder / path).write_bytes(body)
            assert vault.push(folder, "scans").unchanged
        assert vault.verify("scans") == []
        with vault.opened("scans") as opened:
            for page in opened.book.pages(lambda ref: used.add(ref.part.object_id)):
                used.update(page.objects())
    newest = world.vault.versions("scans", project="lab", by=world.hanna)[0]
    assert world.parts.versions.objects(newest.id) == used | {newest.facts.manifest}


def lost() -> None:
    """The change is on the disk, and whoever made it does not hear so: the connection broke."""
    raise Unavailable("the database went away", fix="try again")


@pytest.mark.parametrize("with_checksum", [False, True])
def test_bytes_that_count_stay_where_the_answer_to_their_commit_was_lost(
    world: World, taking: Arriving, monkeypatch: pytest.MonkeyPatch, *, with_checksum: bool
) -> None:
    upload = taking.open("lab", "scans", by=world.hanna)
    one = taking.begin(upload.id, "a", 6, by=world.hanna)
    checksum = Checksum("sha256", hashlib.sha256(b"abc").digest()) if with_checksum else None
    save = world.parts.arrivals.save

    def saved(*given: Any) -> None:
        save(*given)
        world.database.after_commit(lost)

    with monkeypatch.context() as breaking:
        breaking.setattr(world.parts.arrivals, "save", saved)
        with pytest.raises(Unavailable):
            taking.take(one.id, 0, [b"abc"], checksum=checksum, by=world.hanna)
    assert taking.look(one.id, by=world.hanna)[0].arrived == 3
    taking.take(one.id, 3, [b"def"], by=world.hanna)
    assert read(world, taking.finish(upload.id, by=world.hanna), "a") == b"abcdef"
