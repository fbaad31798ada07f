"""A trace from a file: SWF or a table, packed by gzip or not. What it is is told by what stands in it."""

import csv
import gzip
import itertools
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from fabriek.compute.simulator.csv_kinds import read_csv
from fabriek.compute.simulator.recorded import Reading
from fabriek.compute.simulator.swf import read_swf
from fabriek.kernel.errors import InvalidInput, NotFound

GZIP = b"\x1f\x8b"


def read_trace(path: Path) -> Reading:
    """Raises NotFound, InvalidInput."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}", fix="name a trace: SWF, or a table with a head")
    if not path.stat().st_size:
        raise InvalidInput(f"{path.name} is empty", fix="name another trace")
    try:
        with _opened(path) as lines:
            first = next((line for line in lines if line.strip()), "")
            if "\0" in first:
                raise InvalidInput(f"{path.name} is no text", fix="name a trace in SWF, or a table in UTF-8")
            whole = itertools.chain([first], lines)
            found = read_swf(whole) if _is_swf(first) else read_csv(whole)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}", fix="take the file again") from None
    if not found.jobs:
        raise InvalidInput(
            f"{path.name} holds no job that could be replayed: {said(found) or 'no line at all'}",
            fix="name another trace",
        )
    return found


def said(found: Reading) -> str:
    """What was left out, in words; empty where nothing was."""
    return "; ".join(
        f"{count:,} {why}" + (f", first in line {found.first[why]}" if found.first.get(why) else "")
        for why, count in found.skipped.most_common()
    )


def _is_swf(first: str) -> bool:
    return first.lstrip().startswith(";") or (
        first.split() != [] and _is_number(first.split(maxsplit=1)[0]) and "," not in first
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with path.open("rb") as raw:
        is_packed = raw.read(2) == GZIP
    if is_packed:
        with gzip.open(path, "rt", encoding="utf-8-sig", errors="replace") as lines:
            yield lines
    else:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            yield lines
