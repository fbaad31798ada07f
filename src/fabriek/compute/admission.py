"""Admission: what may start now, decided by one pure function over a snapshot, each decision with its reason.

Five phases: order (whose turn it is), fit (room for the whole time asked, on nodes and GPUs that are named), power (below the envelope
for the whole time asked), borrow (a share beyond its own part takes what others leave unused), explain. The first job that must wait
gets a reserved start, and no job that goes before it may delay that: EASY backfilling (Lifka, 1995). Where it is urgent or owed, jobs
that may be put back make room for it. The simulator runs this same function.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fabriek.compute import reasons
from fabriek.compute.board import Board
from fabriek.compute.capacity import Lack, Room
from fabriek.compute.contenders import Waiting
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.jobs import Shape
from fabriek.compute.line import Alike
from fabriek.compute.order import Key
from fabriek.compute.placement import Placement
from fabriek.compute.preemption import must_leave
from fabriek.compute.schedule import Need
from fabriek.compute.snapshot import Snapshot
from fabriek.compute.turns import turns


def admit(snapshot: Snapshot, now: datetime) -> list[Decision]:
    """One decision on every queued job, in the order in which they had their turn."""
    assert len({waiting.job for waiting in snapshot.queued}) == len(snapshot.queued), "a job waits once"
    deciding = _Deciding(Board(snapshot, now), snapshot, now)
    key = snapshot.order.key(snapshot.queued, deciding.use, now)
    return [deciding.on(waiting) for waiting in turns(snapshot.queued, deciding.borrows, key)]


@dataclass(frozen=True, slots=True)
class Start:
    """A job that starts now, and where."""

    waiting: Waiting
    placed: Placement


def starts(board: Board, snapshot: Snapshot, now: datetime) -> tuple[list[Start], tuple[str, ...]]:
    """Those that `admit` would start and those that it would put back, without a word to anybody: of those in the board's line, in place of the
    snapshot's queue, beside those that stand on it. What starts stands on the board from then on, and its owner takes it out of the line.
    For whoever plays time forward and asks after every step.
    """
    if snapshot.starts_held:
        return [], ()
    deciding = _Deciding(board, snapshot, now)
    able, blocked = deciding.divide()
    # Where none fits beside what stands, none will; the first of each share may still make others leave.
    if not able and not any(one.preemptible for one in snapshot.running):
        return [], ()
    key = snapshot.order.key(board.line, deciding.use, now)
    return list(deciding.in_turn([*able, *_firsts(blocked, key)], key)), deciding.leave


def _firsts(blocked: Sequence[Alike], key: Key) -> Iterable[Alike]:
    """Of each share what is first of that for which there is no room."""
    first: dict[str, tuple[Any, Alike]] = {}
    for one in blocked:
        oldest = one.oldest
        place = key(oldest)
        if oldest.share not in first or place < first[oldest.share][0]:
            first[oldest.share] = place, one
    return [one for _, one in first.values()]


class _Deciding:
    """One round, on a board that is its own. `_open` is the machine as it stands; `_promised` has the reserved start of the first that waits in
    it too.
    """

    def __init__(self, board: Board, snapshot: Snapshot, now: datetime) -> None:
        self._board, self._snapshot, self._now = board, snapshot, now
        self._open = self._promised = board.schedule
        self._reserved: datetime | None = None
        self.use = board.use
        self.leave: tuple[str, ...] = ()
        self._waits: dict[tuple[str, Shape], tuple[Because, str, datetime | None]] = {}
        self._started: list[tuple[Need, Placement, timedelta]] = []
        self._of_array = board.of_array
        self._hopeless: dict[Room, timedelta] = {}
        self._is_pool = board.schedule.is_plain

    def borrows(self, share: str) -> bool:
        """Whether what this share takes next is beyond its own, with what was let in so far."""
        return self.use.borrows(share)

    def divide(self) -> tuple[list[Alike], list[Alike]]:
        """Those in the board's line for which there is room and power at this moment, and those for which there is not."""
        able, blocked = list[Alike](), list[Alike]()
        cpus, gpus, memory, watts = self._open.whole.now
        for one in self._board.line.alike.values():
            if one.is_array and self._gate(one.oldest):
                continue
            whole = one.need.whole
            fits = whole[0] <= cpus and whole[1] <= gpus and whole[2] <= memory and whole[3] <= watts
            (able if fits else blocked).append(one)
        return able, blocked

    def in_turn(self, alikes: Iterable[Alike], key: Key) -> Iterator[Start]:
        """As if each that waits were asked in its turn: behind one that cannot start nobody like it can."""
        lines: dict[str, list[tuple[Any, Waiting, Need, Iterator[Waiting]]]] = {}
        for one in alikes:
            rest = iter(one.jobs.values())
            oldest = next(rest)
            lines.setdefault(oldest.share, []).append((key(oldest), oldest, one.need, rest))
        for line in lines.values():
            heapq.heapify(line)
        while lines:
            share = (
                min(lines, key=lambda name: (self.borrows(name), lines[name][0][0]))
                if len(lines) > 1
                else next(iter(lines))
            )
            _, waiting, need, rest = heapq.heappop(lines[share])
            placed = self.let_in(waiting, need)
            if placed is not None:
                yield Start(waiting, placed)
                if (follower := next(rest, None)) is not None:
                    heapq.heappush(lines[share], (key(follower), follower, need, rest))
            if not lines[share]:
                del lines[share]

    def let_in(self, waiting: Waiting, need: Need) -> Placement | None:
        """Where it starts now. Else None; the first for which that is so gets a reserved start, once it is known when there is room."""
        if self._gate(waiting):
            return None
        # Room only gets less in a round: what takes as much for as long as something that had none has none either.
        hopeless = self._hopeless.get(need.whole)
        if hopeless is not None and need.span >= hopeless:
            return None
        placed = self._promised.place(need, self._now, self._now + need.span)
        if placed is not None:
            self._start(waiting, need, placed)
        elif self._reserved is None:
            self._reserve(waiting, need)
        elif self._is_pool:
            self._hopeless[need.whole] = need.span
        return placed

    def on(self, waiting: Waiting) -> Decision:
        """What becomes of it, in words."""
        need = self._board.need(waiting.shape)
        if need.never:
            return Decision(waiting.job, starts=False, code=Because.TOO_BIG, reason=need.never)
        if self._snapshot.starts_held:
            return Decision(
                waiting.job, starts=False, code=Because.HELD, reason=reasons.held(self._snapshot.starts_held)
            )
        return self._at_gate(waiting) if self._gate(waiting) else self._on_room(waiting, need)

    def _on_room(self, waiting: Waiting, need: Need) -> Decision:
        like = (waiting.share, waiting.shape)
        if like in self._waits:
            # What is true of one that waits is true of all like it, until something is let in: queues are long, and mostly alike.
            return Decision(waiting.job, False, *self._waits[like])
        borrows, had_none = self.borrows(waiting.share), self._reserved is None
        if (placed := self.let_in(waiting, need)) is not None:
            # A machine whose shares nobody set has nothing to borrow from.
            if borrows and self._snapshot.shares:
                own = reasons.borrows(self.use.entitled(waiting.share))
                return Decision(waiting.job, True, Because.BORROWS, own, self._now, placed)
            return Decision(waiting.job, True, Because.FITS, reasons.fits(), self._now, placed)
        if had_none and self._reserved is not None:
            code, reason = self._wait(waiting, need, self._reserved)
            reason = reasons.makes_room(reason, len(self.leave)) if self.leave else reason
            return Decision(waiting.job, False, code, reason, self._reserved, preempts=self.leave)
        until = self._promised.earliest(need, self._now)
        self._waits[like] = (*self._wait(waiting, need, until), until)
        return Decision(waiting.job, False, *self._waits[like])

    def _gate(self, waiting: Waiting) -> bool:
        """Whether it has no turn, whatever the room."""
        return waiting.gate is not None or (
            waiting.array_at_once > 0 and self._of_array[waiting.array] >= waiting.array_at_once
        )

    def _at_gate(self, waiting: Waiting) -> Decision:
        if waiting.gate is not None:
            return Decision(waiting.job, False, waiting.gate.code, waiting.gate.reason, waiting.gate.until)
        reason = reasons.array_full(waiting.array_at_once)
        return Decision(waiting.job, starts=False, code=Because.ARRAY, reason=reason)

    def _start(self, waiting: Waiting, need: Need, placed: Placement) -> None:
        if self._waits:
            self._waits.clear()
        self._started.append((need, placed, need.span))
        self._board.start(waiting, need, placed, self._now)
        if self._promised is not self._open:
            self._promised.occupy(need, placed, self._now, self._now + need.span)

    def _reserve(self, waiting: Waiting, need: Need) -> None:
        """The first that waits: nobody may delay it from here on, and jobs that may be put back are, if it comes before them."""
        until = self._open.earliest(need, self._now)
        if until is None:
            return
        placed = self._open.place(need, until, until + need.span)
        assert placed is not None, f"{waiting.job} fits at {until}, and has no place there"
        self._reserved, self._promised = until, self._open.copy()
        self._promised.occupy(need, placed, until, until + need.span)
        leave = must_leave(waiting, self._snapshot, self.use, lambda gone: self._fits_without(need, gone))
        self.leave = tuple(leave)

    def _fits_without(self, need: Need, gone: frozenset[str]) -> bool:
        """Whether there would be room now if these were gone. What was let in this round stands already."""
        there = replace(self._snapshot, running=tuple(one for one in self._snapshot.running if one.job not in gone))
        then = Board(there, self._now).schedule
        for started, placed, span in self._started:
            then.occupy(started, placed, self._now, self._now + span)
        return then.place(need, self._now, self._now + need.span) is not None

    def _wait(self, waiting: Waiting, need: Need, until: datetime | None) -> tuple[Because, str]:
        end = self._now + need.span
        lack = self._open.lack(need, self._now, end)
        if lack is None:
            if self._open.place(need, self._now, end) is None:
                return Because.NO_ROOM, reasons.no_node(waiting.shape, self._clock_time(until))
            return self._wait_turn(waiting)
        if lack.free.covers(need.whole._replace(watts=lack.free.watts)):
            return Because.POWER, reasons.no_power(need.whole, lack.free, self._power_cause(lack))
        return Because.NO_ROOM, reasons.no_room(need.whole, lack.free, self._clock_time(until))

    def _wait_turn(self, waiting: Waiting) -> tuple[Because, str]:
        """There is room and power, but another goes first."""
        reserved = self._clock_time(self._reserved)
        if self._snapshot.shares and self.borrows(waiting.share):
            used, entitled = self.use.used(waiting.share), self.use.entitled(waiting.share)
            return Because.SHARE, reasons.share_used(used, entitled, reserved)
        return Because.BEHIND, reasons.behind(reserved)

    def _power_cause(self, lack: Lack) -> str:
        shot = self._snapshot
        return reasons.power_cause(shot.contract, shot.limits, lack.at, self._now, shot.zone)

    def _clock_time(self, at: datetime | None) -> str:
        return reasons.clock_time(at, self._now, self._snapshot.zone) if at is not None else ""
