"""A pull: the files of a version into a folder. Nothing is written outside it, no link is followed, nothing appears half."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

from fabriek.kernel.errors import Damaged, InvalidInput, StorageFull
from fabriek.sdk.fetching import Fetched, fetch
from fabriek.sdk.opened import OpenedVersion
from fabriek.sealing.manifest import File

_FULL = {28, 122}
"""ENOSPC and EDQUOT."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to. `kept`: paths that were there already and were left as they are."""

    folder: Path
    files: int
    size_bytes: int
    kept: tuple[str, ...] = ()


def pull_files(
    opened: OpenedVersion, folder: Path, *, overwrite: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Pulled:
    """Fetches everything into a hidden folder inside `folder`, checks it, and moves it into place.

    Raises Damaged naming the first file that is not what was pushed: then no file has been placed. Raises InvalidInput where a link
    or a file of the folder stands in the way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    check_links(opened.manifest.files)
    _check_ways(root, opened.manifest.files)
    kept = () if overwrite else tuple(one.path for one in opened.manifest.files if os.path.lexists(root / one.path))
    skipped = frozenset(kept)
    wanted = [file for file in opened.manifest.files if file.path not in skipped]
    with _staging(root) as stage, _explained(root):
        names = {file.path: stage / str(number) for number, file in enumerate(wanted)}
        for done in fetch(opened, [file for file in wanted if not file.link], lambda file: _Staged(names[file.path])):
            _check(done)
            progress(done.file.size)
        for file in wanted:
            _place(root, file, names[file.path], overwrite=overwrite)
    return Pulled(folder, len(wanted), sum(file.size for file in wanted), kept)


def pull_file(opened: OpenedVersion, path: str, place: Path) -> None:
    """Fetches one file and checks it. Raises NotFound; InvalidInput where the version has a link of that name; Damaged."""
    file = opened.file(path)
    if file.link:
        raise InvalidInput(f"{path} is a link", fix="name the file that it points at")
    with _explained(place.parent):
        for done in fetch(opened, [file], lambda _: _Staged(place)):
            _check(done)


def check_links(files: Sequence[File]) -> None:
    """Raises InvalidInput on a link whose way leads through another link: step by step such a pair can lead out."""
    links = {file.path for file in files if file.link}
    for file in files:
        here = list(PurePosixPath(file.path).parent.parts)
        for name in file.link.split("/") if file.link else ():
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

    def __init__(self, place: Path) -> None:
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
    for parent in {parent for file in files for parent in PurePosixPath(file.path).parents if parent.parts}:
        place = root / parent
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise InvalidInput(f"{place} is in the way: it is not a folder", fix="pull into an empty folder")
    for file in files:
        if (root / file.path).is_dir() and not (root / file.path).is_symlink():
            raise InvalidInput(f"{root / file.path} is in the way: it is a folder", fix="pull into an empty folder")


@contextmanager
def _staging(root: Path) -> Iterator[Path]:
    stage = root / f".fabriek-{secrets.token_hex(8)}"
    stage.mkdir(mode=0o700)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _place(root: Path, file: File, staged: Path, *, overwrite: bool) -> None:
    place = root / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    if file.link:
        staged.symlink_to(file.link)
    else:
        staged.chmod(file.mode & 0o777)
    if not overwrite and os.path.lexists(place):
        return
    # Replaces a link itself, never what it points at.
    staged.replace(place)


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"the disk of {root} is full", fix="free some space and pull again") from error
        raise InvalidInput(
            f"{root} cannot be written ({error.strerror})", fix="check the folder's permissions"
        ) from error
