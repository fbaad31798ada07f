"""The spool on disk: what one process logged to one run, a line each, in files that are removed once a server has all of them.

A file is held by its process with a lock, which ends with the process however that ends: who finds it free may send what is in it. A line
counts when it has its end; of one that was cut off nothing was promised.
"""

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import Damaged, StorageFull
from fabriek.sdk.journal import is_alone

FORM = "fabriek-spool-1"
DRAFT = ".new"
TRIES = 5
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Record = list[Any]
"""["m", at_ms, step, {key: value}], ["p", {…}], ["t", {…}] or ["e", status, at_ms]."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line. `is_new`: the run begins with this; else somebody named one that is there."""

    url: str
    project: str
    run: str
    session: str
    number: int = 1
    is_new: bool = True
    experiment: str = "Default"
    name: str = ""
    started_ms: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


class Segment:
    """One file, open and held. What `append` returned from is read again, whatever becomes of the process."""

    def __init__(self, file: Path, descriptor: int, head: Head, size: int) -> None:
        self.file, self.head, self.size = file, head, size
        self.begins = 0
        """Where what was logged begins: behind the head."""
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path, head: Head) -> "Segment":
        """Appears under its name when it is held and has its head. Raises StorageFull."""
        file = folder / f"{head.session}-{head.number:06d}.jsonl"
        for _ in range(TRIES):  # a round over the spool may take a draft for one that was left behind, until it is held
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                return cls._created(file, head)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unwritable(error, folder) from error
        raise StorageFull(f"in the spool {folder} no file stays", fix="set FABRIEK_SPOOL to another folder")

    @classmethod
    def _created(cls, file: Path, head: Head) -> "Segment":
        # Windows renames no file that is open; there a head that was cut off is found, and said to be damaged.
        draft = file if sys.platform == "win32" else file.with_suffix(DRAFT)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        made = cls(file, descriptor, head, 0)
        try:
            _hold(descriptor, draft)
            made.begins = made.append([FORM, asdict(head)])
            made.sync()
            if draft != file:
                draft.rename(file)
            _sync_folder(file.parent)
        except BaseException:
            made.close()
            draft.unlink(missing_ok=True)
            raise
        return made

    @classmethod
    def found(cls, file: Path) -> "Segment | None":
        """One that an earlier process left; None while somebody holds it, or when it is gone. Raises Damaged on what is no segment."""
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return None
        if not is_alone(descriptor) or os.fstat(descriptor).st_nlink == 0:
            os.close(descriptor)
            return None
        try:
            (form, said), _ = next(_records(file, 0))
            return cls(file, descriptor, Head(**{FORM: said}[form]), os.fstat(descriptor).st_size)
        except (StopIteration, KeyError, ValueError, TypeError) as error:
            os.close(descriptor)
            raise Damaged(f"{file} is not what this program wrote", fix=f"look at it, and remove {file}") from error

    def append(self, record: Record) -> int:
        """The size after it. Raises StorageFull, and then nothing of it is there."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        before = self.size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, before)
            raise _unwritable(error, self.file.parent) from error
        self.size = before + len(line)
        return self.size

    def sync(self) -> None:
        """On the disk when it returns. Raises StorageFull."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(error, self.file.parent) from error

    def records(self, offset: int) -> Iterator[tuple[Record, int]]:
        """(record, where the next begins), from there on, without the head."""
        for record, end in _records(self.file, offset):
            if record[0] != FORM:
                yield record, end

    def sent(self) -> int:
        """Up to where a server has it: a hint that spares sending, and no promise."""
        try:
            return min(int(self._progress.read_text()), self.size)
        except (OSError, ValueError):
            return 0

    def mark_sent(self, offset: int) -> None:
        with suppress(OSError):  # a full disk: it is sent once more, and kept once
            self._progress.write_text(str(offset))

    def remove(self) -> None:
        """A server has all of it."""
        if sys.platform == "win32":  # which removes no file that is open
            self.close()
        self.file.unlink(missing_ok=True)
        self._progress.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Lets go of it; what was not sent stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def _progress(self) -> Path:
        return self.file.with_suffix(".sent")


def sessions(folder: Path) -> Iterator[list[Path]]:
    """The files of each session in their order, the sessions by age. Drafts that nobody holds any more are removed: nothing is in them."""
    found: dict[str, list[Path]] = {}
    if folder.is_dir():
        for draft in folder.glob(f"*{DRAFT}"):
            _remove_draft(draft)
        for file in sorted(folder.glob("*.jsonl")):
            found.setdefault(file.stem.rpartition("-")[0], []).append(file)
    yield from sorted(found.values(), key=_age)


def _hold(descriptor: int, draft: Path) -> None:
    """Raises FileNotFoundError where a round over the spool was faster, and is removing it."""
    if not is_alone(descriptor):
        raise FileNotFoundError(draft)


def _age(files: list[Path]) -> float:
    with suppress(OSError):
        return files[0].stat().st_mtime
    return 0


def _remove_draft(draft: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(draft, os.O_RDWR)
        try:
            if is_alone(descriptor):
                draft.unlink()
        finally:
            os.close(descriptor)


def _records(file: Path, offset: int) -> Iterator[tuple[Record, int]]:
    """Up to the first line that is not whole: after a power cut the end of a file may be anything."""
    with file.open("rb") as lines:
        lines.seek(offset)
        for line in lines:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except ValueError:
                return
            offset += len(line)
            yield record, offset


def _unwritable(error: OSError, folder: Path) -> StorageFull:
    why = "is full" if error.errno in FULL else f"cannot be written ({error.strerror})"
    return StorageFull(
        f"the spool {folder} {why}: this was not logged", fix="make room, or set FABRIEK_SPOOL to another folder"
    )


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
