"""A wheel, read and never unpacked: nothing of it touches a disk or runs. Source: PyPA, binary distribution format; PEP 427.

A wheel comes from a stranger. Every size is bounded by what the archive announces before a byte is unpacked, and nothing is believed that
its RECORD does not repeat.
"""

import base64
import csv
import hashlib
import hmac
import io
import re
import stat
import struct
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from fabriek.kernel.errors import InvalidInput
from fabriek.packages.metadata import Metadata, read_metadata
from fabriek.packages.names import Pinned, normalised, same_version

FILE_NAME_CHARACTERS_MAX = 255
ENTRIES_MAX = 60_000
UNPACKED_BYTES_MAX = 16 * 2**30
UNPACKED_TIMES_MAX = 100
"""How much larger than the archive its content may be; code and text are packed to a fifth, and a bomb to a thousandth."""

SLACK_BYTES = 2**20
"""A tiny wheel of repetitive text is no bomb."""

METADATA_BYTES_MAX = 2**20
RECORD_BYTES_MAX = 32 * 2**20
PIECE_BYTES = 2**20
NATIVE = (".so", ".pyd", ".dll", ".dylib", ".a", ".o", ".exe")
FIX = "build the wheel anew, or take it from another source"


@dataclass(frozen=True, slots=True)
class FileName:
    """What a wheel's own name says: `greeter-1.0-py3-none-any.whl`."""

    text: str
    package: Pinned
    tags: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """What was read. `lines_at_start`: .pth files, which run at each start of an interpreter; `scripts`: what lands on the path;
    `native`: files of machine code; `unpacked_bytes`: of all files together. `raw_metadata` is METADATA to the byte.
    """

    file: FileName
    metadata: Metadata
    raw_metadata: bytes
    unpacked_bytes: int
    entries: int
    lines_at_start: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    native: tuple[str, ...] = ()


def read_file_name(text: str) -> FileName:
    """Raises InvalidInput on what is not the name of a wheel; a source archive is none."""
    if len(text) <= FILE_NAME_CHARACTERS_MAX:
        with suppress(InvalidWheelFilename):
            name, version, _, _ = parse_wheel_filename(text)
            tags = "-".join(text.removesuffix(".whl").split("-")[-3:])
            return FileName(text, Pinned(name, str(version)), tags)
    raise InvalidInput(f"{text[:120]!r} is not the name of a wheel", fix="only wheels are kept: NAME-VERSION-….whl")


def read_wheel(name: str, file: BinaryIO, size: int) -> Wheel:
    """Everything that is worth knowing of it. `file` is read at any place; `size` is its length in bytes. Raises InvalidInput."""
    named = read_file_name(name)
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(named, archive, size)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        struct.error,
        OverflowError,
        RuntimeError,
    ) as fault:
        raise _refused(named, f"it is no archive that can be read ({fault})") from None


def _read(named: FileName, archive: zipfile.ZipFile, size: int) -> Wheel:
    entries = archive.infolist()
    _check_bounds(named, entries, size)
    names = [_checked_path(named, one) for one in entries]
    if len(set(names)) < len(names):
        raise _refused(named, "two of its files have one name")
    folder = _info_folder(named, names)
    raw = _small(named, archive, f"{folder}/METADATA", METADATA_BYTES_MAX)
    metadata = read_metadata(raw)
    _check_itself(named, metadata)
    _check_record(named, archive, entries, f"{folder}/RECORD")
    files = [one for one in names if not one.endswith("/")]
    return Wheel(
        named, metadata, raw, sum(one.file_size for one in entries), len(files),
        lines_at_start=tuple(one for one in files if one.endswith(".pth")),
        scripts=tuple(one for one in files if re.match(r"[^/]+\.data/scripts/", one)),
        native=tuple(one for one in files if one.endswith(NATIVE) or ".so." in one),
    )  # fmt: skip


def _check_bounds(named: FileName, entries: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(one.file_size for one in entries)
    if len(entries) > ENTRIES_MAX:
        raise _refused(named, f"it holds more than {ENTRIES_MAX:,} files")
    if unpacked > min(UNPACKED_BYTES_MAX, size * UNPACKED_TIMES_MAX + SLACK_BYTES):
        raise _refused(named, f"its {size:,} bytes would become {unpacked:,}")


def _checked_path(named: FileName, entry: zipfile.ZipInfo) -> str:
    """The path of a file, if it stays where it is unpacked and is a plain file that everybody can read."""
    path = entry.filename
    pieces = path.removesuffix("/").split("/")
    if not path.isprintable() or "\\" in path or ":" in pieces[0] or any(one in {"", ".", ".."} for one in pieces):
        raise _refused(named, f"the path {path[:120]!r} leads out of it")
    if entry.flag_bits & 0x1:
        raise _refused(named, f"{path[:120]} is encrypted")
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _refused(named, f"{path[:120]} is packed in an unusual way")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _refused(named, f"{path[:120]} is a link or a device")
    return path


def _info_folder(named: FileName, names: list[str]) -> str:
    folders = {one.partition("/")[0] for one in names if one.partition("/")[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise _refused(named, "it has not one .dist-info folder")
    (folder,) = folders
    name, _, version = folder.removesuffix(".dist-info").partition("-")
    _check_named(named, name, version.replace("_", "-"), folder)
    return folder


def _check_itself(named: FileName, metadata: Metadata) -> None:
    _check_named(named, metadata.name, metadata.version, "its METADATA")


def _check_named(named: FileName, name: str, version: str, where: str) -> None:
    """Raises InvalidInput where a wheel calls itself otherwise within than on its label."""
    if normalised(name) != named.package.name or not same_version(version, named.package.version):
        raise _refused(named, f"{where} says {name[:80]} {version[:80]}")


def _check_record(named: FileName, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], place: str) -> None:
    """Every file but RECORD and its signatures stands in RECORD with the hash that it has, and nothing else stands there."""
    own = {place, f"{place}.jws", f"{place}.p7s"}
    told: dict[str, str] = {}
    text = _small(named, archive, place, RECORD_BYTES_MAX).decode("utf-8", "replace")
    for row in csv.reader(io.StringIO(text)):
        if row:
            told[row[0]] = row[1] if len(row) > 1 else ""
    for entry in entries:
        path = entry.filename
        if path in own or entry.is_dir():
            continue
        if path not in told:
            raise _refused(named, f"{path[:120]} does not stand in its RECORD")
        _check_hash(named, archive, entry, told.pop(path))
    if absent := sorted(told.keys() - own):
        raise _refused(named, f"its RECORD names {absent[0][:120]}, which is not there")


def _check_hash(named: FileName, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, said: str) -> None:
    kind, _, value = said.partition("=")
    if kind not in {"sha256", "sha384", "sha512"}:
        raise _refused(named, f"{entry.filename[:120]} has no strong hash in its RECORD")
    digest = hashlib.new(kind)
    with archive.open(entry) as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(found, value.rstrip("=")):
        raise _refused(named, f"{entry.filename[:120]} is not what its RECORD says")


def _small(named: FileName, archive: zipfile.ZipFile, path: str, most: int) -> bytes:
    try:
        entry = archive.getinfo(path)
    except KeyError:
        raise _refused(named, f"it has no {path}") from None
    if entry.file_size > most:
        raise _refused(named, f"{path} is over {most:,} bytes")
    return archive.read(entry)


def _refused(named: FileName, why: str) -> InvalidInput:
    return InvalidInput(f"{named.text} is not kept: {why}", fix=FIX)
