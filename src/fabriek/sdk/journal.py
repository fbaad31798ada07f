"""What a push has brought so far, on the pusher's own disk: a push that was killed goes on where it stopped.

One file a folder and dataset, readable by its owner only and gone once the version stands. It holds the keys of objects whose plaintext
lies in the folder beside it. A line is written when the server has said that the object is on its disk; a torn last line counts for
nothing. Two pushes of one folder at once do not share it: the second goes without.
"""

import base64
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

FORM = "fabriek-push-1"


@dataclass(slots=True)
class Journal:
    """`upload` is empty until one was opened. `arrived`: what an object holds (see `packing.tag_of`) → its id and key."""

    upload: str = ""
    arrived: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _file: Path | None = None
    _out: IO[str] | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, upload: str) -> None:
        """Another upload: what an earlier one brought is forgotten."""
        self.upload = upload
        self.arrived.clear()
        if self._out is not None:
            self._out.seek(0)
            self._out.truncate()
            self._write({"form": FORM, "upload": upload})

    def add(self, tag: str, object_id: str, key: bytes) -> None:
        """The object is on the server's disk."""
        with self._turn:
            self.arrived[tag] = (object_id, key)
            self._write({"tag": tag, "object": object_id, "key": base64.b64encode(key).decode()})

    def forget(self) -> None:
        """The version stands."""
        self.upload = ""
        self.arrived.clear()
        if self._out is not None:
            self._out.seek(0)
            self._out.truncate()
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()

    def _write(self, line: dict[str, str]) -> None:
        if self._out is not None:
            # A full disk here costs a resumed push some bytes, and must not cost this one its success.
            with suppress(OSError):
                self._out.write(json.dumps(line) + "\n")
                self._out.flush()


@contextmanager
def journal_of(folder: Path, *named: str) -> Iterator[Journal]:
    """The journal of what is named (server, dataset, folder), alone; one that is kept nowhere where it cannot be had."""
    name = hashlib.sha256("\0".join(named).encode()).hexdigest()[:32]
    file = folder / name
    out = _locked(file)
    if out is None:
        yield Journal()
        return
    with out:
        out.seek(0)
        found = _read(out)
        found._file, found._out = file, out  # noqa: SLF001  # its own
        yield found


def _locked(file: Path) -> IO[str] | None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        out = os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+", encoding="utf-8")
    except OSError:
        return None
    if not is_alone(out.fileno()):
        out.close()
        return None
    return out


def is_alone(descriptor: int) -> bool:
    """Whether nobody else has this open file locked; then we have, until it is closed. Where files cannot be locked: yes."""
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415  # not there on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(lines: IO[str]) -> Journal:
    """What is in it, up to the first line that is not whole."""
    found = Journal()
    try:
        head = json.loads(lines.readline())
        if head["form"] == FORM:
            found.upload = str(head["upload"])
            for line in lines:
                one = json.loads(line)
                found.arrived[str(one["tag"])] = (str(one["object"]), base64.b64decode(one["key"], validate=True))
    except (ValueError, KeyError, TypeError):
        pass
    return found
