"""The hashes that files had, by how they stood on the disk: what has not been touched since the last push is not read again.

Believed for a file whose size, inode, and times of change are those that it had then, and which had been left alone for two seconds by
then: a change within the clock's grain would not show. `ctime` cannot be set back by a program. It is a memory and no record: it may be
removed at any time. Names are kept as hashes.
"""

import hashlib
import os
import secrets
import struct
import time
from contextlib import suppress
from pathlib import Path

_ROW = struct.Struct("<16sQQQQ32s")
GRAIN_NANOSECONDS = 2 * 10**9
ROWS_MAX = 2_000_000
"""Above this the memory would weigh more than reading again: about 180 MiB."""


class Hashes:
    """Of one folder. What was asked for or learnt in this push is what `save` keeps."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[bytes, bytes] = {}
        self._kept: dict[bytes, bytes] = {}
        if file is not None:
            with suppress(OSError):
                raw = file.read_bytes()
                rows = (raw[at : at + _ROW.size] for at in range(0, len(raw) - len(raw) % _ROW.size, _ROW.size))
                self._known = {row[:16]: row[16:] for row in rows}

    def known(self, path: str, status: os.stat_result) -> str:
        """The SHA-256 of the file's content, or empty."""
        name = _name(path)
        row = self._known.get(name)
        if row is None or row[:-32] != _standing(status):
            return ""
        self._kept[name] = row
        return row[-32:].hex()

    def learn(self, path: str, status: os.stat_result, sha256: str) -> None:
        """status: as it stood before it was read, and still stands."""
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        if time.time_ns() - newest > GRAIN_NANOSECONDS and len(self._kept) < ROWS_MAX:
            self._kept[_name(path)] = _standing(status) + bytes.fromhex(sha256)

    def save(self) -> None:
        """In one step; a disk that is full or not ours leaves what was there."""
        if self._file is None or self._kept == self._known:
            return
        draft = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.writelines(name + row for name, row in self._kept.items())
            draft.replace(self._file)
        except OSError:
            with suppress(OSError):
                draft.unlink()


def hashes_of(folder: Path, root: Path) -> Hashes:
    """folder: where they are kept."""
    return Hashes(folder / hashlib.sha256(os.fsencode(root)).hexdigest()[:32])


def _name(path: str) -> bytes:
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()[:16]


def _standing(status: os.stat_result) -> bytes:
    return struct.pack("<QQQQ", status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
