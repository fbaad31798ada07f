"""Blocks of files, hashed as they are read: what holds data goes on, what is a hole is hashed as the zeros that it is."""

import os
from collections import deque
from collections.abc import Iterator
from io import FileIO

from fabriek.sdk.folders import Survey, changed, mode_of, opened, standing
from fabriek.sdk.holes import runs
from fabriek.sdk.sending import Fill, Placed
from fabriek.sealing.digests import BLOCK_BYTES, Digest, block_count, block_length, digest_of
from fabriek.sealing.manifest import File, Part
from fabriek.sealing.packing import tag_of

READ_BYTES = 2**20


class Block:
    """One block of an open file: its stretches of data are sealed one behind the other, its hash is over all of it."""

    def __init__(self, source: FileIO, path: str, size: int, number: int) -> None:
        """size: of the whole file, whose `path` is named where it changes."""
        self._source, self._path, self._size = source, path, size
        self._length = block_length(size, number)
        begin = number * BLOCK_BYTES
        self._runs = runs(source.fileno(), begin, begin + self._length)
        self.data_bytes = sum(end - start for is_data, start, end in self._runs if is_data)
        self._digest = Digest(size)
        self._fill: Fill = lambda _: 0

    def hash(self) -> str:
        """Reads all of it."""
        fill, room = self.fill(), memoryview(bytearray(READ_BYTES))
        while fill(room):
            pass
        return self.hash_read()

    def hash_read(self) -> str:
        """Of what the last `fill` read, to its end."""
        self._fill(memoryview(b""))  # a hole behind the last data
        return self._digest.hexdigest()

    def fill(self) -> Fill:
        """The stretches of data as one stream. Holes are hashed as the zeros that they are, where they lie."""
        self._digest = digest = Digest(self._size)
        left = deque(self._runs)

        def fill(room: memoryview) -> int:
            count = 0
            while left:
                is_data, start, end = left[0]
                if not is_data:
                    digest.zeros(end - start)
                elif count == len(room):
                    break
                else:
                    self._source.seek(start)  # not every system reads at a place in one call
                    taken = self._source.readinto(room[count : count + end - start]) or 0
                    if taken == 0:
                        raise changed(self._path)
                    digest.update(room[count : count + taken])
                    count += taken
                    if start + taken < end:
                        left[0] = (True, start + taken, end)
                        continue
                left.popleft()
            return count

        self._fill = fill
        return fill

    def tag(self, sha256: str) -> str:
        """What its object holds: the same block may have been written with other holes."""
        kind = "file" if self._size <= BLOCK_BYTES else "block"
        stretches = [("data" if is_data else "hole", end - start) for is_data, start, end in self._runs]
        return tag_of([(sha256, self._length), (kind, 0), *stretches])

    def placed(self, placed: Placed) -> tuple[Part, ...]:
        """Where its bytes are, once its data is an object."""
        parts, offset = [], 0
        for is_data, start, end in self._runs:
            if is_data:
                parts.append(Part(placed.object_id, placed.key, offset, end - start))
                offset += end - start
            else:
                parts.append(Part("", b"", 0, end - start))
        return tuple(parts)


def hashed(survey: Survey) -> Iterator[File]:
    """The files as a version would say them, without places: nothing is sent."""
    for met in survey.met():
        if met.status is None:
            yield File(met.path, 0o777, 0, "", (), met.link)
            continue
        with opened(survey.root, met.path) as source:
            status = os.fstat(source.fileno())
            size = status.st_size
            found = [Block(source, met.path, size, number).hash() for number in range(max(1, block_count(size)))]
            if standing(os.fstat(source.fileno())) != standing(status):
                raise changed(met.path)
        blocks = tuple(found) if len(found) > 1 else ()
        yield File(met.path, mode_of(status), size, digest_of(blocks) if blocks else found[0], (), "", blocks)
