"""Looking into files where they lie sealed: some bytes at a time, for the server's own eyes, and never written anywhere in plain."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol

from fabriek.kernel.errors import Damaged
from fabriek.lab.artifacts import Artifact
from fabriek.lab.registry.archives import zip_kind
from fabriek.lab.registry.formats import kind_of

BLOCK_BYTES = 262_144
BLOCKS_KEPT = 8
"""The list of a zip is read in a thousand small pieces; each would ask for the file's key again."""


class Ranges(Protocol):
    """Sealed objects of which parts can be read: the vault's safe."""

    def open(self, dataset_id: str, object_id: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Raises NotFound, Damaged."""


class Rooms(Protocol):
    def room(self, project_id: str) -> str:
        """Which dataset of the vault holds a project's artifacts."""


class Stored:
    """The content of one artifact."""

    def __init__(self, safe: Ranges, room: str, artifact: Artifact) -> None:
        self._safe, self._room, self._artifact = safe, room, artifact
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        return self._artifact.size

    def at(self, start: int, stop: int) -> bytes:
        stop = min(stop, self.size)
        numbers = range(start // BLOCK_BYTES, -(-stop // BLOCK_BYTES)) if stop > start else range(0)
        whole = b"".join(self._block(number) for number in numbers)
        offset = start - numbers.start * BLOCK_BYTES
        return whole[offset : offset + stop - start]

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            begin = number * BLOCK_BYTES
            pieces = self._safe.open(self._room, self._artifact.object_id, begin, min(begin + BLOCK_BYTES, self.size))
            self._blocks[number] = b"".join(pieces)
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]


class Looking:
    """What artifacts are, and the little of them that the registry reads. Not inside a transaction: it may ask for the master key."""

    def __init__(self, safe: Ranges, rooms: Rooms) -> None:
        self._safe, self._rooms = safe, rooms

    def kind(self, artifact: Artifact) -> str:
        """A key of KINDS; empty where its bytes are damaged, so that it is asked again when they are mended."""
        try:
            return kind_of(self._stored(artifact), zip_kind)
        except Damaged:
            return ""

    def text(self, artifact: Artifact, bytes_max: int) -> str:
        """Its beginning as text; what is none of UTF-8 is marked."""
        try:
            return self._stored(artifact).at(0, bytes_max).decode("utf-8", errors="replace")
        except Damaged:
            return ""

    def _stored(self, artifact: Artifact) -> Stored:
        return Stored(self._safe, self._rooms.room(artifact.project), artifact)
