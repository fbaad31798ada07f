"""What is in a folder that will be pushed. Nothing outside it is read, and what is not a file is refused."""

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.sealing.paths import check_link, check_path

KEPT_MAX = 50_000
"""Names that a survey keeps in memory, so that a small folder is walked once; a larger one is walked again."""

FILE_BYTES_MAX = 2**46
"""64 TiB: a million blocks, whose hashes stand in one row."""

DATA_BYTES_MAX = 2**44
"""16 TiB of it that are no holes: what says where they are fits into one page."""

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Changed(InvalidInput):
    """A file changed while it was being read. Once more may help."""


@dataclass(frozen=True, slots=True)
class Met:
    """A file of the folder, or a link with its target. `status`: how it stood; a link needs none."""

    path: str
    status: os.stat_result | None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """A folder that was walked once: all in it can be pushed. `kept`: what was met, where that is not too much to keep."""

    root: Path
    files: int
    size_bytes: int
    skip: frozenset[str] = frozenset()
    kept: Sequence[Met] | None = None

    def met(self) -> Iterator[Met]:
        """Everything in it, in the order of a version's paths. Raises InvalidInput on what has come since and cannot be pushed."""
        yield from self.kept if self.kept is not None else _meet(self.root, self.skip)


def survey(folder: Path, *, skip: Collection[str] = (), bytes_max: int | None = None) -> Survey:
    """Walks, and reads nothing. `skip`: names of folders to leave out.

    Raises InvalidInput when it is not a folder, holds a socket, pipe or device, a link that leads out, a name that is not UTF-8 or
    too long, or more than bytes_max.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder", fix="name a folder that exists")
    root, skipped = folder.resolve(), frozenset(skip)
    kept: list[Met] | None = []
    files = size = 0
    for met in _meet(root, skipped):
        files += 1
        size += met.status.st_size if met.status else 0
        if bytes_max is not None and size > bytes_max:
            raise InvalidInput(
                f"{folder} holds more than {bytes_max // 2**20} MiB",
                fix="name a smaller folder, or push the data as a dataset",
            )
        if kept is not None:
            kept.append(met)
            if files > KEPT_MAX:
                kept = None
    return Survey(root, files, size, skipped, kept)


def mode_of(status: os.stat_result) -> int:
    """Only whether it may be run is kept of the mode: the rest belongs to the machine it was on."""
    return 0o755 if status.st_mode & 0o100 else 0o644


def opened(root: Path, path: str) -> FileIO:
    """A file below the root, for reading. Raises Changed where it is no file any more, InvalidInput where it cannot be read."""
    try:
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | _NO_FOLLOW)
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise changed(path)
    return FileIO(descriptor, "rb")


def standing(status: os.stat_result) -> tuple[int, int, int, int]:
    """Size, inode, and times of change of content and of file: what shows that it was touched."""
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def read_whole(root: Path, path: str, bytes_max: int) -> tuple[bytes, os.stat_result]:
    """(content of a file of less than bytes_max, how it stood before and after it was read). Raises Changed, also where it has grown."""
    with opened(root, path) as source:
        before = os.fstat(source.fileno())
        if before.st_size >= bytes_max:
            raise changed(path)
        # One byte more than there is: a file that grew shows.
        content = source.read(before.st_size + 1) if before.st_size else b""
        if len(content) != before.st_size or standing(os.fstat(source.fileno())) != standing(before):
            raise changed(path)
    return content, before


def changed(path: str) -> Changed:
    return Changed(f"{path} changed while it was being read", fix="push again when nothing writes to it")


def check_size(path: str, status: os.stat_result) -> None:
    """Before terabytes of it are sent. Raises InvalidInput."""
    fix = "cut it into several files"
    if status.st_size > FILE_BYTES_MAX:
        raise InvalidInput(f"{path} has more than {FILE_BYTES_MAX // 2**40} TiB", fix=fix)
    if min(status.st_size, 512 * getattr(status, "st_blocks", 0)) > DATA_BYTES_MAX:
        raise InvalidInput(f"{path} has more than {DATA_BYTES_MAX // 2**40} TiB of data", fix=fix)


def _meet(root: Path, skip: frozenset[str]) -> Iterator[Met]:
    for entry, path in _walk(str(root), "", skip):
        check_path(path)
        if entry.is_symlink():
            yield Met(path, None, _target(root, path, entry))
            continue
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{path} is a socket, a pipe or a device", fix="move it out of the folder")
        check_size(path, status)
        yield Met(path, status)


def _walk(folder: str, above: str, skip: frozenset[str]) -> Iterator["tuple[os.DirEntry[str], str]"]:
    """Names sorted folder by folder: that is the order of `rank`."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=_name)
    except OSError as error:
        raise _unreadable(above or folder, error) from None
    for entry in entries:
        path = above + entry.name
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in skip:
                check_path(path)
                yield from _walk(entry.path, f"{path}/", skip)
        else:
            yield entry, path


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name


def _target(root: Path, path: str, entry: "os.DirEntry[str]") -> str:
    """A link inside the folder stays a link. Where it really ends is asked too: a link to a link can lead out in steps."""
    target = Path(entry.path).readlink().as_posix()
    check_link(path, target)
    if not Path(entry.path).resolve().is_relative_to(root):
        raise InvalidInput(f"the link {path!r} leads out of the folder", fix="replace the link by what it points at")
    return target


def _unreadable(path: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path} cannot be read ({error.strerror})", fix="check its permissions")
