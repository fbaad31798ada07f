"""One round of admission without a word: who has a turn, whether there is room, what is promised to whom, who makes room."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fabriek.compute.board import Board
from fabriek.compute.contenders import Waiting
from fabriek.compute.jobs import Priority
from fabriek.compute.line import RANK, Alike
from fabriek.compute.order import Order
from fabriek.compute.placement import Placement
from fabriek.compute.preemption import Reclaiming
from fabriek.compute.schedule import Need
from fabriek.compute.sharing.ceilings import Promises
from fabriek.compute.turns import Heads


class Start(NamedTuple):
    """A job that starts now, and where."""

    waiting: Waiting
    placed: Placement


@dataclass(frozen=True, slots=True)
class Stopped:
    """What keeps the job waiting that was asked about last. `ceiling`: the share that may use no more; `must_yield`: it would borrow, and may not
    be put back; `reserved`: its reserved start; `leave`: who makes room for it; None where nobody does.
    """

    ceiling: str = ""
    must_yield: bool = False
    reserved: datetime | None = None
    leave: tuple[str, ...] | None = None


BY_ROOM = Stopped()
"""By nothing but room, power, or its gate."""


class Deciding:
    """On a board that is its own. `open` is the machine as it stands; `promised` has the reserved starts in it too. `reserved`: the first of those.
    `close` ends the round.
    """

    def __init__(self, board: Board, now: datetime) -> None:
        self._board, self._now, self._rules = board, now, board.use.rules
        self.open = self.promised = board.schedule
        self.use, self._of_array = board.use, board.of_array
        self.use.begin(now)
        self._under = Promises(board.ceilings) if self._rules.ceilings else None
        self._reclaiming = Reclaiming(board, now) if board.yielding else None
        self.reserved: datetime | None = None
        self._to_reserve = self._rules.reserved
        self._hopeless: dict[int, timedelta] = {}
        self._asks_yield = self._rules.borrowers_yield and board.has_shares
        self.stopped = Stopped()

    def close(self) -> tuple[str, ...]:
        """Those that are put back."""
        if self._reclaiming is None:
            return ()
        self._reclaiming.close()
        return tuple(self._reclaiming.leave)

    def divide(self) -> tuple[list[Alike], list[Alike]]:
        """Those in the board's line for which there is room and power at this moment, and those for which there is not."""
        able: list[Alike] = []
        blocked: list[Alike] = []
        cpus, gpus, memory, watts = self.open.whole.now
        for whole, some in self._board.line.alike.items():
            if whole[0] > cpus or whole[1] > gpus or whole[2] > memory or whole[3] > watts:
                blocked.extend(some.values())
            elif self._under is None:
                able.extend(some.values())
            else:
                for one in some.values():
                    (able if self._board.ceilings.leave_room(one.share, whole) else blocked).append(one)
        if self._of_array:
            able, blocked = (
                [one for one in some if not (one.is_array and self.gate(one.oldest))] for some in (able, blocked)
            )
        return able, blocked

    def to_ask(self, able: Sequence[Alike], blocked: Sequence[Alike], order: Order) -> list[Alike]:
        """Of those for which there is no room, who may make others leave, and of each share the first: it may be promised a start."""
        if not blocked:
            return list(able)
        claim = [one for one in blocked if self._may_claim(one)] if self._board.yielding else []
        firsts = order.firsts(blocked, self._board.line.oldest, self.use, self._now)
        return [*able, *claim, *(one for one in firsts if one not in claim)]

    def in_turn(self, alikes: Sequence[Alike], order: Order) -> Iterator[Start]:
        """As if each that waits were asked in its turn: behind one that cannot start nobody like it can."""
        if len(alikes) == 1:
            yield from self._by_age(alikes[0])
            return
        key = order.key(self._board.line.oldest, self.use, self._now)
        lines: dict[str, list[tuple[Any, Waiting, Need, Iterator[Waiting]]]] = {}
        for one in alikes:
            rest = iter(one.jobs.values())
            oldest = next(rest)
            lines.setdefault(oldest.share, []).append((key(oldest), oldest, one.need, rest))
        heads, alone = Heads(self.use), len(lines) == 1
        for share, line in lines.items():
            heapq.heapify(line)
            if not alone:
                heads.put(share, line[0][0])
        while lines:
            line = lines[share] if alone else lines[share := heads.take()]
            _, waiting, need, rest = line[0]
            placed = self.let_in(waiting, need)
            if placed is not None:
                yield Start(waiting, placed)
            if (placed is not None or self.stopped.leave is not None) and (follower := next(rest, None)) is not None:
                heapq.heapreplace(line, (key(follower), follower, need, rest))
            else:
                heapq.heappop(line)
            if not line:
                del lines[share]
            elif not alone:
                heads.put(share, line[0][0])

    def _by_age(self, alike: Alike) -> Iterator[Start]:
        """Of those that are alike the oldest first, which no order says otherwise."""
        for waiting in alike.jobs.values():
            placed = self.let_in(waiting, alike.need)
            if placed is not None:
                yield Start(waiting, placed)
            elif self.stopped.leave is None:
                return

    def let_in(self, waiting: Waiting, need: Need) -> Placement | None:
        """Where it starts now. Else None, and `stopped` says why; the first that lack room get a reserved start, once it is known when there is
        room.
        """
        self.stopped = BY_ROOM
        if (waiting.gate is not None or waiting.array_at_once) and self.gate(waiting):
            return None
        if self._asks_yield and not waiting.preemptible and self.use.borrows(waiting.share):
            self.stopped = Stopped(must_yield=True)
            return None
        if self._under is not None and (ceiling := self._under.stops(waiting.share, need, self._now)):
            self._under.reserve(ceiling, need, self._now)
            self.stopped = Stopped(ceiling, leave=self._claim(waiting, need))
            return None
        # Room only gets less in a round: what takes as much for as long as something that had none has none either.
        hopeless = self._hopeless.get(need.alike)
        if hopeless is None or need.span < hopeless:
            placed = self.promised.place(need, self._now, self._now + need.span)
            if placed is not None:
                self._start(waiting, need, placed)
                return placed
            if self._to_reserve:
                reserved = self._reserve(need, waiting)
                self.stopped = Stopped(reserved=reserved, leave=self._claim(waiting, need))
                return None
            self._hopeless[need.alike] = need.span
        if self._reclaiming is not None:
            self.stopped = Stopped(leave=self._claim(waiting, need))
        return None

    def gate(self, waiting: Waiting) -> bool:
        """Whether it has no turn, whatever the room."""
        return waiting.gate is not None or (
            waiting.array_at_once > 0 and self._of_array[waiting.array] >= waiting.array_at_once
        )

    def until(self, need: Need) -> datetime | None:
        """When there will be room and power for it, beside all that is promised."""
        until = self.promised.earliest(need, self._now)
        if until is not None and self.stopped.ceiling and self._under is not None:
            under = self._under.until(self.stopped.ceiling, need, self._now)
            return None if under is None else max(until, under)
        return until

    def _start(self, waiting: Waiting, need: Need, placed: Placement) -> None:
        self._board.start(waiting, need, placed, self._now)
        if self.promised is not self.open:
            self.promised.occupy(need, placed, self._now, self._now + need.span)
        if self._under is not None:
            self._under.start(waiting.share, need, self._now)
        if self._reclaiming is not None:
            self._reclaiming.start(waiting.share, need, placed)

    def _reserve(self, need: Need, waiting: Waiting) -> datetime | None:
        """One of the first that wait: nobody may delay it from here on."""
        until = self.promised.earliest(need, self._now)
        if until is None:
            return None
        placed = self.promised.place(need, until, until + need.span)
        assert placed is not None, f"{waiting.job} fits at {until}, and has no place there"
        if self.promised is self.open:
            self.promised = self.open.copy()
        self.promised.occupy(need, placed, until, until + need.span)
        self.reserved = self.reserved or until
        self._to_reserve -= 1
        return until

    def _claim(self, waiting: Waiting, need: Need) -> tuple[str, ...] | None:
        return self._reclaiming.claim(waiting, need) if self._reclaiming is not None else None

    def _may_claim(self, one: Alike) -> bool:
        return one.rank == RANK[Priority.URGENT] or (self._board.has_shares and not self.use.borrows(one.share))
