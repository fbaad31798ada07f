"""From file to file, on one thread and on several: the same object, and every change in it is seen."""

import os
from pathlib import Path

import pytest

from fabriek.kernel.errors import Damaged
from fabriek.sealing.files import CONTIGUOUS_RUNS, RUN_CHUNKS, open_file, seal_file
from fabriek.sealing.objects import CHUNK_BYTES, HEAD_BYTES, SEALED_CHUNK_BYTES, seal_bytes, sealed_size

KEY, SALT, CONTEXT = bytes(range(32)), bytes(range(24)), b"here"
SPAN = RUN_CHUNKS * CONTIGUOUS_RUNS * CHUNK_BYTES


def sealed(place: Path, body: bytes, threads: int) -> Path:
    """The object's file."""
    (place / "plain").write_bytes(body)
    with (place / "plain").open("rb") as source, (place / "sealed").open("wb") as out:
        assert seal_file(source.fileno(), out.fileno(), KEY, CONTEXT, SALT, threads=threads) == sealed_size(len(body))
    return place / "sealed"


def opened(file: Path, threads: int, context: bytes = CONTEXT) -> bytes:
    into = file.with_name("opened")
    with file.open("rb") as source, into.open("wb") as out:
        open_file(source.fileno(), out.fileno(), KEY, context, threads=threads)
    return into.read_bytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, RUN_CHUNKS * CHUNK_BYTES, SPAN, 2 * SPAN + 70_000]
)
def test_a_file_becomes_the_very_object_that_a_stream_becomes_and_opens_again(
    tmp_path: Path, size: int, threads: int
) -> None:
    body = os.urandom(size)
    file = sealed(tmp_path, body, threads)
    assert file.read_bytes() == seal_bytes(body, KEY, CONTEXT, SALT)
    assert opened(file, threads) == body


@pytest.mark.parametrize("at", [0, 30, HEAD_BYTES, HEAD_BYTES + SPAN, -1])
def test_a_flipped_bit_anywhere_stops_every_thread(tmp_path: Path, at: int) -> None:
    file = sealed(tmp_path, os.urandom(2 * SPAN + 70_000), 3)
    body = bytearray(file.read_bytes())
    body[at] ^= 1
    file.write_bytes(body)
    with pytest.raises(Damaged):
        opened(file, 3)


@pytest.mark.parametrize(
    "left", [0, HEAD_BYTES, HEAD_BYTES + SEALED_CHUNK_BYTES, HEAD_BYTES + 2 * SEALED_CHUNK_BYTES + 16]
)
def test_a_cut_at_a_border_is_seen(tmp_path: Path, left: int) -> None:
    file = sealed(tmp_path, os.urandom(5 * CHUNK_BYTES), 1)
    os.truncate(file, left)
    with pytest.raises(Damaged):
        opened(file, 1)


def test_an_object_does_not_open_in_another_place(tmp_path: Path) -> None:
    file = sealed(tmp_path, b"body", 1)
    with pytest.raises(Damaged):
        opened(file, 1, b"there")
