"""What a zip holds, by its list of members and the first bytes of each. Nothing is unpacked to anywhere."""

import io
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from fabriek.lab.registry.formats import Content, Mark, format_of, kind_of

MEMBERS_MAX = 5_000
READ_BYTES_MAX = 32 * 2**20
"""In all, of one archive: its list, and the beginnings of its members."""
MEMBER_BYTES = 16_384
NESTED_BYTES_MAX = 4 * 2**20
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What can be read a little at a time; of others one reading may give gigabytes."""


class _TooMuch(Exception):
    """More would have to be read than is worth it."""


_BROKEN = (
    _TooMuch, zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, RuntimeError, EOFError, KeyError, IndexError,
)  # fmt: skip
"""What an archive that somebody made up may bring about."""


class _Window(io.RawIOBase):
    """A file over content that is elsewhere, which counts what is read of it."""

    def __init__(self, content: Content) -> None:
        self._content, self._at, self._left = content, 0, READ_BYTES_MAX

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._content.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, count: int = -1) -> bytes:
        stop = self._content.size if count is None or count < 0 else min(self._at + count, self._content.size)
        wanted = max(0, stop - self._at)
        if wanted > self._left:
            raise _TooMuch
        self._left -= wanted
        piece = self._content.at(self._at, stop)
        self._at += len(piece)
        return piece


class _Piece:
    """The beginning of a member. `size` is one more than what there is of it where it goes on."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self.size = head, size

    def at(self, start: int, stop: int) -> bytes:
        return self._head[start:stop]


def zip_kind(content: Content, *, nested: bool = False) -> str:
    """A key of KINDS. What cannot be read, or would take too long, is a zip of no kind that we know."""
    try:
        with zipfile.ZipFile(_Window(content)) as archive:
            return _kind(archive, nested=nested)
    except _BROKEN:
        return "zip"


def _kind(archive: zipfile.ZipFile, *, nested: bool) -> str:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if not members or len(members) > MEMBERS_MAX:
        return "zip"
    kinds = {one.filename: _member(archive, one, nested=nested) for one in members}
    names = {PurePosixPath(one).name for one in kinds}
    marks = {format_of(name, kind).mark for name, kind in kinds.items()}
    if any(kind.startswith("pickle") or kind == "numpy-objects" for kind in kinds.values()) or "data.pkl" in names:
        found = "pickle-zip"
    elif "config.json" in names and names & {"model.weights.h5", "metadata.json"}:
        found = "keras"
    elif Mark.CODE in marks:
        found = "code-zip"
    elif marks == {Mark.DATA} and "schema.json" in kinds:
        found = "skops"
    else:
        found = "numpy" if set(kinds.values()) == {"numpy"} else "zip"
    return found


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, nested: bool) -> str:
    if member.flag_bits & 1 or member.compress_type not in _PLAIN:
        return "compressed"
    with archive.open(member) as opened:
        head = opened.read(MEMBER_BYTES)
        kind = kind_of(_Piece(head, len(head) if len(head) < MEMBER_BYTES else member.file_size))
        if kind == "zip" and not nested and member.file_size <= NESTED_BYTES_MAX:
            # skops keeps sparse arrays as .npz within its own zip.
            whole = head + opened.read(NESTED_BYTES_MAX)
            return zip_kind(_Piece(whole, len(whole)), nested=True)
    return kind
