"""What every store of objects must do, run against a folder, a real S3 server, and the twin that other tests use."""

import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.adapters import blobs_local
from fabriek.adapters.blobs_local import DRAFTS, LocalBlobs
from fabriek.adapters.blobs_s3 import S3Blobs
from fabriek.adapters.s3 import open_bucket
from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, StorageFull, Unavailable
from fabriek.kernel.stored import Stored
from fabriek.vault.ports import Blobs
from tests.factories.blobs import MemoryBlobs
from tests.factories.threads import at_once
from tests.servers import seaweed
from tests.servers.lying_s3 import Liar, Lie, lying

pytestmark = pytest.mark.xdist_group("s3")

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_numbers = itertools.count()


def s3_blobs(server: seaweed.S3Server) -> S3Blobs:
    return S3Blobs(server.bucket(), f"test{next(_numbers)}/")


@pytest.fixture
def liar(s3_server: seaweed.S3Server) -> Iterator[Liar]:
    with lying(s3_server) as one:
        yield one


@pytest.fixture(params=["memory", "local", "s3", "s3 that forgets conditions", "s3 that knows no conditions"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    match request.param:
        case "memory":
            return MemoryBlobs()
        case "local":
            return LocalBlobs(tmp_path / "objects")
        case "s3":
            return s3_blobs(request.getfixturevalue("s3_server"))
    liar: Liar = request.getfixturevalue("liar")
    lie = Lie.FORGET_CONDITIONS if "forgets" in request.param else Lie.NO_CONDITIONS
    liar.lies(lie, r"^PUT ", times=-1)
    return S3Blobs(request.getfixturevalue("s3_server").bucket(liar.endpoint), f"test{next(_numbers)}/")


def read(blobs: Blobs, name: str, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join(blobs.get(name, start, stop))


def test_what_was_put_comes_back_to_the_byte(blobs: Blobs) -> None:
    body = os.urandom(3 * 2**20 + 7)
    stored = blobs.put("obj_1", [body[:10], body[10:]])
    assert stored.size == blobs.size("obj_1") == len(body)
    assert read(blobs, "obj_1") == body


def test_an_empty_object_is_an_object(blobs: Blobs) -> None:
    assert blobs.put("obj_1", []) == Stored(0, EMPTY_SHA256)
    assert blobs.size("obj_1") == 0
    assert read(blobs, "obj_1") == b""


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (5, 9), (2**20 - 1, 2**20 + 1), (0, None), (2**20, None)])
def test_a_range_is_that_range(blobs: Blobs, start: int, stop: int | None) -> None:
    body = os.urandom(2**20 + 100)
    blobs.put("obj_1", [body])
    assert read(blobs, "obj_1", start, stop) == body[start:stop]


def test_a_range_ends_with_the_object(blobs: Blobs) -> None:
    blobs.put("obj_1", [b"abc"])
    assert read(blobs, "obj_1", 2, 99) == b"c"
    assert read(blobs, "obj_1", 3, 99) == b""
    assert read(blobs, "obj_1", 50, 99) == b""


def test_the_same_bytes_may_be_sent_again(blobs: Blobs) -> None:
    assert blobs.put("obj_1", [b"same"]) == blobs.put("obj_1", [b"sa", b"me"])
    assert read(blobs, "obj_1") == b"same"


def test_an_object_is_written_once(blobs: Blobs) -> None:
    blobs.put("obj_1", [b"first"])
    with pytest.raises(AlreadyExists):
        blobs.put("obj_1", [b"second"])
    assert read(blobs, "obj_1") == b"first"


def test_of_eight_writers_exactly_one_body_stays(blobs: Blobs) -> None:
    outcomes = at_once(lambda number: blobs.put("obj_1", [str(number).encode()]), times=8)
    assert sum(isinstance(outcome, Stored) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == 7


def test_an_object_over_the_limit_leaves_nothing(blobs: Blobs) -> None:
    with pytest.raises(InvalidInput):
        blobs.put("obj_1", [b"12345", b"6"], bytes_max=5)
    with pytest.raises(NotFound):
        blobs.size("obj_1")
    assert blobs.put("obj_1", [b"12345"], bytes_max=5).size == 5


def test_a_sender_that_breaks_off_leaves_nothing(blobs: Blobs) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError(errno.ENOSPC, "the line broke, and its error is not the disk's")

    with pytest.raises(ConnectionResetError):
        blobs.put("obj_1", broken())
    assert list(blobs.names()) == []
    blobs.put("obj_1", [b"whole"])


def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        blobs.size("obj_9")
    with pytest.raises(NotFound):
        read(blobs, "obj_9")


def test_deleting_twice_is_deleting(blobs: Blobs) -> None:
    blobs.put("obj_1", [b"x"])
    blobs.delete("obj_1")
    blobs.delete("obj_1")
    with pytest.raises(NotFound):
        blobs.size("obj_1")


def test_every_name_is_listed(blobs: Blobs) -> None:
    names = {f"obj_{number}" for number in range(12)}
    for name in names:
        blobs.put(name, [b"x"])
    assert set(blobs.names()) == names


def test_an_object_larger_than_one_put_goes_in_parts(
    s3_server: seaweed.S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fabriek.adapters.blobs_s3.SINGLE_PUT_BYTES_MAX", 2**20)
    blobs = s3_blobs(s3_server)
    body = os.urandom(12 * 2**20 + 1)
    pieces = [body[place : place + 2**20] for place in range(0, len(body), 2**20)]
    stored = blobs.put("obj_1", pieces)
    assert read(blobs, "obj_1") == body
    assert blobs.put("obj_1", pieces) == stored
    with pytest.raises(AlreadyExists):
        blobs.put("obj_1", [bytes(2**20)] * 3)


def test_a_store_that_is_away_is_unavailable() -> None:
    nowhere = open_bucket("nowhere", key=("a", "b"), endpoint="http://127.0.0.1:9", retry_config={"max_retries": 0})
    away = S3Blobs(nowhere)
    with pytest.raises(Unavailable):
        away.put("obj_1", [b"x"])


@pytest.mark.parametrize("name", ["../obj_1", "obj_1/../../x", "", "obj_", "/etc/passwd", "obj_A", "obj_1\0", "drafts"])
def test_a_name_that_we_did_not_make_never_reaches_the_disk(tmp_path: Path, name: str) -> None:
    blobs = LocalBlobs(tmp_path / "objects")
    with pytest.raises(AssertionError):
        blobs.put(name, [b"x"])
    with pytest.raises(AssertionError):
        blobs.size(name)


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, Unavailable)]
)
@pytest.mark.parametrize("call", ["fsync", "link", "open"])
def test_a_failing_disk_is_said_so_and_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[FabriekError], call: str
) -> None:
    blobs = LocalBlobs(tmp_path / "objects")
    working = getattr(os, call)

    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(blobs_local.os, call, failing)
    with pytest.raises(expected):
        blobs.put("obj_1", [b"x"])
    monkeypatch.setattr(blobs_local.os, call, working)
    assert list((tmp_path / "objects" / DRAFTS).iterdir()) == []
    assert list(blobs.names()) == []
    blobs.put("obj_1", [b"another, later"])


def test_what_a_killed_server_left_is_cleared(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "objects")
    (tmp_path / "objects" / DRAFTS / "obj_1.beef").write_bytes(b"half")
    blobs.clear_drafts()
    assert list((tmp_path / "objects" / DRAFTS).iterdir()) == []
