"""FUSE, as far as a file system needs it that is only read: what the kernel asks, and the bytes it takes for an answer.

We speak it ourselves and not through libfuse, which nodes rarely have, and whose simple interface cannot tell the kernel to drop what it
holds. Source: linux/fuse.h, version 7.31.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

MAJOR, MINOR = 7, 31
ROOT = 1
"""The number of the outermost folder."""

READ_BYTES_MAX = 2**20
REQUEST_BYTES_MAX = 64 * 1024
"""Of a request to a file system that nobody writes to; the kernel refuses a smaller buffer than 8 KiB."""

_HEAD = struct.Struct("<IIQQIIII")
_ANSWER = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_ENTRY = struct.Struct("<QQQQII")
_ATTRIBUTES_FOR = struct.Struct("<QII")
_INIT = struct.Struct("<IIIIHHIIHHI28x")
_OPENED = struct.Struct("<QIi")
_READ = struct.Struct("<QQI")
_LISTED = struct.Struct("<QQII")
_ROOM = struct.Struct("<QQQQQIIII24x")
_DROP = struct.Struct("<Qqq")

ASYNC_READ, PARALLEL_FOLDERS, MANY_PAGES, LINKS_KEPT = 1 << 0, 1 << 18, 1 << 22, 1 << 23
KEEP_PAGES = 1 << 1
_DROP_PAGES = 2
BLOCK = 512


class Asked(IntEnum):
    """What the kernel asks for."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    READLINK = 5
    OPEN = 14
    READ = 15
    STATFS = 17
    RELEASE = 18
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    INTERRUPT = 36
    DESTROY = 38
    FORGET_MANY = 42


UNANSWERED = frozenset({Asked.FORGET, Asked.FORGET_MANY, Asked.INTERRUPT})


@dataclass(frozen=True, slots=True)
class Request:
    """`asked` is the number of what was asked for, `unique` names the request, `node` what it is about."""

    asked: int
    unique: int
    node: int
    body: memoryview

    def name(self) -> str:
        return bytes(self.body).split(b"\0", 1)[0].decode("utf-8", "surrogateescape")

    def stretch(self) -> tuple[int, int, int]:
        """(handle, offset, count) of a read, or of a listing."""
        handle, offset, count = _READ.unpack_from(self.body)
        return handle, offset, count

    def interrupted(self) -> int:
        """Which request is no longer waited for."""
        return int(struct.unpack_from("<Q", self.body)[0])


def read_request(raw: bytes) -> Request:
    _, asked, unique, node, *_ = _HEAD.unpack_from(raw)
    return Request(asked, unique, node, memoryview(raw)[_HEAD.size :])


def answer(unique: int, body: bytes = b"", error: int = 0) -> list[bytes]:
    """error: of errno; 0 is success."""
    return [_ANSWER.pack(_ANSWER.size + len(body), -error, unique), body]


def greeting(body: memoryview) -> bytes:
    """Answers INIT: no more ahead than the kernel offers, and of its abilities those that we know."""
    _, _, ahead, able = struct.unpack_from("<IIII", body)
    able &= ASYNC_READ | PARALLEL_FOLDERS | MANY_PAGES | LINKS_KEPT
    return _INIT.pack(MAJOR, MINOR, ahead, able, 64, 48, 4096, 1, READ_BYTES_MAX // 4096, 0, 0)


@dataclass(frozen=True, slots=True)
class Attributes:
    """`mode` with the kind of file; `seconds`: the time that all three times show."""

    node: int
    size: int
    mode: int
    seconds: int

    def pack(self) -> bytes:
        blocks = -(-self.size // BLOCK)
        times = (self.seconds,) * 3
        return _ATTRIBUTES.pack(self.node, self.size, blocks, *times, 0, 0, 0, self.mode, 1, 0, 0, 0, 4096, 0)


def entry(attributes: Attributes, valid_seconds: int) -> bytes:
    """A name's answer, which the kernel may believe for so long."""
    return _ENTRY.pack(attributes.node, 0, valid_seconds, valid_seconds, 0, 0) + attributes.pack()


def attributes_for(attributes: Attributes, valid_seconds: int) -> bytes:
    return _ATTRIBUTES_FOR.pack(valid_seconds, 0, 0) + attributes.pack()


def opened(handle: int, *, keep: bool) -> bytes:
    """keep: what the kernel still holds of the file is right."""
    return _OPENED.pack(handle, KEEP_PAGES if keep else 0, 0)


def listed(entries: Sequence[tuple[str, int, int]], offset: int, count: int) -> bytes:
    """Of (name, node, mode), those from an offset on that fit into so many bytes."""
    out = bytearray()
    for place, (name, node, mode) in enumerate(entries[offset:], offset + 1):
        encoded = name.encode("utf-8", "surrogateescape")
        one = _LISTED.pack(node, place, len(encoded), mode >> 12) + encoded
        one += bytes(-len(one) % 8)
        if len(out) + len(one) > count:
            break
        out += one
    return bytes(out)


def room(size_bytes: int, files: int) -> bytes:
    """A full file system of this size."""
    return _ROOM.pack(-(-size_bytes // 4096), 0, 0, files, 0, 4096, 255, 4096, 0)


def drop_pages(node: int) -> list[bytes]:
    """Not an answer: the kernel is to forget what it holds of a file."""
    body = _DROP.pack(node, 0, 0)
    return [_ANSWER.pack(_ANSWER.size + len(body), _DROP_PAGES, 0), body]
