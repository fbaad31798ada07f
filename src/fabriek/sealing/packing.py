"""Which bytes of a push are new, and how they become objects: small files packed together, large ones cut into parts."""

from collections.abc import Iterable
from dataclasses import dataclass

from fabriek.sealing.manifest import File, Manifest, Part

PART_BYTES = 64 * 2**20
"""The most plaintext in one object: what a client may have to send again after a broken line."""

SMALL_BYTES = 2**20
PACK_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was found in the folder. `link`: the target, for a link."""

    path: str
    mode: int
    size: int
    sha256: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one file's bytes."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`kept`: files whose bytes the parent holds (or that have none). `objects`: the pieces of each new object, in order."""

    kept: tuple[File, ...]
    fresh: tuple[Found, ...]
    objects: tuple[tuple[Piece, ...], ...]

    @property
    def bytes_to_send(self) -> int:
        return sum(piece.length for pieces in self.objects for piece in pieces)


def plan(found: Iterable[Found], parent: Manifest | None) -> Plan:
    """Two files with the same content are sent once, whatever their names; what the parent holds is not sent again."""
    held = {(file.size, file.sha256): file.parts for file in parent.files if not file.link} if parent else {}
    kept: list[File] = []
    fresh: list[Found] = []
    to_send: dict[tuple[int, str], Found] = {}
    for one in sorted(found, key=lambda one: one.path):
        content = (one.size, one.sha256)
        if one.link or one.size == 0 or content in held:
            parts = () if one.link or one.size == 0 else held[content]
            kept.append(File(one.path, one.mode, one.size, one.sha256, parts, one.link))
        else:
            fresh.append(one)
            to_send.setdefault(content, one)
    return Plan(tuple(kept), tuple(fresh), tuple(_objects(to_send.values())))


def _objects(files: Iterable[Found]) -> Iterable[tuple[Piece, ...]]:
    pack: list[Piece] = []
    packed = 0
    for one in files:
        if one.size >= SMALL_BYTES:
            for offset in range(0, one.size, PART_BYTES):
                yield (Piece(one.path, offset, min(PART_BYTES, one.size - offset)),)
            continue
        if pack and packed + one.size > PACK_BYTES:
            yield tuple(pack)
            pack, packed = [], 0
        pack.append(Piece(one.path, 0, one.size))
        packed += one.size
    if pack:
        yield tuple(pack)


def placed(made: Plan, names: Iterable[tuple[str, bytes]]) -> Manifest:
    """The manifest, once every new object has its id and key: `names` in the order of `made.objects`."""
    where: dict[str, list[Part]] = {}
    for (object_id, key), pieces in zip(names, made.objects, strict=True):
        offset = 0
        for piece in pieces:
            where.setdefault(piece.path, []).append(Part(object_id, key, offset, piece.length))
            offset += piece.length
    by_content = {(one.size, one.sha256): tuple(where[one.path]) for one in made.fresh if one.path in where}
    fresh = (File(one.path, one.mode, one.size, one.sha256, by_content[one.size, one.sha256]) for one in made.fresh)
    return Manifest(tuple(sorted([*made.kept, *fresh], key=lambda file: file.path)))
