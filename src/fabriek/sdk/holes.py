"""Which stretches of a file hold data. What was never written is neither read nor sent."""

import errno
import os
from collections.abc import Iterator

HOLE_BYTES_MIN = 2**20
"""A shorter hole is read as the zeros that it is: a file of many small ones would be nothing but parts."""

_DATA, _HOLE = getattr(os, "SEEK_DATA", None), getattr(os, "SEEK_HOLE", None)

Run = tuple[bool, int, int]
"""(whether it holds data, begin, end)."""


def runs(descriptor: int, begin: int, end: int) -> list[Run]:
    """The stretches of a file from `begin` to `end`, one behind the other. Where the system does not say: all data."""
    found: list[Run] = []
    for is_data, start, stop in _raw_runs(descriptor, begin, end):
        is_kept = is_data or stop - start < HOLE_BYTES_MIN
        if found and found[-1][0] == is_kept:
            found[-1] = (is_kept, found[-1][1], stop)
        else:
            found.append((is_kept, start, stop))
    return found


def _raw_runs(descriptor: int, begin: int, end: int) -> Iterator[Run]:
    if _DATA is None or _HOLE is None:
        yield True, begin, end
        return
    at = begin
    while at < end:
        data = min(_seek(descriptor, at, _DATA, end), end)
        if data > at:
            yield False, at, data
        if data == end:
            return
        at = max(data + 1, min(_seek(descriptor, data, _HOLE, end), end))
        yield True, data, at


def _seek(descriptor: int, offset: int, what: int, end: int) -> int:
    try:
        return os.lseek(descriptor, offset, what)
    except OSError as error:
        # ENXIO: no data from here on. Whatever else: a file system that does not know, whose files are all data.
        return end if error.errno == errno.ENXIO else (offset if what == _DATA else end)
