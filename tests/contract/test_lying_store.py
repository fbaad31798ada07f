"""The object store may lie (promise P13): errors, silence, short and wrong bodies, wrong ETags, stale lists, and a yes to what it did not keep.

Whatever it says: nothing is acknowledged that is not there, an upload goes on, and no byte is released that was not authenticated.
"""

import itertools
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.addresses_s3 import S3Addresses
from fabriek.adapters.blobs_s3 import S3Blobs
from fabriek.adapters.s3_probe import Conditions, probe_bucket
from fabriek.kernel.errors import AlreadyExists, Damaged, FabriekError, NotFound, Unavailable
from fabriek.sdk import at_store, client, gathering
from fabriek.sdk.reading import Reading
from fabriek.sealing import packing
from fabriek.vault.service import Vault
from tests.factories.tables import a_database
from tests.factories.vault import Doors, World, a_world
from tests.servers.lying_s3 import Liar, Lie, lying
from tests.servers.seaweed import S3Server

pytestmark = pytest.mark.xdist_group("lying-store")

STALLED_SECONDS_MAX, SILENT_SECONDS_MAX = 2.0, 20.0
"""How long silence is borne where the store is silent by intent, and where it is only slow."""


def hasty(silent_seconds_max: float) -> dict[str, Any]:
    """A server that waits less than ours does between two tries, or these tests would wait as long."""
    backoff = {"init_backoff": timedelta(milliseconds=5), "max_backoff": timedelta(milliseconds=20), "base": 2}
    return {
        "client_options": {"read_timeout": timedelta(seconds=silent_seconds_max)},
        "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=30), "backoff": backoff},
    }


HASTY = hasty(SILENT_SECONDS_MAX)
ROUNDS = int(os.environ.get("FABRIEK_ROUNDS", "2"))  # noqa: TID251  # how long these tests look
FOR_EVER = -1
BODY = os.urandom(3 * 2**20 + 11)
_numbers = itertools.count()


@pytest.fixture
def liar(s3_server: S3Server) -> Iterator[Liar]:
    with lying(s3_server) as one:
        yield one


@pytest.fixture
def silent_seconds_max(request: pytest.FixtureRequest) -> float:
    lie = getattr(request.node, "callspec", None) and request.node.callspec.params.get("lie")
    return STALLED_SECONDS_MAX if lie in {Lie.STALL, Lie.STALL_HALF_WAY} else SILENT_SECONDS_MAX


@pytest.fixture
def blobs(liar: Liar, s3_server: S3Server, silent_seconds_max: float) -> S3Blobs:
    return S3Blobs(s3_server.bucket(liar.endpoint, **hasty(silent_seconds_max)), f"lies{next(_numbers)}/")


def read(blobs: S3Blobs, name: str = "obj_1") -> bytes:
    return b"".join(blobs.get(name))


# The adapter.


@pytest.mark.parametrize(
    "lie", [Lie.ERROR, Lie.BUSY, Lie.HANG_UP, Lie.STALL, Lie.DONE_BUT_ERROR, Lie.WRONG_ETAG, Lie.SHORT]
)
def test_a_put_that_fails_once_is_done_or_said_so_and_done_when_sent_again(
    liar: Liar, blobs: S3Blobs, lie: Lie
) -> None:
    liar.lies(lie, r"^PUT ")
    try:
        blobs.put("obj_1", [BODY])
    except Unavailable:
        # What broke off under a condition is not tried again by itself: nobody knows whether it was done.
        assert lie in {Lie.HANG_UP, Lie.STALL, Lie.SHORT}
        assert blobs.put("obj_1", [BODY]).size == len(BODY)
    assert liar.told == [lie]
    assert read(blobs) == BODY


