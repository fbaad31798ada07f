"""What came back of a pack: a folder as job.sh left it, or an archive of one. Nothing in it is believed before it was looked at."""

import json
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import InvalidInput, StorageFull
from fabriek.sdk.packing import checksums
from fabriek.sealing.paths import check_path

CHECKSUMS = "CHECKSUMS"
AS_LEFT = "bring the folder as job.sh left it"
FILES_MAX = 200_000
EXPANDED_MAX = 200
"""An archive that holds more than so many times its own size is made to fill a disk. gzip's best on text is about 20."""
SMALL_BYTES = 2**26
"""Below this nothing fills a disk, however well it was packed."""
COPY_BYTES = 2**20
TEXT_BYTES_MAX = 2**26


@dataclass(frozen=True, slots=True)
class Results:
    """`sha256` of the list of hashes. `ran`: what job.sh wrote of where it ran, as claimed."""

    folder: Path
    exit_code: int
    sha256: str
    ran: dict[str, Any]


def read_results(folder: Path, pack: str) -> Results:
    """Raises InvalidInput, naming the file, on what is a link or a device, is not in the list, or is not what the list says; where the job
    did not come to its end; and where it was another pack's.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder", fix="name the folder results/ of the pack")
    found = _files(folder)
    if CHECKSUMS not in found or "exit_code" not in found:
        raise InvalidInput(
            f"{folder} has no CHECKSUMS or no exit_code: the job did not come to its end", fix="run job.sh again"
        )
    listed = checksums.read(_text(folder / CHECKSUMS))
    apart = set(listed) ^ (found - {CHECKSUMS})
    if apart:
        raise InvalidInput(f"{min(apart)!r} is in CHECKSUMS or in the folder, and not in both", fix=AS_LEFT)
    for path, sha256 in listed.items():
        if checksums.hash_of(folder / path) != sha256:
            raise InvalidInput(f"{path} is not what CHECKSUMS says", fix=AS_LEFT)
    ran = _ran(folder, pack)
    code = _text(folder / "exit_code").strip()
    if not (code.isascii() and code.isdigit() and int(code) <= 255):
        raise InvalidInput(f"exit_code holds {code[:20]!r}", fix=AS_LEFT)
    return Results(folder, int(code), checksums.hash_of(folder / CHECKSUMS), ran)


@contextmanager
def folder_of(path: Path) -> Iterator[Path]:
    """The folder itself, or an archive (`tar`, with any of tar's compressions) laid out in one of ours until the block ends."""
    if path.is_dir() or path.is_symlink() or not path.exists():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="fabriek-results-") as folder:
        _lay_out(path, Path(folder))
        inside = Path(folder) / "results"
        yield inside if inside.is_dir() else Path(folder)


def _lay_out(archive: Path, folder: Path) -> None:
    limit = max(SMALL_BYTES, EXPANDED_MAX * archive.stat().st_size)
    written = count = 0
    try:
        with tarfile.open(archive, "r|*") as source:
            for member in source:
                count += 1
                name = member.name.removeprefix("./").rstrip("/")
                if not name or name == ".":
                    continue
                check_path(name)
                written += max(0, member.size) if member.isreg() else 0
                if written > limit or count > FILES_MAX:
                    raise InvalidInput(f"{archive} unpacks to more than it should", fix="bring the folder itself")
                _lay(source, member, folder / name, folder)
    except tarfile.TarError as error:
        raise InvalidInput(f"{archive} is not a whole archive of tar: {error}", fix=AS_LEFT) from None
    except (EOFError, OSError) as error:
        if getattr(error, "errno", None) == 28:
            raise StorageFull(f"there is no room to unpack {archive}", fix="free some space, or set TMPDIR") from None
        raise InvalidInput(f"{archive} cannot be unpacked: {error}", fix=AS_LEFT) from None


def _lay(source: tarfile.TarFile, member: tarfile.TarInfo, place: Path, folder: Path) -> None:
    """One member. Only files and folders: a link could lead out, and a device is one."""
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    content = source.extractfile(member) if member.isreg() else None
    if content is None:
        raise InvalidInput(f"{member.name!r} in the archive is a link or a device", fix="pack files and folders only")
    place.parent.mkdir(parents=True, exist_ok=True)
    assert place.resolve().is_relative_to(folder.resolve()), f"{place} leads out"
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
        shutil.copyfileobj(content, sink, COPY_BYTES)


def _files(folder: Path) -> set[str]:
    found = set()
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise InvalidInput(f"{path} is a link, a pipe or a device", fix="replace it by the file it stands for")
            if stat.S_ISREG(mode):
                found.add(check_path(path.relative_to(folder).as_posix()))
    return found


def _ran(folder: Path, pack: str) -> dict[str, Any]:
    try:
        ran = json.loads(_text(folder / "ran.json"))
        named = ran["pack"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput("ran.json is not there, or is not what job.sh wrote", fix=AS_LEFT) from None
    if named != pack:
        raise InvalidInput(f"these are results of {str(named)[:60]!r}, not of {pack}", fix="fabriek pack ls")
    return dict(ran)


def _text(path: Path) -> str:
    if path.stat().st_size > TEXT_BYTES_MAX:
        raise InvalidInput(f"{path} is too large for what it is", fix=AS_LEFT)
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not text", fix=AS_LEFT) from None
