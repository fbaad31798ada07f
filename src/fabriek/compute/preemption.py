"""Which jobs are put back into the queue so that others can start: only such as their owners said may be."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fabriek.compute.board import Board, Standing
from fabriek.compute.contenders import Waiting
from fabriek.compute.jobs import Priority
from fabriek.compute.line import RANK
from fabriek.compute.placement import Placement
from fabriek.compute.schedule import Need


class Reclaiming:
    """One round of making room. An urgent job, or one whose share has less than its own, makes others leave: as few as make room, eco first and then
    those that would stand longest, and only such as would not have their turn before it, else they would come straight back. `leave`: those that are
    put back in this round; the ones that are leaving already are counted on.
    """

    def __init__(self, board: Board, now: datetime) -> None:
        self._board, self._now = board, now
        # Not those that this round lets in: they would be put back before they began.
        self._yielding = tuple(board.yielding.values())
        self._then: _Then | None = None
        self._claims: list[tuple[Waiting, Need]] = []
        self._gone: list[Standing] = []
        self._in_vain: set[tuple[str, Priority, Need]] = set()
        self.leave: list[str] = []

    def claim(self, waiting: Waiting, need: Need) -> tuple[str, ...] | None:
        """Those that leave for it; none where ones that are leaving already are enough. None where it may make nobody leave, or where that would not
        help.
        """
        use, like = self._board.use, (waiting.share, waiting.priority, need)
        owed = self._board.has_shares and not use.borrows(waiting.share)
        if not self._yielding or not (owed or waiting.priority is Priority.URGENT) or like in self._in_vain:
            return None
        then = self._as_promised()
        placed = then.place(waiting.share, need)
        chosen: list[Standing] = []
        if placed is None:
            chosen = self._choose(waiting, need, then)
            placed = then.place(waiting.share, need) if chosen else None
        if placed is None:
            self._in_vain.add(like)
            return None
        then.occupy(waiting.share, need, placed, self._now + need.span)
        use.add(waiting.share, waiting.shape, self._now, waiting.owner)
        self._claims.append((waiting, need))
        self.leave += [one.job for one in chosen]
        return tuple(one.job for one in chosen)

    def start(self, share: str, need: Need, placed: Placement) -> None:
        """Something was let in: it stands there too."""
        if self._then is not None:
            self._then.occupy(share, need, placed, self._now + need.span)

    def close(self) -> None:
        """What was only claimed or promised is no use: the shares use again what stands."""
        use = self._board.use
        for waiting, _ in self._claims:
            use.take_away(waiting.share, waiting.shape, self._now, waiting.owner)
        for one in self._gone:
            use.add(one.share, one.need.shape, self._now, one.owner)

    def _as_promised(self) -> "_Then":
        """The machine once all have left that are leaving."""
        if self._then is None:
            self._then = _Then(self._board, self._now)
            for one in self._yielding:
                if one.leaving:
                    self._then.vacate(one)
        return self._then

    def _choose(self, waiting: Waiting, need: Need, then: "_Then") -> list[Standing]:
        """They are gone from `then`, and count no more as use; none where all together would not make room."""
        able = [one for one in self._yielding if not one.leaving and one.job not in self.leave]
        able.sort(key=_least_deserving)
        chosen: list[Standing] = []
        for one in able:
            if self._goes_after(one, waiting):
                self._let_go(one, then)
                chosen.append(one)
                if then.place(waiting.share, need) is not None:
                    break
        else:
            for one in chosen:
                self._keep(one, then)
            return []
        for one in reversed(chosen[:-1]):  # the least deserving were listed first: who came last stays, if it can
            self._keep(one, then)
            if then.place(waiting.share, need) is not None:
                chosen.remove(one)
            else:
                self._let_go(one, then)
        return chosen

    def _let_go(self, one: Standing, then: "_Then") -> None:
        then.vacate(one)
        self._board.use.take_away(one.share, one.need.shape, self._now, one.owner)
        self._gone.append(one)

    def _keep(self, one: Standing, then: "_Then") -> None:
        then.occupy(one.share, one.need, one.placed, one.ends)
        self._board.use.add(one.share, one.need.shape, self._now, one.owner)
        self._gone.remove(one)

    def _goes_after(self, running: Standing, waiting: Waiting) -> bool:
        """Whether it would come after the other in the queue, once it is back there."""
        with self._without(running):
            mine, other = (self._board.use.turn(one.share) for one in (waiting, running))
        return (mine, RANK[waiting.priority]) < (other, RANK[running.priority])

    @contextmanager
    def _without(self, one: Standing) -> Iterator[None]:
        use = self._board.use
        use.take_away(one.share, one.need.shape, self._now, one.owner)
        yield
        use.add(one.share, one.need.shape, self._now, one.owner)


class _Then:
    """The machine and what is above each share, once those have left who make room."""

    def __init__(self, board: Board, now: datetime) -> None:
        self._schedule, self._ceilings, self._now = board.schedule.copy(), board.ceilings.copy(), now

    def place(self, share: str, need: Need) -> Placement | None:
        end = self._now + need.span
        return self._schedule.place(need, self._now, end) if self._ceilings.fits(share, need, self._now, end) else None

    def occupy(self, share: str, need: Need, placed: Placement, end: datetime) -> None:
        self._schedule.occupy(need, placed, self._now, end)
        self._ceilings.occupy(share, need, self._now, end)

    def vacate(self, one: Standing) -> None:
        self._schedule.vacate(one.need, one.placed, self._now, one.ends)
        self._ceilings.vacate(one.share, one.need, self._now, one.ends)


def _least_deserving(one: Standing) -> Any:
    return -RANK[one.priority], -one.ends.timestamp(), one.job
