"""The hashes that files had, by how they stood on the disk: what has not been touched since the last push is not read again.

Believed for a file whose size, inode, and times of change are those that it had then, and which had been left alone for two seconds by
then: a change within the clock's grain would not show. `ctime` cannot be set back by a program. It is a memory and no record: it may be
removed at any time. Names are kept as hashes.

Rows lie in the order of the walk, in runs that end behind a name whose hash begins with a zero byte. One run is in memory at a time: the next is
found by the name that the one before ended with. Where such a name came or went, the files of one run are read once more.
"""

import hashlib
import os
import secrets
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

_ROW = struct.Struct("<16sQQQQ32s")
_MARK = struct.Struct("<16sQ")
_END = struct.Struct("<8sQ")
_FORM = b"hashes-2"
GRAIN_NANOSECONDS = 2 * 10**9
ROWS_MAX = 10_000_000
"""On the disk some 800 MB. What comes behind is read again at every push."""


class Hashes:
    """Of one folder. Asked for file after file in the order of the walk; what `keep` was given is what `save` keeps."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._old: IO[bytes] | None = None
        self._old_rows = 0
        self._marks: dict[bytes, int] = {}
        self._run: dict[bytes, bytes] = {}
        self._draft: Path | None = None
        self._out: IO[bytes] | None = None
        self._rows, self._ends = 0, bytearray()
        if file is not None:
            self._open_old(file)
            self._begin_draft(file)

    def known(self, path: str, status: os.stat_result) -> str:
        """The SHA-256 of the file's content, or empty."""
        if self._old is None:
            return ""
        name = _name(path)
        row = self._run.get(name)
        if name[0] == 0 and name in self._marks:
            self._load(self._marks[name])
        return row[-32:].hex() if row is not None and row[16:48] == _standing(status) else ""

    def keep(self, path: str, status: os.stat_result, sha256: str) -> None:
        """In the order of the walk, and only what `is_settled`. status: as it stood before it was read and still did afterwards."""
        if self._out is None or self._rows >= ROWS_MAX:
            return
        name = _name(path)
        try:
            self._out.write(name + _standing(status) + bytes.fromhex(sha256))
        except OSError:
            self._give_up()
            return
        self._rows += 1
        if name[0] == 0:
            self._ends += _MARK.pack(name, self._rows)

    def save(self) -> None:
        """In one step; a disk that is full or not ours leaves what was there."""
        if self._out is None or self._draft is None or self._file is None:
            return
        try:
            self._out.write(self._ends + _END.pack(_FORM, self._rows))
            self._out.close()
            self._draft.replace(self._file)
        except OSError:
            self._give_up()
        self._out = self._draft = None

    def close(self) -> None:
        """Forgets what was not saved."""
        self._give_up()
        if self._old is not None:
            self._old.close()

    def _open_old(self, file: Path) -> None:
        try:
            old = file.open("rb")
        except OSError:
            return
        with suppress(OSError, ValueError, struct.error):
            size = os.fstat(old.fileno()).st_size
            old.seek(max(0, size - _END.size))
            form, rows = _END.unpack(old.read(_END.size))
            ends = size - _END.size - rows * _ROW.size
            if form == _FORM and ends >= 0 and ends % _MARK.size == 0:
                old.seek(rows * _ROW.size)
                self._marks = dict(_MARK.iter_unpack(old.read(ends)))
                self._old, self._old_rows = old, rows
                self._load(0)
        if self._old is None:
            old.close()

    def _begin_draft(self, file: Path) -> None:
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in file.parent.glob(f".{file.name}.*"):
                left.unlink()  # of a push that was killed; one that still runs will not remember, and does nothing wrong
            self._out = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=2**16)
            self._draft = draft

    def _load(self, first: int) -> None:
        """The run that begins with this row."""
        assert self._old is not None, "asked only where there is an old one"
        self._run = {}
        self._old.seek(first * _ROW.size)
        left = self._old_rows - first
        while left > 0:
            raw = self._old.read(min(left, 512) * _ROW.size)
            if not raw:
                return
            for at in range(0, len(raw), _ROW.size):
                row = raw[at : at + _ROW.size]
                self._run[row[:16]] = row
                if row[0] == 0:
                    return
            left -= 512

    def _give_up(self) -> None:
        if self._out is not None:
            with suppress(OSError):
                self._out.close()
        if self._draft is not None:
            with suppress(OSError):
                self._draft.unlink()
        self._out = self._draft = None


def is_settled(status: os.stat_result) -> bool:
    """Whether a file had been left alone long enough when it was read: asked then, not later."""
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > GRAIN_NANOSECONDS


def hashes_of(folder: Path, root: Path) -> Hashes:
    """folder: where they are kept."""
    return Hashes(folder / hashlib.sha256(os.fsencode(root)).hexdigest()[:32])


def _name(path: str) -> bytes:
    return hashlib.sha256(path.encode()).digest()[:16]


def _standing(status: os.stat_result) -> bytes:
    return struct.pack("<QQQQ", status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
