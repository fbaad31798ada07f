"""Admission played forward: the scheduler that decides here, from a snapshot on, through one future."""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fabriek.compute.admission import starts
from fabriek.compute.board import Board
from fabriek.compute.forecasting.futures import Future
from fabriek.compute.snapshot import Snapshot

LOOK_EVERY = 8
"""Steps between two looks at whether there is time left."""

FAR = timedelta(days=730)
"""Nothing is played further than this."""


@dataclass(frozen=True, slots=True)
class Played:
    """Job → when it started, of those that were asked for. `whole`: none of them was guessed from the pace at which the line got shorter."""

    starts: Mapping[str, datetime]
    whole: bool = True


def always() -> bool:
    return True


def play(
    snapshot: Snapshot, now: datetime, future: Future, watched: Iterable[str], *, goes_on: Callable[[], bool] = always
) -> Played:
    """When each watched job starts in this future. `goes_on`: whether there is time to play further; what has not started then is put where the
    line would come to it at the pace so far. Left out is what never starts: behind a gate, or too big.
    """
    return _Play(snapshot, now, future, watched).run(goes_on)


@dataclass(slots=True)
class _Play:
    snapshot: Snapshot
    now: datetime
    future: Future
    watched: Iterable[str]
    found: dict[str, datetime] = field(default_factory=dict)

    def run(self, goes_on: Callable[[], bool]) -> Played:
        begin, bare = self.now, replace(self.snapshot, running=(), queued=())
        board = Board(self.snapshot, begin)
        for one in self.snapshot.queued:
            board.wait(one)
        wanted, in_line = set(self.watched), {one.job for one in self.snapshot.queued}
        leaving = [(self.future.ends(one, begin), number, one.job) for number, one in enumerate(self.snapshot.running)]
        heapq.heapify(leaving)
        bounds = sorted(
            {at for limit in self.snapshot.limits for at in (limit.starts, limit.ends) if at > begin}, reverse=True
        )
        coming = self.future.comes()
        following = next(coming, None)
        order, steps, at = len(leaving), 0, begin
        while wanted:
            for start in starts(board, bare, at)[0]:
                job = start.waiting
                board.take(job)
                in_line.discard(job.job)
                if job.job in wanted:
                    wanted.discard(job.job)
                    self.found[job.job] = at
                order += 1
                heapq.heappush(leaving, (at + self.future.runs(job), order, job.job))
            following_at = [following.submitted_at] if following is not None else []
            events = [*following_at, *([leaving[0][0]] if leaving else []), *bounds[-1:]]
            if not wanted or not events or min(events) - begin > FAR:
                break
            steps += 1
            if steps % LOOK_EVERY == 0 and not goes_on():
                return self._at_the_pace(at, wanted, in_line)
            at = max(at, min(events))
            board.advance(at)
            while bounds and bounds[-1] <= at:
                bounds.pop()
            while leaving and leaving[0][0] <= at:
                board.leave(heapq.heappop(leaving)[2], at)
            while following is not None and following.submitted_at <= at:
                board.wait(following)
                following = next(coming, None)
        return Played(self.found)

    def _at_the_pace(self, at: datetime, wanted: set[str], in_line: set[str]) -> Played:
        """Where the line would come to each that is left, if it went on as it did."""
        ahead, gone = 0, len(self.snapshot.queued) - len(in_line)
        took = (at - self.now) / gone if gone else None
        for one in self.snapshot.queued if took is not None else ():
            if one.job not in in_line or one.gate is not None:
                continue
            ahead += 1
            if one.job in wanted and took is not None:
                self.found[one.job] = min(at + took * ahead, self.now + FAR)
        return Played(self.found, whole=False)
