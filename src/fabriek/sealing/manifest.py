"""The manifest of a dataset version: its files, where their bytes are, and the keys that open them. It is sealed itself."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fabriek.kernel.errors import Damaged
from fabriek.sealing.paths import check_link, check_paths

FORM = "fabriek-manifest-1"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a file's bytes: `length` bytes from `offset` in the plaintext of an object, which its own key opens."""

    object_id: str
    key: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class File:
    """One file, or a link inside the set. `sha256` is of the whole plaintext; a link has a target and no parts."""

    path: str
    mode: int
    size: int
    sha256: str
    parts: tuple[Part, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one version, in the order of their paths."""

    files: tuple[File, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files)

    def objects(self) -> frozenset[str]:
        return frozenset(part.object_id for file in self.files for part in file.parts)

    def content_hash(self) -> str:
        """What the version says, whatever objects and keys hold it: SHA-256 over path, mode, size, and content or target."""
        rows = [[file.path, file.mode & 0o777, file.size, file.link or file.sha256] for file in self.files]
        return hashlib.sha256(_canonical(rows)).hexdigest()

    def to_bytes(self) -> bytes:
        return _canonical({"form": FORM, "files": [_plain(file) for file in self.files]})


def make_manifest(files: Iterable[File]) -> Manifest:
    """Raises InvalidInput on a path that is not allowed or stands twice."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    check_paths([file.path for file in ordered])
    for file in ordered:
        if file.link:
            check_link(file.path, file.link)
    return Manifest(ordered)


def read_manifest(raw: bytes) -> Manifest:
    """Raises Damaged on what is not a manifest, InvalidInput on one whose paths would escape: a manifest can come from anyone."""
    try:
        plain = json.loads(raw)
        keys = _Keys()
        form, files = plain["form"], [_file(one, keys) for one in plain["files"]]
    except (KeyError, TypeError, ValueError):
        form, files = "", []
    if form != FORM:
        raise Damaged("the manifest is not readable", fix="fabriek data verify", where="manifest")
    return make_manifest(files)


def _plain(file: File) -> dict[str, Any]:
    parts = [[part.object_id, base64.b64encode(part.key).decode(), part.offset, part.length] for part in file.parts]
    plain: dict[str, Any] = {"path": file.path, "mode": file.mode, "size": file.size}
    return plain | ({"link": file.link} if file.link else {"sha256": file.sha256, "parts": parts})


class _Keys(dict[str, bytes]):
    """Each key once, however many files lie in its object."""

    def __missing__(self, text: str) -> bytes:
        key = self[text] = base64.b64decode(text, validate=True)
        return key


def _file(plain: dict[str, Any], keys: _Keys) -> File:
    parts = tuple([Part(str(one[0]), keys[one[1]], int(one[2]), int(one[3])) for one in plain.get("parts", [])])
    size = int(plain["size"])
    if any(part.offset < 0 or part.length < 0 for part in parts) or sum(part.length for part in parts) != size:
        raise ValueError("parts that do not make up the file")
    return File(
        str(plain["path"]),
        int(plain["mode"]) & 0o777,
        size,
        str(plain.get("sha256", "")),
        parts,
        str(plain.get("link", "")),
    )


def _canonical(thing: Any) -> bytes:
    """JSON with sorted keys, no white space, UTF-8: the same bytes for the same content everywhere (RFC 8785 for what we write)."""
    return json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
