"""Tiles: 256 consecutive hashes of one level, so that a log is a set of files that never change. Source: C2SP tlog-tiles.

Level 0 holds leaf hashes; each hash of a higher level is the root of a full tile below it. Only full tiles are hashed upwards.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from fabriek.kernel.errors import Damaged
from fabriek.kernel.tlog.tree import HASH_BYTES, Frontier, root_of

WIDTH = 256
LEVELS = 8
"""Levels that a tree of fewer than 2**64 leaves can have."""

ENTRY_BYTES_MAX = 2**16 - 1
"""An entry is written with its length in two bytes."""

_PATH = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

ReadTile = Callable[[int, int], bytes]
"""(level, index) → the hashes of that tile, as wide as it is stored; empty when there is none."""


def tile_path(index: int, width: int = WIDTH) -> str:
    """Tile number 1234067 is `x001/x234/067`; one that is 7 hashes wide so far ends in `.p/7`."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < WIDTH else "")


def parse_tile_path(path: str) -> tuple[int, int] | None:
    """(index, width) of a path as `tile_path` writes it; None for any other spelling, so that a tile has one address."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    index, width = int(found[1].replace("x", "").replace("/", "")), int(found[2] or WIDTH)
    return (index, width) if tile_path(index, width) == path else None


def width_of(level: int, index: int, size: int) -> int:
    """How many hashes that tile has in a tree of `size` leaves: 0 to 256."""
    return max(0, min(WIDTH, (size >> (8 * level)) - index * WIDTH))


def hashes_of(tile: bytes) -> Sequence[bytes]:
    return [tile[start : start + HASH_BYTES] for start in range(0, len(tile), HASH_BYTES)]


def grow(read: ReadTile, size: int, hashes: Iterable[bytes], *, level: int = 0) -> dict[tuple[int, int], bytes]:
    """The tiles that change when hashes are appended to a level that has `size` of them. Raises Damaged on a tile that is cut."""
    changed: dict[tuple[int, int], bytes] = {}
    added = list(hashes)
    while added:
        index, width = divmod(size, WIDTH)
        tile = _whole(read, level, index, width)
        full: list[bytes] = []
        for one in added:
            tile += one
            changed[level, index] = tile
            if len(tile) == WIDTH * HASH_BYTES:
                full.append(root_of(hashes_of(tile)))
                index, tile = index + 1, b""
        level, size, added = level + 1, size // WIDTH, full
    return changed


def frontier_of(read: ReadTile, size: int) -> Frontier:
    """The right edge of a stored tree of `size` leaves. Raises Damaged when a tile is missing or cut."""
    frontier = Frontier()
    for level in reversed(range(LEVELS)):
        index, width = divmod(size >> (8 * level), WIDTH)
        for one in hashes_of(_whole(read, level, index, width)):
            frontier.add(one, leaves=1 << (8 * level))
    return frontier


def _whole(read: ReadTile, level: int, index: int, width: int) -> bytes:
    tile = read(level, index)[: width * HASH_BYTES] if width else b""
    if len(tile) < width * HASH_BYTES:
        raise Damaged(f"tile {level}/{index} of the audit log is cut or missing", where=f"audit tile {level}/{index}")
    return tile


def write_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after another, each behind its length in two bytes, big-endian."""
    parts: list[bytes] = []
    for entry in entries:
        assert len(entry) <= ENTRY_BYTES_MAX, "an entry too long for a bundle"
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)
