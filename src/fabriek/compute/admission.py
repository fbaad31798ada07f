"""Admission: what may start now, decided by one pure function over a snapshot, each decision with its reason.

Five phases: order (whose turn it is), fit (room for the whole time asked, on nodes and GPUs that are named), power (below the envelope
for the whole time asked), borrow (a share beyond its own part takes what others leave unused), explain. The first job that must wait
gets a reserved start, and no job that goes before it may delay that: EASY backfilling (Lifka, 1995). For those that are urgent or owed, jobs
that may be put back make room. The simulator runs this same function.
"""

from collections.abc import Sequence
from datetime import datetime

from fabriek.compute import reasons
from fabriek.compute.board import Board
from fabriek.compute.capacity import Lack
from fabriek.compute.contenders import Waiting
from fabriek.compute.deciding import Deciding, Start
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.line import Alike
from fabriek.compute.order import oldest_of
from fabriek.compute.schedule import Need
from fabriek.compute.snapshot import Snapshot
from fabriek.compute.turns import turns
from fabriek.funding.policy.tree import GROUP


def admit(snapshot: Snapshot, now: datetime) -> list[Decision]:
    """One decision on every queued job, in the order in which they had their turn."""
    assert len({waiting.job for waiting in snapshot.queued}) == len(snapshot.queued), "a job waits once"
    told = _Told(Board(snapshot, now), snapshot, now)
    key = snapshot.order.key(oldest_of(snapshot.queued), told.use, now)
    return [told.on(waiting) for waiting in turns(snapshot.queued, told.use, key)]


def starts(board: Board, snapshot: Snapshot, now: datetime) -> tuple[Sequence[Start], tuple[str, ...]]:
    """Those that `admit` would start and those that it would put back, without a word to anybody: of those in the board's line, in place of the
    snapshot's queue, beside those that stand on it. What starts stands on the board from then on, and its owner takes it out of the line.
    For whoever plays time forward and asks after every step.
    """
    # Where none fits beside what stands, none will; those may still make others leave.
    if snapshot.starts_held or not (board.yielding or board.line.may_fit(board.schedule.whole.now)):
        return [], ()
    if (only := board.line.only) is not None and _is_free_of_others(board, only):
        return _of_one_kind(board, only, now), ()
    deciding = Deciding(board, now)
    able, blocked = deciding.divide()
    if not able and not board.yielding:
        return [], ()
    made = list(deciding.in_turn(deciding.to_ask(able, blocked, snapshot.order), snapshot.order))
    return made, deciding.close()


def _is_free_of_others(board: Board, only: Alike) -> bool:
    """Whether room and power alone say what starts of the one kind that waits: nobody else has a turn, and none is promised anything."""
    rules = board.use.rules
    return not (board.yielding or board.ceilings.under or rules.borrowers_yield or only.is_array)


def _of_one_kind(board: Board, only: Alike, now: datetime) -> Sequence[Start]:
    """As many as fit, the oldest first. Half of the rounds of a replay are such, and a whole round takes three times as long."""
    made, need = list[Start](), only.need
    for waiting in only.jobs.values():
        placed = board.schedule.place(need, now, now + need.span)
        if placed is None:
            break
        board.start(waiting, need, placed, now)
        made.append(Start(waiting, placed))
    return made


