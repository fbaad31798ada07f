"""Looking into a version on the server, for those who may take it away: names, sizes and hashes of its files, and stretches of them.

What is told of a dataset in other houses' formats is made of this. It opens the version as any other reader does, and is on record as one.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError
from fabriek.sealing.book import Book
from fabriek.sealing.manifest import File, Part
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.opening import Opening
from fabriek.vault.paging import PageReader
from fabriek.vault.versions import Version


class Looked:
    """A version that was opened. For one thread, until its block ends."""

    def __init__(self, version: Version, book: Book, reader: PageReader) -> None:
        self.version, self.book, self._reader = version, book, reader

    def read(self, file: File, start: int, stop: int) -> bytes:
        """The file's bytes start ≤ position < stop, all in memory: for heads and ends of files. Raises Damaged."""
        found, position = bytearray(), 0
        for part in file.parts:
            begin, finish = max(start, position), min(stop, position + part.length)
            if begin < finish and part.object_id:
                stretch = Part(part.object_id, part.key, part.offset + begin - position, finish - begin)
                found += self._reader.read(stretch)
            elif begin < finish:
                found += bytes(finish - begin)
            position += part.length
        return bytes(found)


class Looking(Desk):
    """One verb."""

    def __init__(self, parts: Parts, opening: Opening) -> None:
        super().__init__(parts)
        self._opening = opening

    @contextmanager
    def into(self, reference: str, *, project: str = "", by: Caller) -> Iterator[Looked]:
        """The version while the block lasts; its grant ends with it. Raises NotFound, NotPermitted naming the rule, Damaged, Unavailable."""
        opened = self._opening.open(reference, project=project, by=by)
        version = self._parts.versions.get(opened.grant.version)
        reader = PageReader(self._parts, self._parts.datasets.get(version.dataset))
        try:
            yield Looked(version, reader.book(version), reader)
        finally:
            # One that cannot be given back now ends by itself, and must not hide why we are leaving.
            with suppress(FabriekError):
                self._opening.end_grant(opened.grant.id, by=by)
