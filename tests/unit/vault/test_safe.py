import os
from collections.abc import Iterator

import pytest

from fabriek.kernel.errors import Damaged, NotFound
from fabriek.sealing.objects import CHUNK_BYTES
from tests.factories.vault import World


@pytest.fixture
def room(world: World) -> str:
    return world.vault.room("prj_1")


def test_what_was_put_comes_back_whole_and_in_parts(world: World, room: str) -> None:
    body = os.urandom(5 * CHUNK_BYTES + 7)
    sealed = world.vault.safe.put(room, [body[:100], body[100:]])
    assert b"".join(world.vault.safe.open(room, sealed.id)) == body
    assert world.vault.safe.size(room, sealed.id) == len(body)
    for start, stop in (
        (0, 1),
        (CHUNK_BYTES - 1, CHUNK_BYTES + 1),
        (100, 100),
        (len(body) - 1, None),
        (len(body), None),
    ):
        assert b"".join(world.vault.safe.open(room, sealed.id, start, stop)) == body[start:stop]


def test_an_empty_artifact_is_an_artifact(world: World, room: str) -> None:
    sealed = world.vault.safe.put(room, [])
    assert b"".join(world.vault.safe.open(room, sealed.id)) == b""


def test_nothing_plain_reaches_the_store(world: World, room: str) -> None:
    world.vault.safe.put(room, [b"canary " * 1000])
    assert not any(b"canary" in body for body in world.blobs.objects.values())


def test_a_stream_is_sealed_as_it_comes_and_never_held_whole(world: World, room: str) -> None:
    taken: list[int] = []
    drawn = 0

    def source() -> Iterator[bytes]:
        nonlocal drawn
        for _ in range(40):
            drawn += 1
            yield bytes(2**20)

    whole_put = world.blobs.put

    def watched(name: str, chunks: Iterator[bytes], **options: int) -> object:
        def seen() -> Iterator[bytes]:
            for chunk in chunks:
                taken.append(drawn)
                yield chunk

        return whole_put(name, seen(), **options)

    world.blobs.put = watched  # type: ignore[method-assign,assignment]  # the real store, looked at
    world.vault.safe.put(room, source())
    assert taken[0] == 0, "the head goes out before anything is read"
    assert taken[1] <= 5, "the first megabytes go out before the rest is read"


def test_a_sender_that_breaks_off_leaves_neither_bytes_nor_key(world: World, room: str) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(10)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        world.vault.safe.put(room, broken())
    assert world.blobs.objects == {}


def test_every_flipped_bit_is_seen_and_no_wrong_byte_comes_out(world: World, room: str) -> None:
    sealed = world.vault.safe.put(room, [b"figures"])
    whole = world.blobs.objects[sealed.id]
    for position in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[position // 8] ^= 1 << position % 8
        world.blobs.objects[sealed.id] = bytes(changed)
        with pytest.raises(Damaged):
            b"".join(world.vault.safe.open(room, sealed.id))


def test_a_cut_or_missing_object_is_damaged(world: World, room: str) -> None:
    sealed = world.vault.safe.put(room, [bytes(3 * CHUNK_BYTES)])
    whole = world.blobs.objects[sealed.id]
    for length in (0, 55, 56, len(whole) - CHUNK_BYTES, len(whole) - 1):
        world.blobs.objects[sealed.id] = whole[:length]
        with pytest.raises(Damaged):
            b"".join(world.vault.safe.open(room, sealed.id))
    world.blobs.delete(sealed.id)
    with pytest.raises(Damaged) as gone:
        world.vault.safe.size(room, sealed.id)
    assert gone.value.fields["where"] == sealed.id


def test_an_artifact_of_one_project_does_not_open_in_the_room_of_another(world: World, room: str) -> None:
    other = world.vault.room("prj_2")
    sealed = world.vault.safe.put(room, [b"mine"])
    with pytest.raises(NotFound):
        world.vault.safe.open(other, sealed.id)
    theirs = world.vault.safe.put(other, [b"four"])
    world.blobs.objects[sealed.id] = world.blobs.objects[theirs.id]
    with pytest.raises(Damaged):
        b"".join(world.vault.safe.open(room, sealed.id))


def test_what_was_removed_is_gone_with_its_key(world: World, room: str) -> None:
    sealed = world.vault.safe.put(room, [b"old"])
    world.vault.safe.remove(room, sealed.id)
    world.vault.safe.remove(room, sealed.id)
    assert world.blobs.objects == {}
    with pytest.raises(NotFound):
        world.vault.safe.open(room, sealed.id)


def test_the_room_of_a_project_is_one_and_stands_in_no_list(world: World, room: str) -> None:
    assert world.vault.room("prj_1") == room
    assert world.vault.list("lab", limit=9, by=world.hanna) == []
