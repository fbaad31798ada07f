"""A pull: the files of a version into a folder. Nothing is written outside it, no link is followed, nothing appears half."""

import os
import secrets
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fabriek.kernel.errors import Damaged, InvalidInput, NotFound, StorageFull
from fabriek.sdk.fetching import Fetched, fetch
from fabriek.sdk.journal import is_alone
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.tree import Folder, Tree
from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File
from fabriek.sealing.packing import SMALL_BYTES
from fabriek.sealing.paths import rank

_FULL = {28, 122}
"""ENOSPC and EDQUOT."""

_STAGE = ".fabriek-"
_LOCK, _TREE = "lock", "tree"

KEPT_TOLD_MAX = 1_000
"""Paths; a folder that is pulled into again may keep all of ten million."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to. `kept`: paths that were there already and were left as they are, the first KEPT_TOLD_MAX of `kept_files`."""

    folder: Path
    files: int
    size_bytes: int
    kept: tuple[str, ...] = ()
    kept_files: int = 0


def pull_files(
    opened: OpenedVersion,
    folder: Path,
    *,
    paths: Sequence[str] = (),
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Pulled:
    """Fetches everything, or the files and folders of `paths`, into a hidden folder inside `folder`, checks it, and moves it into place.

    Raises Damaged naming the first file that is not what was pushed: then no file has been placed. Raises InvalidInput where a link
    or a file of the folder stands in the way.
    """
    root = _made(folder)
    with _explained(root):
        is_empty = not any(root.iterdir())
        if not is_empty:
            # What is in the way is said before anything is fetched: of the manifest that is read which the folder's own names lie in.
            _check_room(str(root), Tree(opened.book), [path.rstrip("/") for path in paths])
    with _explained(root), _staging(root) as stage:
        way, tree = _Way(root, overwrite=overwrite), f"{stage}/{_TREE}"
        wanted = _linked(way.free(_made_room(chosen(opened.book, paths), tree)), tree)
        for done in fetch(opened, wanted, lambda file: _Staged(f"{tree}/{file.path}", file)):
            _check(done)
            progress(done.file.size)
        if way.links:
            _check_staged(str(root), tree, is_empty=is_empty)
        _place(tree, str(root), overwrite=overwrite)
    return Pulled(folder, way.files, way.size_bytes, tuple(way.kept), way.kept_files)


class _Way:
    """Looks what stands in the folder where files of a version will go; one file after another in the order of their paths."""

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self._root, self._overwrite = str(root), overwrite
        self._folder, self._is_there = "", True
        self.kept: list[str] = []
        self.files = self.size_bytes = self.links = self.kept_files = 0

    def free(self, files: Iterable[File]) -> Iterator[File]:
        """Those to be fetched: not what is there already and shall stay. Raises InvalidInput."""
        for file in files:
            self._enter(file.path.rpartition("/")[0])
            if self._is_there and self._stays(file.path):
                self.kept_files += 1
                if len(self.kept) < KEPT_TOLD_MAX:
                    self.kept.append(file.path)
                continue
            self.files += 1
            self.size_bytes += file.size
            self.links += bool(file.link)
            yield file

    def _stays(self, path: str) -> bool:
        place = f"{self._root}/{path}"
        try:
            status = os.lstat(place)
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(status.st_mode):
            raise InvalidInput(f"{place} is in the way: it is a folder", fix="pull into an empty folder")
        return not self._overwrite

    def _enter(self, folder: str) -> None:
        """Every folder on the way to a file must be a real one: through a link we would write somewhere else."""
        if folder == self._folder:
            return
        self._folder, self._is_there = folder, True
        names = folder.split("/") if folder else []
        for count in range(1, len(names) + 1):
            place = "/".join([self._root, *names[:count]])
            try:
                status = os.lstat(place)
            except FileNotFoundError:
                self._is_there = False
                return
            if not stat.S_ISDIR(status.st_mode):
                raise InvalidInput(f"{place} is in the way: it is not a folder", fix="pull into an empty folder")


def _made_room(files: Iterable[File], tree: str) -> Iterator[File]:
    """The same files, each with its folder made first."""
    here = ""
    os.mkdir(tree)  # noqa: PTH102
    for file in files:
        folder = file.path.rpartition("/")[0]
        if folder != here:
            os.makedirs(f"{tree}/{folder}", exist_ok=True)  # noqa: PTH103
            here = folder
        yield file


def _linked(files: Iterable[File], tree: str) -> Iterator[File]:
    """The same files, the links among them made. No path of a version leads through one of them, so nothing is written through them here."""
    for file in files:
        if file.link:
            os.symlink(file.link, f"{tree}/{file.path}")  # noqa: PTH211  # a Path costs more than the call
        yield file


def _check_room(root: str, version: Tree, named: Sequence[str]) -> None:
    """Goes through what stands in the folder. Raises InvalidInput where it is a folder and the version has a file, or the other way round."""
    for path, standing in _below_root(root, lambda path: isinstance(version.at(path), Folder)):
        is_folder = standing.is_dir(follow_symlinks=False)
        is_wanted = not named or any(
            path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in named
        )
        entry = version.at(path) if is_wanted else None
        if entry is not None and is_folder != isinstance(entry, Folder):
            what = "a folder" if is_folder else "not a folder"
            raise InvalidInput(f"{root}/{path} is in the way: it is {what}", fix="pull into an empty folder")


def pull_file(opened: OpenedVersion, path: str, place: Path) -> None:
    """Fetches one file and checks it. Raises NotFound; InvalidInput where the version has a link of that name; Damaged."""
    file = opened.file(path)
    if file.link:
        raise InvalidInput(f"{path} is a link", fix="name the file that it points at")
    private = replace(file, mode=0o600)
    with _explained(place.parent):
        for done in fetch(opened, [private], lambda _: _Staged(str(place), private)):
            _check(done)


def chosen(book: Book, paths: Sequence[str]) -> Iterator[File]:
    """Those named, and what lies in the folders named, in their order; all without names. Raises NotFound, before the first, on a name
    that the version does not have.
    """
    if not paths:
        yield from book.files()
        return
    named = sorted({path.rstrip("/") for path in paths}, key=rank)
    for path in named:
        if next(_below(book, path), None) is None:
            raise NotFound(f"the version has no file or folder {path!r}", fix="fabriek data diff NAME lists its files")
    before = ""
    for path in named:
        if not before or not path.startswith(f"{before}/"):
            before = path
            yield from _below(book, path)


def _below(book: Book, path: str) -> Iterator[File]:
    for file in book.files(rank(path)):
        if file.path != path and not file.path.startswith(f"{path}/"):
            return
        yield file


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _said(folder, error) from error
    return folder.resolve()


def _check_staged(root: str, tree: str, *, is_empty: bool) -> None:
    """Of the links that were made, and of those that stand in the folder already, asked of the disk: a version may have millions.

    Raises InvalidInput on a link whose way leads through another link, of this version or of one that was pulled before: step by step such a
    pair can lead out.
    """
    for path in _links_below(tree):
        for place, name in _steps(path, os.readlink(f"{tree}/{path}")):  # noqa: PTH115
            if os.path.islink(f"{tree}/{place}") or (not is_empty and os.path.islink(f"{root}/{place}")):  # noqa: PTH114
                raise InvalidInput(f"the link {path!r} leads through another link", fix="pull nothing from there")
            if name == ".." and not place:
                raise InvalidInput(f"the link {path!r} leads out of the folder", fix="pull nothing from there")
    if not is_empty:
        _check_standing(root, tree)


def _check_standing(root: str, tree: str) -> None:
    """The other way round: a link that stays in the folder may have been harmless until one of ours stands on its way. Raises InvalidInput."""
    for path in _links_below(root):
        if os.path.lexists(f"{tree}/{path}"):
            continue  # it is replaced
        through = ""
        for place, name in _steps(path, os.readlink(f"{root}/{path}")):  # noqa: PTH115
            through = through or (place if os.path.islink(f"{tree}/{place}") else "")  # noqa: PTH114
            if through and name == "..":
                raise InvalidInput(
                    f"the link {path!r}, which is there, would lead through the link {through!r}",
                    fix="pull into an empty folder",
                )


def _links_below(root: str) -> Iterator[str]:
    return (path for path, standing in _below_root(root) if standing.is_symlink())


def _below_root(root: str, enters: Callable[[str], bool] = lambda _: True) -> "Iterator[tuple[str, os.DirEntry[str]]]":
    """What stands in the folder, by its path; not what pulls have under way. enters: whether to go into a folder of it."""
    folders = [""]
    while folders:
        above = folders.pop()
        with os.scandir(f"{root}/{above}") as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
        for entry in entries:
            path = f"{above}/{entry.name}" if above else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and not above and entry.name.startswith(_STAGE):
                continue
            yield path, entry
            if is_folder and enters(path):
                folders.append(path)


def _steps(path: str, target: str) -> Iterator[tuple[str, str]]:
    """Each place that a link's way comes to, and the name that it takes from there. It ends where that leads out."""
    here = path.split("/")[:-1]
    for name in target.split("/"):
        yield "/".join(here), name
        if name == "..":
            if not here:
                return
            here.pop()
        elif name not in {"", "."}:
            here.append(name)


class _Staged:
    """A new file of the hidden folder, which nobody else may enter. For several threads."""

    def __init__(self, place: str, file: File) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._out, self._turn = os.open(place, flags, 0o600), threading.Lock()
        if file.mode & 0o777 != 0o600:
            os.chmod(place, file.mode & 0o777)  # noqa: PTH101
        if file.size >= SMALL_BYTES:
            os.ftruncate(self._out, file.size)  # its holes stay holes

    def write(self, offset: int, piece: bytes | memoryview) -> None:
        view = memoryview(piece)
        if sys.platform == "win32":  # which has no call that writes at a place
            with self._turn:
                os.lseek(self._out, offset, os.SEEK_SET)
                while view:
                    view = view[os.write(self._out, view) :]
            return
        while view:
            count = os.pwrite(self._out, view, offset)
            view, offset = view[count:], offset + count

    def close(self) -> None:
        out, self._out = self._out, -1
        if out >= 0:
            os.close(out)

    __del__ = close  # of a pull that stopped in the middle


def _check(done: Fetched) -> None:
    if done.damage:
        raise Damaged(f"{done.file.path}: {done.damage}", fix="fabriek data verify NAME", where=done.file.path)


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    """A hidden folder of our own. Those that a killed pull left are cleared: its lock fell with it."""
    for left in root.glob(f"{_STAGE}*"):
        with suppress(OSError), (left / _LOCK).open("rb") as lock:
            if is_alone(lock.fileno()):
                shutil.rmtree(left, ignore_errors=True)
    stage = root / f"{_STAGE}{secrets.token_hex(8)}"
    stage.mkdir(mode=0o700)
    try:
        with (stage / _LOCK).open("xb") as lock:
            is_alone(lock.fileno())
            yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _place(staged: str, folder: str, *, overwrite: bool) -> None:
    """Moves what is whole into place: a folder that is not there yet in one step, with all that is in it."""
    with os.scandir(staged) as listed:
        entries = list(listed)
    for entry in entries:
        place = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False) and os.path.isdir(place) and not os.path.islink(place):  # noqa: PTH112, PTH114
            _place(entry.path, place, overwrite=overwrite)
        elif overwrite or not os.path.lexists(place):
            # Replaces a link itself, never what it points at.
            os.replace(entry.path, place)  # noqa: PTH105


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _said(root, error) from error


def _said(folder: Path, error: OSError) -> StorageFull | InvalidInput:
    if error.errno in _FULL:
        return StorageFull(f"the disk of {folder} is full", fix="free some space and pull again")
    return InvalidInput(f"{folder} cannot be written ({error.strerror})", fix="check the folder's permissions")
