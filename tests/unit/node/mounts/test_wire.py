"""The kernel's protocol: every answer has the length that linux/fuse.h says."""

import stat
import struct

from fabriek.node.mounts import wire
from fabriek.node.mounts.wire import Asked, Attributes

FILE = Attributes(7, 1_000_000, stat.S_IFREG | 0o644, 1_700_000_000)


def test_answers_have_the_kernels_lengths() -> None:
    assert len(FILE.pack()) == 88
    assert len(wire.entry(FILE, 30)) == 128
    assert len(wire.attributes_for(FILE, 30)) == 104
    assert len(wire.opened(1, keep=True)) == 16
    assert len(wire.room(10**12, 5)) == 80
    assert [len(piece) for piece in wire.drop_pages(7)] == [16, 24]


def test_a_greeting_offers_no_more_than_the_kernel_does() -> None:
    said = wire.greeting(memoryview(struct.pack("<IIII", 7, 38, 131_072, wire.MANY_PAGES | 1 << 30)))
    assert len(said) == 64
    assert struct.unpack_from("<IIII", said) == (7, 31, 131_072, wire.MANY_PAGES)


def test_a_request_is_read_with_what_it_is_about() -> None:
    body = b"a name\0"
    request = wire.read_request(struct.pack("<IIQQIIII", 47, 1, 99, 5, 0, 0, 0, 0) + body)
    assert (request.asked, request.unique, request.node, request.name()) == (Asked.LOOKUP, 99, 5, "a name")


def test_a_long_listing_comes_in_parts_of_whole_entries() -> None:
    entries = [(f"name-{number:03}-é", number + 2, stat.S_IFREG) for number in range(100)]
    seen, offset = [], 0
    while part := wire.listed(entries, offset, 512):
        assert len(part) <= 512
        assert len(part) % 8 == 0
        place = 0
        while place < len(part):
            node, offset, length, kind = struct.unpack_from("<QQII", part, place)
            seen.append((part[place + 24 : place + 24 + length].decode(), node, kind << 12))
            place += 24 + -(-length // 8) * 8
    assert seen == entries


def test_an_error_is_sent_as_the_kernel_wants_it_and_has_no_body() -> None:
    head, body = wire.answer(99, error=13)
    assert (struct.unpack("<IiQ", head), body) == ((16, -13, 99), b"")
