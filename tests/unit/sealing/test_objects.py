"""Sealed objects: the format, ranges, and every way of changing one."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabriek.kernel.errors import Damaged
from fabriek.sealing.context import object_context
from fabriek.sealing.objects import (
    CHUNK_BYTES,
    HEAD_BYTES,
    SEALED_CHUNK_BYTES,
    Opener,
    open_bytes,
    open_stream,
    plain_size,
    seal,
    seal_bytes,
    sealed_size,
)
from tests.unit.sealing import straight

KEY = hashlib.sha256(b"key").digest()
SALT = hashlib.sha256(b"salt").digest()[:24]
CONTEXT = object_context("org_1", "ds_1", "obj_1")
VECTORS = Path(__file__).parents[3] / "docs" / "spec" / "vectors" / "sealed-objects.json"
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES + 77)


def text(size: int) -> bytes:
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


def opener(sealed: bytes, context: bytes = CONTEXT, key: bytes = KEY) -> Opener:
    return Opener(lambda offset, count: sealed[offset : offset + count], len(sealed), key, context)


@pytest.mark.parametrize("size", SIZES)
def test_the_object_is_byte_for_byte_what_the_specification_gives(size: int) -> None:
    sealed = seal_bytes(text(size), KEY, CONTEXT, SALT)
    assert sealed == straight.seal(text(size), KEY, CONTEXT, SALT)
    assert len(sealed) == sealed_size(size)
    assert plain_size(len(sealed)) == size
    assert open_bytes(sealed, KEY, CONTEXT) == text(size)


def test_published_vectors_open_or_fail_as_they_say() -> None:
    for vector in json.loads(VECTORS.read_text("utf-8"))["vectors"]:
        sealed, key = bytes.fromhex(vector["sealed"]), bytes.fromhex(vector["key"])
        context = bytes.fromhex(vector["context"])
        if vector["opens"]:
            assert open_bytes(sealed, key, context) == bytes.fromhex(vector["plain"]), vector["about"]
        else:
            with pytest.raises(Damaged):
                open_bytes(sealed, key, context)
            with pytest.raises(Damaged):
                opener(sealed, context, key).read(0, 1)


@given(pieces=st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=6))
@settings(max_examples=40)
def test_how_a_stream_is_cut_changes_nothing(pieces: list[int]) -> None:
    whole = text(sum(pieces))
    cuts, at = [], 0
    for length in pieces:
        cuts.append(whole[at : at + length])
        at += length
    sealed = b"".join(seal(cuts, KEY, CONTEXT, SALT))
    assert sealed == straight.seal(whole, KEY, CONTEXT, SALT)
    assert b"".join(open_stream([sealed[i : i + 1000] for i in range(0, len(sealed), 1000)], KEY, CONTEXT)) == whole


BORDERS = sorted({max(0, border + shift) for border in range(0, 4 * CHUNK_BYTES, CHUNK_BYTES) for shift in (-1, 0, 1)})


@given(
    start=st.sampled_from(BORDERS),
    stop=st.sampled_from(BORDERS),
    size=st.sampled_from([3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5, 100]),
)
@settings(max_examples=200)
def test_a_range_is_the_same_as_that_part_of_the_plaintext(start: int, stop: int, size: int) -> None:
    plain = text(size)
    assert (
        opener(seal_bytes(plain, KEY, CONTEXT, SALT)).read(start, max(0, stop - start))
        == plain[start : max(start, stop)]
    )


def test_a_range_fetches_the_chunks_it_needs_and_no_others() -> None:
    sealed = seal_bytes(text(10 * CHUNK_BYTES), KEY, CONTEXT, SALT)
    asked: list[tuple[int, int]] = []

    def read_at(offset: int, count: int) -> bytes:
        asked.append((offset, count))
        return sealed[offset : offset + count]

    reading = Opener(read_at, len(sealed), KEY, CONTEXT)
    asked.clear()
    reading.read(3 * CHUNK_BYTES + 5, 10)
    assert asked == [(HEAD_BYTES + 3 * SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES)]


def test_every_flipped_bit_of_a_small_object_is_seen() -> None:
    sealed = bytearray(seal_bytes(b"thirty-two bytes of measurements", KEY, CONTEXT, SALT))
    for position in range(len(sealed) * 8):
        sealed[position // 8] ^= 1 << position % 8
        with pytest.raises(Damaged):
            open_bytes(bytes(sealed), KEY, CONTEXT)
        with pytest.raises(Damaged):
            opener(bytes(sealed)).read(0, 1)
        sealed[position // 8] ^= 1 << position % 8


@given(data=st.data())
@settings(max_examples=60)
def test_a_flipped_bit_of_a_large_object_lets_nothing_behind_it_out(data: st.DataObject) -> None:
    plain = text(3 * CHUNK_BYTES + 9)
    sealed = bytearray(seal_bytes(plain, KEY, CONTEXT, SALT))
    position = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[position // 8] ^= 1 << position % 8
    released = b""
    with pytest.raises(Damaged):
        for piece in open_stream([bytes(sealed[i : i + 4096]) for i in range(0, len(sealed), 4096)], KEY, CONTEXT):
            released += piece
    assert plain.startswith(released)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_cut_anywhere_near_a_border_is_seen(size: int) -> None:
    sealed = seal_bytes(text(size), KEY, CONTEXT, SALT)
    borders = {0, HEAD_BYTES, len(sealed) - 1} | {
        HEAD_BYTES + n * SEALED_CHUNK_BYTES + shift for n in range(6) for shift in (-1, 0, 1, 16)
    }
    for length in sorted(one for one in borders if 0 <= one < len(sealed)):
        with pytest.raises(Damaged):
            open_bytes(sealed[:length], KEY, CONTEXT)
        with pytest.raises(Damaged):
            opener(sealed[:length]).read(0, 1)


def test_swapped_added_and_moved_chunks_are_seen() -> None:
    sealed = seal_bytes(text(3 * CHUNK_BYTES), KEY, CONTEXT, SALT)
    first, second = (
        sealed[HEAD_BYTES + n * SEALED_CHUNK_BYTES : HEAD_BYTES + (n + 1) * SEALED_CHUNK_BYTES] for n in (0, 1)
    )
    rest = sealed[HEAD_BYTES + 2 * SEALED_CHUNK_BYTES :]
    for changed in (
        sealed[:HEAD_BYTES] + second + first + rest,
        sealed + b"\0",
        sealed + first,
        sealed[:HEAD_BYTES] + first + first + rest,
    ):
        with pytest.raises(Damaged):
            open_bytes(changed, KEY, CONTEXT)


def test_an_object_does_not_open_elsewhere_or_under_another_key() -> None:
    sealed = seal_bytes(b"here", KEY, CONTEXT, SALT)
    for elsewhere in (
        object_context("org_2", "ds_1", "obj_1"),
        object_context("org_1", "ds_2", "obj_1"),
        object_context("org_1", "ds_1", "obj_2"),
    ):
        with pytest.raises(Damaged):
            open_bytes(sealed, KEY, elsewhere)
    with pytest.raises(Damaged):
        open_bytes(sealed, hashlib.sha256(b"other").digest(), CONTEXT)


def test_no_two_triples_make_the_same_context() -> None:
    assert object_context("a", "bc", "d") != object_context("ab", "c", "d")
    assert object_context("a", "", "b") != object_context("", "a", "b")