@pytest.mark.parametrize("lie", [Lie.ERROR, Lie.BUSY, Lie.HANG_UP, Lie.STALL, Lie.LOST, Lie.DONE_BUT_ERROR, Lie.GONE])
def test_a_put_that_always_fails_is_said_so_and_may_be_sent_again(liar: Liar, blobs: S3Blobs, lie: Lie) -> None:
    liar.lies(lie, r"^PUT ", times=FOR_EVER)
    with pytest.raises(Unavailable):
        blobs.put("obj_1", [BODY])
    liar.honest()
    assert blobs.put("obj_1", [BODY]).size == len(BODY)
    assert read(blobs) == BODY


def test_a_put_of_which_half_was_kept_is_not_acknowledged(
    liar: Liar, blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = blobs._send
    monkeypatch.setattr(blobs, "_send", lambda name, sealed: real(name, sealed[: len(sealed) // 2]))
    with pytest.raises(Unavailable, match="did not keep"):
        blobs.put("obj_1", [BODY])
    with pytest.raises(NotFound):
        blobs.size("obj_1")


@pytest.mark.parametrize("lie", [Lie.ERROR, Lie.HANG_UP, Lie.STALL, Lie.STALL_HALF_WAY, Lie.SHORT])
def test_a_get_that_fails_once_brings_the_bytes_or_an_error(liar: Liar, blobs: S3Blobs, lie: Lie) -> None:
    blobs.put("obj_1", [BODY])
    liar.lies(lie, r"^GET ")
    with suppress(Unavailable):
        assert read(blobs) == BODY
    assert liar.told == [lie]
    assert read(blobs) == BODY


@pytest.mark.parametrize(
    "lie", [Lie.ERROR, Lie.HANG_UP, Lie.STALL_HALF_WAY, Lie.SHORT, Lie.SHORT_AND_SAID, Lie.IGNORE_RANGE]
)
def test_a_get_that_always_fails_never_ends_as_if_it_were_whole(liar: Liar, blobs: S3Blobs, lie: Lie) -> None:
    blobs.put("obj_1", [BODY])
    liar.lies(lie, r"^GET ", times=FOR_EVER)
    with pytest.raises(Unavailable):
        read(blobs)


@pytest.mark.parametrize("lie", [Lie.NO_CONDITIONS, Lie.FORGET_CONDITIONS])
def test_without_conditions_an_object_is_still_written_once(liar: Liar, blobs: S3Blobs, lie: Lie) -> None:
    liar.lies(lie, r"^PUT ", times=FOR_EVER)
    blobs.put("obj_1", [BODY])
    with pytest.raises(AlreadyExists):
        blobs.put("obj_1", [b"other"])
    assert read(blobs) == BODY


def test_a_stale_list_hides_no_object_from_who_asks_for_it(liar: Liar, blobs: S3Blobs) -> None:
    blobs.put("obj_1", [b"one"])
    assert list(blobs.names()) == ["obj_1"]
    blobs.put("obj_2", [b"two"])
    blobs.delete("obj_1")
    liar.lies(Lie.STALE, r"^GET /[^/]+\?", times=FOR_EVER)
    assert list(blobs.names()) == ["obj_1"]
    assert blobs.size("obj_2") == 3
    with pytest.raises(NotFound):
        blobs.size("obj_1")
    blobs.delete("obj_1")


@pytest.mark.parametrize(
    ("lie", "found"), [(Lie.FORGET_CONDITIONS, Conditions.NOT_KEPT), (Lie.NO_CONDITIONS, Conditions.NOT_KEPT)]
)
def test_the_probe_finds_a_store_without_conditions(
    liar: Liar, s3_server: S3Server, lie: Lie, found: Conditions
) -> None:
    liar.lies(lie, r"^PUT ", times=FOR_EVER)
    able = probe_bucket(s3_server.bucket(liar.endpoint, **HASTY), s3_server.bucket(liar.endpoint))
    assert (able.conditions, able.listed_at_once, able.addresses) == (found, True, "")


def test_the_probe_leaves_nothing_and_finds_what_this_store_does(liar: Liar, s3_server: S3Server) -> None:
    bucket = s3_server.bucket(liar.endpoint, **HASTY)
    able = probe_bucket(bucket, bucket)
    assert able.conditions in {Conditions.KEPT, Conditions.KEPT_IN_TURN}
    assert list(S3Blobs(bucket, "probe/").names()) == []


@pytest.mark.parametrize("lie", [Lie.WRONG_BYTES, Lie.ERROR, Lie.LOST])
def test_the_probe_says_no_to_a_store_that_gives_back_something_else(liar: Liar, s3_server: S3Server, lie: Lie) -> None:
    liar.lies(lie, r"^(GET|PUT) /[^/]+/probe/", times=FOR_EVER)
    with pytest.raises((Unavailable, Damaged, NotFound)):
        probe_bucket(s3_server.bucket(liar.endpoint, **HASTY), s3_server.bucket(liar.endpoint))


# Whole pushes and pulls, of which each step goes through the liar: the client's and the server's.


@pytest.fixture
def world(
    tmp_path: Path, liar: Liar, s3_server: S3Server, silent_seconds_max: float, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "client" / "context.json"))
    monkeypatch.setattr(client, "STORE_SILENT_SECONDS_MAX", silent_seconds_max)
    monkeypatch.setattr(at_store, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(packing, "PART_BYTES", 2**20)
    database = a_database(tmp_path / "fabriek.db")
    bucket, number = s3_server.bucket(liar.endpoint, **hasty(silent_seconds_max)), next(_numbers)
    objects, arriving = f"objects{number}/", f"arriving{number}/"
    where = S3Addresses(bucket, prefix=objects, arriving=arriving)
    yield a_world(database, blobs=S3Blobs(bucket, objects), addresses=where)
    database.close()


@pytest.fixture
def doors(world: World) -> Iterator[Doors]:
    with world.served() as served:
        yield served


@pytest.fixture
def far_doors(world: World) -> Iterator[Doors]:
    """The same store, which only the server reaches."""
    apart = replace(world, vault=Vault(replace(world.parts, addresses=None), world.keeping))
    with apart.served() as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    (made / "big.bin").write_bytes(BODY)
    for number in range(5):
        (made / f"{number}.txt").write_text(f"small {number}")
    return made


CHANGES = {Lie.WRONG_BYTES, Lie.GONE}
"""What the server passes on, or says of an object that it looked for: the client cannot tell the store's lie from damage."""

ARRIVE, COPY, LOOK = r"^PUT /[^/]+/arriving", r"^PUT /[^/]+/objects", r"^HEAD "
READ = r"^GET /[^/]+/objects"

LIES_TO_PUSH = [
    *((lie, ARRIVE) for lie in (
        Lie.ERROR, Lie.BUSY, Lie.DONE_BUT_ERROR, Lie.STALL, Lie.HANG_UP, Lie.SHORT, Lie.WRONG_ETAG, Lie.LOST, Lie.CUT, Lie.GONE,
    )),
    *((lie, COPY) for lie in (Lie.ERROR, Lie.BUSY, Lie.DONE_BUT_ERROR, Lie.STALL, Lie.HANG_UP, Lie.LOST, Lie.WRONG_ETAG)),
    *((lie, LOOK) for lie in (Lie.ERROR, Lie.HANG_UP, Lie.STALL, Lie.GONE, Lie.WRONG_ETAG, Lie.STALE)),
]  # fmt: skip
LIES_TO_PULL = [
    Lie.ERROR, Lie.BUSY, Lie.STALL, Lie.STALL_HALF_WAY, Lie.HANG_UP, Lie.SHORT, Lie.SHORT_AND_SAID, Lie.WRONG_BYTES, Lie.WRONG_ETAG,
    Lie.IGNORE_RANGE, Lie.GONE,
]  # fmt: skip


@pytest.mark.parametrize("times", [1, FOR_EVER])
@pytest.mark.parametrize(("lie", "pattern"), LIES_TO_PUSH)
def test_a_push_is_acknowledged_only_when_every_byte_is_there_and_goes_on_otherwise(
    doors: Doors, liar: Liar, folder: Path, lie: Lie, pattern: str, times: int
) -> None:
    vault = doors.vault("hanna")
    liar.lies(lie, pattern, times=times)
    try:
        vault.push(folder, "scans")
    except FabriekError as error:
        assert isinstance(error, Unavailable), error  # noqa: PT017  # a push may also succeed here
        assert vault.versions("scans") == []
        assert times == FOR_EVER, "one lie does not stop a push"
        liar.honest()
        vault.push(folder, "scans")
    liar.honest()
    assert lie in liar.told
    assert vault.verify("scans") == []


def test_a_push_that_the_store_broke_off_sends_only_the_rest(
    doors: Doors, liar: Liar, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "SENT_AT_ONCE", 1)
    for number in range(8):
        (folder / f"part{number}").write_bytes(os.urandom(2**20))
    vault, failing = doors.vault("hanna"), iter([None] * 5)
    real = at_store.AtStore.put

    def breaking(self: at_store.AtStore, *given: object) -> None:
        if next(failing, "over") == "over":
            liar.lies(Lie.ERROR, ARRIVE)
        real(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(at_store.AtStore, "put", breaking)
    with pytest.raises(Unavailable):
        vault.push(folder, "scans")
    monkeypatch.setattr(at_store.AtStore, "put", real)
    liar.honest()
    before = sum(one.startswith("PUT") and "/arriving" in one for one in liar.asked)
    vault.push(folder, "scans")
    after = sum(one.startswith("PUT") and "/arriving" in one for one in liar.asked) - before
    assert vault.verify("scans") == []
    whole = len({part.object_id for file in _files(vault) for part in file.parts}) + 1
    assert after == whole - 5


@pytest.mark.parametrize("times", [1, FOR_EVER])
@pytest.mark.parametrize("lie", LIES_TO_PULL)
def test_a_pull_places_what_was_pushed_or_nothing(
    doors: Doors, liar: Liar, folder: Path, tmp_path: Path, lie: Lie, times: int
) -> None:
    vault = doors.vault("hanna")
    vault.push(folder, "scans")
    liar.lies(lie, READ, times=times)
    out = tmp_path / "out"
    try:
        vault.pull("scans", out)
    except FabriekError as error:
        assert isinstance(error, (Unavailable, Damaged)), error  # noqa: PT017
        assert times == FOR_EVER, "one lie does not stop a pull"
        assert not out.exists() or list(out.iterdir()) == []
        liar.honest()
        vault.pull("scans", out)
    assert lie in liar.told
    assert {file.name: file.read_bytes() for file in out.iterdir()} == {
        file.name: file.read_bytes() for file in folder.iterdir()
    }


@pytest.mark.parametrize("times", [1, FOR_EVER])
@pytest.mark.parametrize("lie", LIES_TO_PULL)
def test_reading_in_place_gives_what_was_pushed_or_an_error(
    doors: Doors, liar: Liar, folder: Path, lie: Lie, times: int
) -> None:
    vault = doors.vault("hanna")
    vault.push(folder, "scans")
    with vault.opened("scans") as opened:
        reading = Reading(opened)
        file = reading.file("big.bin")
        liar.lies(lie, READ, times=times)
        start, stop = 2**20 - 7, 2**20 + 70_000
        try:
            assert reading.read(file, start, stop) == BODY[start:stop]
        except FabriekError as error:
            assert isinstance(error, (Unavailable, Damaged)), error  # noqa: PT017
            assert times == FOR_EVER, "one lie does not stop a read"
        liar.honest()
        assert reading.read(file, start, stop) == BODY[start:stop]
        reading.close()


LIES_TO_SERVER = [lie for lie in LIES_TO_PULL if lie not in {Lie.STALL, Lie.STALL_HALF_WAY}]


@pytest.mark.parametrize("times", [1, FOR_EVER])
@pytest.mark.parametrize(("lie", "pattern"), [(lie, where) for where in (COPY, READ) for lie in LIES_TO_SERVER])
def test_through_the_server_too_all_is_right_or_refused(
    far_doors: Doors, liar: Liar, folder: Path, tmp_path: Path, lie: Lie, pattern: str, times: int
) -> None:
    vault, out = far_doors.vault("hanna"), tmp_path / "out"

    def done_in_the_end(act: Callable[[], object]) -> None:
        liar.lies(lie, pattern, times=times)
        try:
            act()
        except (Unavailable, Damaged):
            assert times == FOR_EVER or lie in CHANGES, "one lie does not stop it"
            assert not out.exists() or list(out.iterdir()) == []
            liar.honest()
            act()
        liar.honest()

    done_in_the_end(lambda: vault.push(folder, "scans"))
    assert vault.verify("scans") == []
    done_in_the_end(lambda: vault.pull("scans", out))
    assert {file.name: file.read_bytes() for file in out.iterdir()} == {
        file.name: file.read_bytes() for file in folder.iterdir()
    }


def test_what_the_store_changed_is_told_by_who_reads_it_and_never_released(
    doors: Doors, liar: Liar, folder: Path, tmp_path: Path
) -> None:
    """The one lie that a push cannot see: nobody has read what was kept."""
    vault = doors.vault("hanna")
    for file in folder.glob("*.txt"):
        file.unlink()
    (folder / "big.bin").write_bytes(BODY[: 2**19])
    liar.lies(Lie.KEPT_WRONG, ARRIVE)
    vault.push(folder, "scans")
    assert [one.file.path for one in vault.verify("scans")] == ["big.bin"]
    with pytest.raises(Damaged):
        vault.pull("scans", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_token_for_the_store_is_never_sent_elsewhere_by_a_redirect(
    doors: Doors, liar: Liar, folder: Path, tmp_path: Path
) -> None:
    vault = doors.vault("hanna")
    vault.push(folder, "scans")
    liar.lies(Lie.ELSEWHERE, READ, times=FOR_EVER)
    with pytest.raises(Unavailable):
        vault.pull("scans", tmp_path / "out")
    assert not any("elsewhere" in one for one in liar.asked)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_among_lies_of_every_kind_everything_is_right_or_refused(
    doors: Doors, liar: Liar, folder: Path, tmp_path: Path, seed: int
) -> None:
    chance, vault = random.Random(seed), doors.vault("hanna")  # noqa: S311  # repeatable, not secret
    kinds = [(lie, pattern) for lie, pattern in LIES_TO_PUSH if lie not in {Lie.STALL, Lie.STALE}]
    kinds += [(lie, READ) for lie in LIES_TO_PULL if lie not in {Lie.STALL, Lie.STALL_HALF_WAY}]

    def lied_to(act: Callable[[], object]) -> bool:
        for lie, pattern in chance.sample(kinds, 6):
            liar.lies(lie, pattern, times=chance.randint(1, 4))
        try:
            act()
        except (Unavailable, Damaged):
            return False
        finally:
            liar.honest()
        return True

    for number in range(4):
        (folder / "big.bin").write_bytes(BODY[: 2**20 * (number % 3) + number])
        known = {one.number for one in vault.versions("scans")} if number else set()
        done = lied_to(lambda: vault.push(folder, "scans"))
        if not done:
            assert {one.number for one in vault.versions("scans")} <= known | {max(known, default=0) + 1}
            vault.push(folder, "scans")
        assert vault.verify("scans") == []
        out = tmp_path / f"out{number}"
        if not lied_to(lambda out=out: vault.pull("scans", out)):  # type: ignore[misc]
            vault.pull("scans", out)
        assert (out / "big.bin").read_bytes() == (folder / "big.bin").read_bytes()


def _files(vault: object) -> list[object]:
    with vault.opened("scans") as opened:  # type: ignore[attr-defined]
        return list(opened.book.files())
