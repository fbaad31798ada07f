"""Objects in a folder, two levels deep: `ab/obj_…ab`. An object has its name only once all of it is on the disk."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fabriek.kernel.errors import AlreadyExists, FabriekError, InvalidInput, NotFound, StorageFull, Unavailable
from fabriek.kernel.stored import Stored

PIECE_BYTES = 2**20
DRAFTS = "drafts"
LOCK = "collecting.lock"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NAME = re.compile(r"obj_[0-9a-z]{1,26}")


class LocalBlobs:
    """The store of the embedded shape. The folder is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drafts = folder / DRAFTS
        self._drafts.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync_folder(folder)

    def put(self, name: str, chunks: Iterable[bytes], *, bytes_max: int | None = None) -> Stored:
        place = self._place(name)
        draft = self._drafts / f"{name}.{secrets.token_hex(8)}"
        try:
            stored = _write_draft(draft, chunks, bytes_max)
            with _explained(name):
                self._publish(draft, place, stored)
        finally:
            draft.unlink(missing_ok=True)
        return stored

    def get(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with _explained(name), self._place(name).open("rb", buffering=0) as source:
            left = (os.fstat(source.fileno()).st_size if stop is None else stop) - start
            source.seek(start)
            while left > 0 and (piece := source.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece

    def size(self, name: str) -> int:
        with _explained(name):
            return self._place(name).stat().st_size

    def delete(self, name: str) -> None:
        place = self._place(name)
        with _explained(name), suppress(FileNotFoundError):
            place.unlink()
            _sync_folder(place.parent)

    def names(self) -> Iterator[str]:
        for shelf in self._folder.iterdir():
            if shelf.name != DRAFTS and shelf.is_dir():
                yield from (file.name for file in shelf.iterdir())

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """While this is open no copy begins, and others may delete. Raises Unavailable while a copy is being taken."""
        with _opened(self._folder) as folder:
            _lock_at_once(folder, fcntl.LOCK_SH, "a backup is being taken; nothing was deleted")
            yield

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """While this is open no copy begins, and nobody else collects. Raises Unavailable while either is being done."""
        with (self._folder / LOCK).open("a+b") as lock:
            _lock_at_once(
                lock.fileno(),
                fcntl.LOCK_EX,
                "a backup is being taken, or another collection is going on; nothing was deleted",
            )
            yield

    def clear_drafts(self) -> None:
        """Removes what a killed server left half written. Only for whoever holds the home alone."""
        for draft in self._drafts.iterdir():
            draft.unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        assert _NAME.fullmatch(name), "a name that we did not make"
        # The end of a ULID is random, its beginning is the time: shelves by the end fill evenly.
        return self._folder / name[-2:] / name

    def _publish(self, draft: Path, place: Path, stored: Stored) -> None:
        """Gives the draft its name. A link fails where a rename would replace: an object is written once."""
        if not place.parent.exists():
            place.parent.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(self._folder)
        try:
            os.link(draft, place)
        except FileExistsError:
            if self._taken(place.name) != stored:
                raise AlreadyExists(
                    "there is an object of this name with other bytes", fix="ask for a new name"
                ) from None
        _sync_folder(place.parent)

    def _taken(self, name: str) -> Stored:
        digest, size = hashlib.sha256(), 0
        for piece in self.get(name):
            digest.update(piece)
            size += len(piece)
        return Stored(size, digest.hexdigest())


@contextmanager
def standing_still(folder: Path) -> Iterator[None]:
    """While this is open nothing of the store goes: for whoever copies it. Waits for what is being deleted, and for another copy."""
    with (folder / LOCK).open("a+b") as collecting, _opened(folder) as deleting:
        # In this order: while a long collection is waited for, users' own deletions are not postponed.
        fcntl.flock(collecting, fcntl.LOCK_SH)
        fcntl.flock(deleting, fcntl.LOCK_EX)
        yield


def _lock_at_once(lock: int, how: int, why: str) -> None:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Unavailable(why, fix="try again when it has ended", retry_after_seconds=60) from None


def _write_draft(draft: Path, chunks: Iterable[bytes], bytes_max: int | None) -> Stored:
    """Only what the disk says becomes an error of the store; what `chunks` raises is somebody else's."""
    digest, size = hashlib.sha256(), 0
    with _explained(draft.name):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as out:
        for chunk in chunks:
            size += len(chunk)
            if bytes_max is not None and size > bytes_max:
                raise InvalidInput(f"an object holds at most {bytes_max} bytes", fix="send it in parts")
            digest.update(chunk)
            with _explained(draft.name):
                view = memoryview(chunk)
                while view:
                    view = view[out.write(view) or 0 :]
        with _explained(draft.name):
            os.fsync(out.fileno())
    return Stored(size, digest.hexdigest())


def _sync_folder(folder: Path) -> None:
    """A name is durable once its folder is."""
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """For its lock too: a folder is there before anybody deletes, and whoever may read it may lock it, as a backup by another account does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except FabriekError:
        raise
    except FileNotFoundError:
        raise NotFound(f"the store has no object {name}", fix="fabriek doctor") from None
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("the disk of the objects is full", fix="free some space; nothing was lost") from error
        raise Unavailable(
            f"the store did not do it ({error.strerror})", fix="fabriek doctor; nothing was lost", retry_after_seconds=5
        ) from error