class _Told:
    """One round, in words: what becomes of each, and why."""

    def __init__(self, board: Board, snapshot: Snapshot, now: datetime) -> None:
        self._board, self._snapshot, self._now = board, snapshot, now
        self._deciding = Deciding(board, now)
        self.use = board.use
        self._waits: dict[tuple[str, Shape, bool, bool], tuple[Because, str, datetime | None]] = {}

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
        claims = waiting.priority is Priority.URGENT
        like = (waiting.share, waiting.shape, waiting.preemptible, claims)
        if like in self._waits:
            # What is true of one that waits is true of all like it, until something is let in: queues are long, and mostly alike.
            return Decision(waiting.job, False, *self._waits[like])
        deciding = self._deciding
        borrows = self.use.borrows(waiting.share)
        if (placed := deciding.let_in(waiting, need)) is not None:
            self._waits.clear()
            # A machine whose shares nobody set has nothing to borrow from.
            if borrows and self._snapshot.shares:
                own = reasons.borrows(self.use.entitled(waiting.share))
                return Decision(waiting.job, True, Because.BORROWS, own, self._now, placed)
            return Decision(waiting.job, True, Because.FITS, reasons.fits(), self._now, placed)
        stopped = deciding.stopped
        until = stopped.reserved or deciding.until(need)
        code, reason = self._wait(waiting, need, until, borrows=borrows)
        if stopped.reserved or stopped.leave is not None:
            reason = reasons.makes_room(reason, len(stopped.leave)) if stopped.leave else reason
            return Decision(waiting.job, False, code, reason, until, preempts=stopped.leave or ())
        self._waits[like] = (code, reason, until)
        return Decision(waiting.job, False, code, reason, until)

    def _gate(self, waiting: Waiting) -> bool:
        return self._deciding.gate(waiting)

    def _at_gate(self, waiting: Waiting) -> Decision:
        if waiting.gate is not None:
            return Decision(waiting.job, False, waiting.gate.code, waiting.gate.reason, waiting.gate.until)
        reason = reasons.array_full(waiting.array_at_once)
        return Decision(waiting.job, starts=False, code=Because.ARRAY, reason=reason)

    def _wait(self, waiting: Waiting, need: Need, until: datetime | None, *, borrows: bool) -> tuple[Because, str]:
        stopped, end, machine = self._deciding.stopped, self._now + need.span, self._deciding.open
        if stopped.must_yield:
            return Because.SHARE, reasons.must_yield(self.use.entitled(waiting.share))
        if stopped.ceiling:
            return self._wait_ceiling(waiting, stopped.ceiling, until)
        lack = machine.lack(need, self._now, end)
        if lack is None:
            if machine.place(need, self._now, end) is None:
                return Because.NO_ROOM, reasons.no_node(waiting.shape, self._clock_time(until))
            return self._wait_turn(waiting, borrows=borrows)
        if lack.free.covers(need.whole._replace(watts=lack.free.watts)):
            return Because.POWER, reasons.no_power(need.whole, lack.free, self._power_cause(lack))
        return Because.NO_ROOM, reasons.no_room(need.whole, lack.free, self._clock_time(until))

    def _wait_turn(self, waiting: Waiting, *, borrows: bool) -> tuple[Because, str]:
        """There is room and power, but another goes first."""
        reserved = self._clock_time(self._deciding.reserved)
        if self._snapshot.shares and borrows:
            used, entitled = self.use.used(waiting.share), self.use.entitled(waiting.share)
            return Because.SHARE, reasons.share_used(used, entitled, self.use.part_of(waiting.share), reserved)
        return Because.BEHIND, reasons.behind(reserved)

    def _wait_ceiling(self, waiting: Waiting, ceiling: str, until: datetime | None) -> tuple[Because, str]:
        most, part = self.use.rules.ceilings[ceiling], self.use.part(waiting.shape)
        group = "" if ceiling == waiting.share else ceiling.removeprefix(GROUP)
        if until is None:
            return Because.TOO_BIG, reasons.above_ceiling(group, part, most)
        used = self.use.used(ceiling)
        return Because.CEILING, reasons.at_ceiling(group, used, most, part, self._clock_time(until))

    def _power_cause(self, lack: Lack) -> str:
        shot = self._snapshot
        return reasons.power_cause(shot.contract, shot.limits, lack.at, self._now, shot.zone)

    def _clock_time(self, at: datetime | None) -> str:
        return reasons.clock_time(at, self._now, self._snapshot.zone) if at is not None else ""
