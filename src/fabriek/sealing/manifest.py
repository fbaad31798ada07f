"""What a version holds: files, where their bytes are, and the keys that open them. How that is written down is `pages`' matter."""

from collections.abc import Iterable
from dataclasses import dataclass

from fabriek.sealing.paths import Following, check_link, check_path, rank


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a file's bytes: `length` bytes from `offset` in the plaintext of an object, which its own key opens.

    Without an object it is a hole: `length` zero bytes that lie nowhere.
    """

    object_id: str
    key: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class File:
    """One file, or a link inside the set. A link has a target and no parts.

    `sha256` is of the whole plaintext; of a file of several blocks (see `digests`) it is the digest over `blocks`, the hash of each.
    """

    path: str
    mode: int
    size: int
    sha256: str
    parts: tuple[Part, ...] = ()
    link: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one version in the order of their paths, all of them in memory: for what is small by its nature."""

    files: tuple[File, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files)

    def objects(self) -> frozenset[str]:
        return frozenset(part.object_id for file in self.files for part in file.parts if part.object_id)


def make_manifest(files: Iterable[File]) -> Manifest:
    """Raises InvalidInput on a path that is not allowed or stands twice."""
    ordered = tuple(sorted(files, key=lambda file: rank(file.path)))
    following = Following()
    for file in ordered:
        check_path(file.path)
        following.check(file.path)
        if file.link:
            check_link(file.path, file.link)
    return Manifest(ordered)
