"""The whole log as lines of JSON: a header with key and checkpoint, tiles, entries. A file of them needs nothing else to be verified."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.tlog.notes import exact_base64
from fabriek.kernel.tlog.tiles import WIDTH, ReadTile, width_of
from fabriek.kernel.tlog.tree import HASH_BYTES

FORMAT = "fabriek-audit-1"
LINE_CHARACTERS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: who signs, and what was signed last. Nothing in it is to be believed before it is verified."""

    key: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class TileLine:
    level: int
    index: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry; `leaf` is None for one that no checkpoint covers yet."""

    leaf: int | None
    entry: bytes


Line = TileLine | EntryLine

ReadEntries = Callable[[int, int], Iterable[tuple[int, bytes]]]
"""(start, stop) → (leaf, entry) of what is there, in order."""


def write_export(
    header: Header, size: int, read_tile: ReadTile, read_entries: ReadEntries, last_leaf: int
) -> Iterator[str]:
    """The lines for a tree of `size` entries: the header; each tile of leaf hashes followed by its entries; the tiles above.

    `last_leaf` is the highest that was given before the checkpoint was read: one beyond the tree betrays that the log was cut.
    """
    yield _line({"format": FORMAT, "key": header.key, "checkpoint": header.checkpoint})
    for index in range(-(-size // WIDTH)):
        yield _tile(0, index, size, read_tile)
        for leaf, entry in read_entries(index * WIDTH, min(size, (index + 1) * WIDTH)):
            yield _line({"leaf": leaf, "entry": entry.decode(errors="surrogatepass")})
    for leaf, entry in read_entries(size, last_leaf + 1):
        yield _line({"leaf": leaf, "entry": entry.decode(errors="surrogatepass")})
    level = 1
    while width_of(level, 0, size):
        for index in range(-(-(size >> (8 * level)) // WIDTH)):
            yield _tile(level, index, size, read_tile)
        level += 1


def write_pending(entries: Iterable[bytes]) -> Iterator[str]:
    """The lines for entries that no checkpoint covers yet."""
    for entry in entries:
        yield _line({"leaf": None, "entry": entry.decode(errors="surrogatepass")})


def read_header(line: str) -> Header:
    """Raises InvalidInput when this is no export of an audit log, or one of a newer form."""
    fields = _fields(line)
    if fields is None or fields.get("format") != FORMAT:
        raise InvalidInput("this is not an export of an audit log", fix="make one with `fabriek audit export FILE`")
    return Header(str(fields.get("key")), str(fields.get("checkpoint")))


def read_line(line: str) -> Line | None:
    """A line after the first; None when it cannot be read, as after a cut."""
    fields = _fields(line)
    if fields is None:
        return None
    match fields:
        case {"tile": [int(level), int(index)], "hashes": str(hashes)}:
            try:
                return TileLine(level, index, exact_base64(hashes))
            except ValueError:
                return None
        case {"leaf": int() | None as leaf, "entry": str(entry)} if not isinstance(leaf, bool):
            return EntryLine(leaf, entry.encode(errors="surrogatepass"))
    return None


def _fields(line: str) -> dict[str, object] | None:
    if len(line) > LINE_CHARACTERS_MAX:
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _tile(level: int, index: int, size: int, read: ReadTile) -> str:
    # The tile may have grown since the checkpoint was read: only what that checkpoint covers is said.
    hashes = read(level, index)[: width_of(level, index, size) * HASH_BYTES]
    return _line({"tile": [level, index], "hashes": base64.b64encode(hashes).decode()})


def _line(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":")) + "\n"
