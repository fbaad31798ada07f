"""A pull: the files of a version into a folder. Nothing is written outside it, no link is followed, nothing appears half."""

import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

from fabriek.kernel.errors import Damaged, InvalidInput, NotFound, StorageFull
from fabriek.sdk.fetching import Fetched, fetch
from fabriek.sdk.journal import is_alone
from fabriek.sdk.opened import OpenedVersion
from fabriek.sealing.manifest import File
from fabriek.sealing.paths import folders_of

_FULL = {28, 122}
"""ENOSPC and EDQUOT."""

_STAGE = ".fabriek-"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to. `kept`: paths that were there already and were left as they are."""

    folder: Path
    files: int
    size_bytes: int
    kept: tuple[str, ...] = ()


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
    check_links(opened.manifest.files)
    files = chosen(opened.manifest.files, paths)
    _check_ways(root, files)
    kept = () if overwrite else tuple(one.path for one in files if os.path.lexists(f"{root}/{one.path}"))
    skipped = frozenset(kept)
    wanted = [file for file in files if file.path not in skipped]
    with _explained(root), _staging(root) as stage:
        names = {file.path: f"{stage}/{number}" for number, file in enumerate(wanted)}
        for done in fetch(opened, [file for file in wanted if not file.link], lambda file: _Staged(names[file.path])):
            _check(done)
            progress(done.file.size)
        for folder_of in sorted(folders_of(file.path for file in wanted)):
            Path(root, folder_of).mkdir(exist_ok=True)
        for file in wanted:
            _place(f"{root}/{file.path}", file, names[file.path], overwrite=overwrite)
    return Pulled(folder, len(wanted), sum(file.size for file in wanted), kept)


def pull_file(opened: OpenedVersion, path: str, place: Path) -> None:
    """Fetches one file and checks it. Raises NotFound; InvalidInput where the version has a link of that name; Damaged."""
    file = opened.file(path)
    if file.link:
        raise InvalidInput(f"{path} is a link", fix="name the file that it points at")
    with _explained(place.parent):
        for done in fetch(opened, [file], lambda _: _Staged(str(place))):
            _check(done)


def chosen(files: Sequence[File], paths: Sequence[str]) -> Sequence[File]:
    """Those named, and what lies in the folders named; all without names. Raises NotFound on a name that the version does not have."""
    if not paths:
        return files
    found: dict[str, File] = {}
    for path in paths:
        plain = path.rstrip("/")
        under = [file for file in files if file.path == plain or file.path.startswith(f"{plain}/")]
        if not under:
            raise NotFound(f"the version has no file or folder {path!r}", fix="fabriek data diff NAME lists its files")
        found |= {file.path: file for file in under}
    return list(found.values())


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _said(folder, error) from error
    return folder.resolve()


def check_links(files: Sequence[File]) -> None:
    """Raises InvalidInput on a link whose way leads through another link: step by step such a pair can lead out."""
    links = {file.path for file in files if file.link}
    for file in files:
        if not file.link:
            continue
        here = list(PurePosixPath(file.path).parent.parts)
        for name in file.link.split("/"):
            if "/".join(here) in links:
                raise InvalidInput(f"the link {file.path!r} leads through another link", fix="pull nothing from there")
            if name == "..":
                if not here:
                    raise InvalidInput(f"the link {file.path!r} leads out of the folder", fix="pull nothing from there")
                here.pop()
            elif name not in {"", "."}:
                here.append(name)


class _Staged(FileIO):
    """A new file of the hidden folder, readable by its owner until it has its place."""

    def __init__(self, place: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        super().__init__(os.open(place, flags, 0o600), "wb")

    def write(self, piece: bytes) -> None:  # type: ignore[override]  # a sink takes all or raises
        view = memoryview(piece)
        while view:
            view = view[super().write(view) or 0 :]


def _check(done: Fetched) -> None:
    if done.damage:
        raise Damaged(f"{done.file.path}: {done.damage}", fix="fabriek data verify NAME", where=done.file.path)


def _check_ways(root: Path, files: Sequence[File]) -> None:
    """Every folder on the way to a file must be a real one: through a link we would write somewhere else."""
    for folder in sorted(folders_of(file.path for file in files)):
        place = root / folder
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise InvalidInput(f"{place} is in the way: it is not a folder", fix="pull into an empty folder")
    for file in files:
        try:
            is_folder = stat.S_ISDIR(os.lstat(f"{root}/{file.path}").st_mode)
        except FileNotFoundError:
            continue
        if is_folder:
            raise InvalidInput(f"{root / file.path} is in the way: it is a folder", fix="pull into an empty folder")


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


def _place(place: str, file: File, staged: str, *, overwrite: bool) -> None:
    if file.link:
        os.symlink(file.link, staged)  # noqa: PTH211  # a version may have millions: making a Path costs more than the call
    else:
        os.chmod(staged, file.mode & 0o777)  # noqa: PTH101
    if not overwrite and os.path.lexists(place):
        return
    # Replaces a link itself, never what it points at.
    os.replace(staged, place)  # noqa: PTH105


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
