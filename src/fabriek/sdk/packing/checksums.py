"""A list of hashes as `sha256sum` writes and checks it: `hash  path`, with a backslash in front where the path has one or a line break."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fabriek.kernel.errors import InvalidInput

READ_BYTES = 2**20
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)


def hash_of(path: Path) -> str:
    """SHA-256 of a file that is not a link. Raises OSError."""
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as source:
        while part := source.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def files_below(folder: Path) -> Iterator[str]:
    """Paths of regular files, in order; links are neither followed nor named."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def write(hashes: Mapping[str, str]) -> str:
    """Path → hash as one text, by path."""
    return "".join(_line(path, hashes[path]) for path in sorted(hashes))


def read(text: str) -> dict[str, str]:
    """Path → hash. Raises InvalidInput on a line that is none, and on a path that stands twice."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise InvalidInput(
                f"line {number} of CHECKSUMS is not one of sha256sum", fix="bring the folder as job.sh left it"
            )
        path = _plain(match[3]) if match[1] else match[3]
        path = path.removeprefix("./")
        if path in found:
            raise InvalidInput(f"CHECKSUMS names {path!r} twice", fix="bring the folder as job.sh left it")
        found[path] = match[2]
    return found


def _line(path: str, sha256: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{chr(92) if escaped != path else ''}{sha256}  {escaped}\n"


def _plain(path: str) -> str:
    return re.sub(r"\\([\\nr])", lambda found: {"\\": "\\", "n": "\n", "r": "\r"}[found[1]], path)
