"""What is in a folder that will be pushed. Nothing outside it is read, and what is not a file is refused."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.hashes import Hashes
from fabriek.sealing.packing import Found, Piece
from fabriek.sealing.paths import check_link, check_path

READ_BYTES = 2**20
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


Standing = tuple[int, int, int]
"""Size, and times of change of content and of file: what shows that it was touched."""


class Changed(InvalidInput):
    """A file changed while it was being read. Once more may help."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a folder with their hashes, and how each stood on the disk when it was hashed."""

    root: Path
    found: tuple[Found, ...]
    stood: dict[str, "Standing"]

    @property
    def size_bytes(self) -> int:
        return sum(one.size for one in self.found)


def snapshot(
    folder: Path, *, skip: Collection[str] = (), bytes_max: int | None = None, hashes: Hashes | None = None
) -> Snapshot:
    """Walks and hashes. `skip`: names of folders to leave out; `hashes`: what is known of files that nobody touched.

    Raises InvalidInput when it is not a folder, holds a socket, pipe or device, a link that leads out, a name that is not UTF-8 or
    too long, more than bytes_max, or changes under our hands.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder", fix="name a folder that exists")
    root, memory = folder.resolve(), hashes or Hashes(None)
    found: list[Found] = []
    stood: dict[str, Standing] = {}
    total = 0
    for entry, path in _walk(str(root), "", frozenset(skip)):
        check_path(path)
        if entry.is_symlink():
            found.append(_link(root, path, entry))
            continue
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{path} is a socket, a pipe or a device", fix="move it out of the folder")
        total += status.st_size
        if bytes_max is not None and total > bytes_max:
            raise InvalidInput(
                f"{folder} holds more than {bytes_max // 2**20} MiB",
                fix="name a smaller folder, or push the data as a dataset",
            )
        sha256 = memory.known(path, status)
        if not sha256:
            sha256, status = _hashed(root, path)
            memory.learn(path, status, sha256)
        # Only whether it may be run is kept of the mode: the rest belongs to the machine it was on.
        found.append(Found(path, 0o755 if status.st_mode & 0o100 else 0o644, status.st_size, sha256))
        stood[path] = _standing(status)
    memory.save()
    return Snapshot(root, tuple(found), stood)


def read_piece(taken: Snapshot, piece: Piece) -> Iterator[bytes]:
    """The piece's bytes as they were hashed. Raises InvalidInput when the file has changed since."""
    with _opened(taken.root, piece.path) as source:
        source.seek(piece.offset)
        left = piece.length
        while left and (part := source.read(min(left, READ_BYTES))):
            left -= len(part)
            yield part
        if left or _standing(os.fstat(source.fileno())) != taken.stood[piece.path]:
            raise _changed(piece.path)


def _walk(folder: str, above: str, skip: frozenset[str]) -> Iterator["tuple[os.DirEntry[str], str]"]:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(above or folder, error) from None
    for entry in entries:
        path = f"{above}{entry.name}"
        if not entry.is_symlink() and entry.is_dir():
            if entry.name not in skip:
                check_path(path)
                yield from _walk(entry.path, f"{path}/", skip)
        else:
            yield entry, path


def _link(root: Path, path: str, entry: "os.DirEntry[str]") -> Found:
    """A link inside the folder stays a link. Where it really ends is asked too: a link to a link can lead out in steps."""
    target = Path(entry.path).readlink().as_posix()
    check_link(path, target)
    if not Path(entry.path).resolve().is_relative_to(root):
        raise InvalidInput(f"the link {path!r} leads out of the folder", fix="replace the link by what it points at")
    return Found(path, 0o777, 0, "", target)


def _hashed(root: Path, path: str) -> tuple[str, os.stat_result]:
    """(SHA-256, how it stood before and after it was read)."""
    digest, size = hashlib.sha256(), 0
    with _opened(root, path) as source:
        before = os.fstat(source.fileno())
        # One byte more than there is: a file that grew shows, and one that did not is at its end without another call.
        while size <= before.st_size and (part := source.read(min(READ_BYTES, before.st_size - size + 1))):
            digest.update(part)
            size += len(part)
        if size != before.st_size or _standing(os.fstat(source.fileno())) != _standing(before):
            raise _changed(path)
    return digest.hexdigest(), before


def _opened(root: Path, path: str) -> FileIO:
    try:
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | _NO_FOLLOW)
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _changed(path)
    return FileIO(descriptor, "rb")


def _standing(status: os.stat_result) -> Standing:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _changed(path: str) -> Changed:
    return Changed(f"{path} changed while it was being read", fix="push again when nothing writes to it")


def _unreadable(path: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path} cannot be read ({error.strerror})", fix="check its permissions")
