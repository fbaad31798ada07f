"""Whose turn it is: shares that have less than their own first, and within a share what the order says."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fabriek.compute.contenders import Waiting
from fabriek.compute.sharing.use import ShareUse, Turn


def turns(queued: Iterable[Waiting], use: ShareUse, key: Callable[[Waiting], Any]) -> Iterator[Waiting]:
    """Every waiting job once. `use` is asked anew before each: a share that was just given something may lose its turn.

    Within a share the order is fixed, so that a large job is not overtaken by small ones of its own share nor,
    once its share is below its entitlement, by newer ones of another.
    """
    lines: dict[str, list[tuple[Any, Waiting]]] = defaultdict(list)
    for waiting in queued:
        lines[waiting.share].append((key(waiting), waiting))
    for line in lines.values():
        line.sort(key=_place, reverse=True)
    if len(lines) == 1:
        [line] = lines.values()
        yield from (waiting for _, waiting in reversed(line))
        return
    heads = Heads(use)
    for share, line in lines.items():
        heads.put(share, line[-1][0])
    while lines:
        share = heads.take()
        line = lines[share]
        yield line.pop()[1]
        if line:
            heads.put(share, line[-1][0])
        else:
            del lines[share]


class Heads:
    """The first of each share's line, the share whose turn it is first."""

    def __init__(self, use: ShareUse) -> None:
        self._use, self._fell = use, use.fell
        self._heap: list[tuple[Turn, Any, str]] = []

    def put(self, share: str, place: Any) -> None:
        """place: of the first in its line."""
        heapq.heappush(self._heap, (self._use.turn(share), place, share))

    def take(self) -> str:
        """The share that is next, of at least one."""
        heap, use = self._heap, self._use
        if self._fell != use.fell:  # some share uses less than it did, and may be next before others
            heap[:] = [(use.turn(share), place, share) for _, place, share in heap]
            heapq.heapify(heap)
            self._fell = use.fell
        while True:
            turn, place, share = heap[0]
            if (now := use.turn(share)) == turn:
                heapq.heappop(heap)
                return share
            heapq.heapreplace(heap, (now, place, share))


def _place(one: tuple[Any, Waiting]) -> Any:
    return one[0]
