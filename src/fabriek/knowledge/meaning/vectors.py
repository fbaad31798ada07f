"""The entries' numbers in memory, apart by who may know of them, so that nothing is compared with what one may not know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Block:
    """Entries known to one name: their numbers, and a row for each."""

    numbers: NDArray[np.int64]
    rows: NDArray[np.float32]


class Vectors:
    """`blocks`: name → the entries that its people may know of."""

    def __init__(self, read: Sequence[tuple[int, str, bytes]] = ()) -> None:
        """read: number, who may know of it, and the row as it is kept."""
        apart: dict[str, list[tuple[int, bytes]]] = {}
        for number, known_to, row in read:
            apart.setdefault(known_to, []).append((number, row))
        self.blocks: Mapping[str, Block] = {
            name: Block(
                np.array([number for number, _ in some], np.int64),
                np.frombuffer(b"".join(row for _, row in some), np.float32).reshape(len(some), -1),
            )
            for name, some in apart.items()
        }

    def nearest(self, asked: NDArray[np.float32], names: Sequence[str], count: int) -> list[int]:
        """The numbers of those nearest to what is asked, the nearest first, among what the people of these names may know of."""
        near = list[tuple[float, int]]()
        for block in (self.blocks[name] for name in names if name in self.blocks):
            scores = block.rows @ asked
            best = np.argpartition(scores, -count)[-count:] if len(scores) > count else np.arange(len(scores))
            near += [(-float(scores[at]), int(block.numbers[at])) for at in best]
        return [number for _, number in sorted(near)[:count]]
