"""The hashes that files had, by how they stood on the disk: what has not been touched since the last push is not read again.

Believed for a file whose size, inode, and times of change are those that it had then, and which had been left alone for two seconds by
then: a change within the clock's grain would not show. `ctime` cannot be set back by a program. It is a memory and no record: it may be
removed at any time. Names are kept as hashes.

Rows lie in the order of the walk, in runs that end behind a name whose hash begins with a zero byte. One run is in memory at a time: the next is
found by the name that the one before ended with. Where such a name came or went, the files of one run are read once more. What a push that was
killed had learnt is in its draft, and is used by the next.
"""

import hashlib
import os
import secrets
import struct
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from fabriek.sealing.paths import path_hash

_ROW = struct.Struct("<16sQQQQ32s")
_MARK = struct.Struct("<16sQ")
_END = struct.Struct("<8sQ")
_FORM = b"hashes-2"
GRAIN_NANOSECONDS = 2 * 10**9
_SCANNED_ROWS = 10_000
ROWS_MAX = 10_000_000
"""On the disk some 800 MB. What comes behind is read again at every push."""


class Hashes:
    """Of one folder. Asked for file after file in the order of the walk; what `keep` was given is what `save` keeps."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._old: list[tuple[IO[bytes], int]] = []
        self._marks: dict[bytes, tuple[int, int]] = {}
        self._run: dict[bytes, bytes] = {}
        self._draft: Path | None = None
        self._out: IO[bytes] | None = None
        self._rows, self._ends = 0, bytearray()
        if file is not None:
            self._open_saved(file)
            self._open_left(file)
            self._begin_draft(file)
            if self._old:
                self._load(len(self._old) - 1, 0)

    def known(self, path: str, status: os.stat_result) -> str:
        """The SHA-256 of the file's content, or empty."""
        if not self._old:
            return ""
        name = _name(path)
        row = self._run.get(name)
        if name[0] == 0 and name in self._marks:
            self._load(*self._marks[name])
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
        for source, _ in self._old:
            source.close()

    def _open_saved(self, file: Path) -> None:
        """What the last whole push left: rows, and behind them where its runs begin."""
        with suppress(OSError, ValueError, struct.error), ExitStack() as closing:
            old = closing.enter_context(file.open("rb"))
            size = os.fstat(old.fileno()).st_size
            old.seek(max(0, size - _END.size))
            form, rows = _END.unpack(old.read(_END.size))
            ends = size - _END.size - rows * _ROW.size
            if form == _FORM and ends >= 0 and ends % _MARK.size == 0:
                old.seek(rows * _ROW.size)
                self._marks = {name: (0, row) for name, row in _MARK.iter_unpack(old.read(ends))}
                self._old.append((old, rows))
                closing.pop_all()

    def _open_left(self, file: Path) -> None:
        """What a push that was killed had written down: it is believed before what is older, as far as it goes."""
        with suppress(OSError):
            found = sorted(file.parent.glob(f".{file.name}.*"), key=lambda one: one.stat().st_size)
            left = found[-1].open("rb") if found else None
            for one in found:
                one.unlink()  # a push that still runs will not remember, and does nothing wrong
            if left is not None:
                rows = os.fstat(left.fileno()).st_size // _ROW.size
                number, last, older = len(self._old), b"", dict(self._marks)
                self._old.append((left, rows))
                for first in range(0, rows, _SCANNED_ROWS):
                    raw = left.read(min(_SCANNED_ROWS, rows - first) * _ROW.size)
                    begins, at = raw[:: _ROW.size], -1
                    while (at := begins.find(b"\0", at + 1)) >= 0:
                        last = raw[at * _ROW.size : at * _ROW.size + 16]
                        self._marks[last] = (number, first + at + 1)
                if last in older:
                    self._marks[last] = older[last]  # the run behind it was not written to its end

    def _begin_draft(self, file: Path) -> None:
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._out = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=2**16)
            self._draft = draft

    def _load(self, number: int, first: int) -> None:
        """The run that begins with this row."""
        source, rows = self._old[number]
        self._run = {}
        source.seek(first * _ROW.size)
        for begin in range(first, rows, 512):
            raw = source.read(min(rows - begin, 512) * _ROW.size)
            for at in range(0, len(raw), _ROW.size):
                row = raw[at : at + _ROW.size]
                self._run[row[:16]] = row
                if row[0] == 0:
                    return

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
    return path_hash(path)[:16]


def _standing(status: os.stat_result) -> bytes:
    return struct.pack("<QQQQ", status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
