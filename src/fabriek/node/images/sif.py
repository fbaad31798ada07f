"""Where the root file system lies in an image: a SIF file (a header, and descriptors of what follows), or a squashfs on its own.

Sources: version 1 of the SIF format, and the superblock of squashfs 4.0; both are little-endian and without gaps.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from fabriek.kernel.errors import InvalidInput

HEADER = struct.Struct("<32s10s3s3s16s8q")
"""Launch line, magic, version, architecture, id; then two times, and of the descriptors how many are free, how many there are, where they are
and how long; at last where the data begins and how much it is.
"""

DESCRIPTOR = struct.Struct("<i?3I7q128s384s")
"""Kind, whether it is in use, three ids; then where, how long, how long with padding, and four words that nobody needs; at last a name, and what
is the kind's own.
"""

PARTITION = struct.Struct("<ii3s")
"""Of a partition: its file system, what it is for, its architecture."""

SUPERBLOCK = struct.Struct("<5I6H8Q")

MAGIC = b"SIF_MAGIC\0"
SQUASHFS = b"hsqs"
SQUASHFS_VERSION = 4
DATA_PARTITION = 0x4004
SQUASH, ENCRYPTED_SQUASH = 1, 5
PRIMARY = 2
ARCHITECTURES = {"x86_64": b"02", "aarch64": b"04", "ppc64le": b"06", "s390x": b"11"}
"""Machines by their own names, and by SIF's."""

UNKNOWN = b"00"
DESCRIPTORS_MAX = 4_096

BUILD = "build it with apptainer build, or mksquashfs"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file the squashfs begins, and how many bytes it has."""

    offset: int
    size_bytes: int


def place_of(image: BinaryIO, machine: str) -> Place:
    """machine: what `uname -m` says. Raises InvalidInput on a file that is no image, one for another machine, one that is encrypted, and
    one that says of itself what cannot be.
    """
    size = image.seek(0, 2)
    begin = _read(image, 0, min(size, HEADER.size))
    if begin.startswith(SQUASHFS):
        return _checked(image, Place(0, size), size)
    if len(begin) < HEADER.size or begin[32 : 32 + len(MAGIC)] != MAGIC:
        raise InvalidInput("the image is neither a SIF file nor a squashfs", fix=BUILD)
    for file_system, purpose, architecture, place in _partitions(image, begin, size):
        if purpose != PRIMARY:
            continue
        if file_system == ENCRYPTED_SQUASH:
            raise InvalidInput(
                "the image is encrypted, and no key for it is known here",
                fix="build it without --encrypt: the vault keeps it sealed",
            )
        if file_system != SQUASH:
            raise InvalidInput("the image's file system is no squashfs", fix=BUILD)
        if architecture not in {UNKNOWN, ARCHITECTURES.get(machine, UNKNOWN)}:
            raise InvalidInput(f"the image was built for another machine than {machine}", fix="build it on such a one")
        return _checked(image, place, size)
    raise InvalidInput("the image holds no root file system", fix=BUILD)


def _partitions(image: BinaryIO, header: bytes, size: int) -> Iterator[tuple[int, int, bytes, Place]]:
    """File system, purpose, architecture and place of each partition."""
    *_, count, begins, _, _, _ = HEADER.unpack(header)
    if not 0 <= count <= DESCRIPTORS_MAX or not 0 <= begins <= size - count * DESCRIPTOR.size:
        raise _damaged()
    for each in DESCRIPTOR.iter_unpack(_read(image, begins, count * DESCRIPTOR.size)):
        kind, used, offset, length, own = each[0], each[1], each[5], each[6], each[-1]
        if used and kind == DATA_PARTITION:
            if offset < 0 or length < 0 or offset + length > size:
                raise _damaged()
            file_system, purpose, architecture = PARTITION.unpack_from(own)
            yield file_system, purpose, architecture.rstrip(b"\0"), Place(offset, length)


def _checked(image: BinaryIO, place: Place, size: int) -> Place:
    """The place, if a squashfs is there that does not claim more than it holds."""
    begin = _read(image, place.offset, SUPERBLOCK.size) if place.offset + SUPERBLOCK.size <= size else b""
    if not begin.startswith(SQUASHFS):
        raise _damaged()
    words = SUPERBLOCK.unpack(begin)
    version, used = words[9], words[12]
    if version != SQUASHFS_VERSION:
        raise InvalidInput(f"the image is a squashfs of version {version}, and 4 is read here", fix=BUILD)
    if not SUPERBLOCK.size <= used <= place.size_bytes:
        raise _damaged()
    return place


def _read(image: BinaryIO, offset: int, count: int) -> bytes:
    image.seek(offset)
    return image.read(count)


def _damaged() -> InvalidInput:
    return InvalidInput("the image is damaged or cut short", fix="build it again, or push it again")
