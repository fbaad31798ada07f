"""Admission: what may start now, decided by one pure function over a snapshot, each decision with its reason.

Five phases: order (whose turn it is), fit (room for the whole time asked, on nodes and GPUs that are named), power (below the envelope
for the whole time asked), borrow (a share beyond its own part takes what others leave unused), explain. The first job that must wait
gets a reserved start, and no job that goes before it may delay that: EASY backfilling (Lifka, 1995). Where it is urgent or owed, jobs
that may be put back make room for it. The simulator runs this same function.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from fabriek.compute import reasons
from fabriek.compute.capacity import UNLIMITED_WATTS, Lack, Room, Timeline
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.floor import Floor
from fabriek.compute.jobs import Shape
from fabriek.compute.placement import Placement
from fabriek.compute.power import PowerTable, draw, envelope, idle_watts
from fabriek.compute.preemption import must_leave
from fabriek.compute.schedule import Need, Schedule
from fabriek.compute.snapshot import Running, Snapshot, Waiting
from fabriek.compute.turns import ShareUse, turns

OVERDUE = timedelta(minutes=1)
"""How much longer a job is expected to stand that should be gone: it holds its room until it is seen to have left."""


def admit(snapshot: Snapshot, now: datetime) -> list[Decision]:
    """One decision on every queued job, in the order in which they had their turn."""
    assert len({waiting.job for waiting in snapshot.queued}) == len(snapshot.queued), "a job waits once"
    deciding = _Deciding(snapshot, now)
    return [deciding.on(waiting) for waiting in turns(snapshot.queued, deciding.use)]


class _Deciding:
    """One round. `_open` is the machine as it stands; `_promised` has the reserved start of the first that waits in it too."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self._snapshot, self._now = snapshot, now
        self._idle = idle_watts(snapshot.table, snapshot.capacity.nodes)
        self._open = standing(snapshot, now)
        self._promised = self._open.copy()
        self._reserved: datetime | None = None
        self.use = ShareUse(snapshot.capacity, snapshot.shares)
        self._needs: dict[Shape, tuple[Need, str]] = {}
        self._waits: dict[tuple[str, Shape], tuple[Because, str, datetime | None]] = {}
        self._started: list[tuple[Need, Placement, timedelta]] = []
        self._standing = Counter(running.array for running in snapshot.running if running.array)
        for running in snapshot.running:
            self.use.add(running.share, running.shape)

    def on(self, waiting: Waiting) -> Decision:
        need, never = self._need(waiting.shape)
        if never:
            return Decision(waiting.job, starts=False, code=Because.TOO_BIG, reason=never)
        if self._snapshot.starts_held:
            return Decision(
                waiting.job, starts=False, code=Because.HELD, reason=reasons.held(self._snapshot.starts_held)
            )
        if waiting.gate is not None:
            return Decision(waiting.job, False, waiting.gate.code, waiting.gate.reason, waiting.gate.until)
        if waiting.array_at_once and self._standing[waiting.array] >= waiting.array_at_once:
            reason = reasons.array_full(waiting.array_at_once)
            return Decision(waiting.job, starts=False, code=Because.ARRAY, reason=reason)
        return self._on_room(waiting, need)

    def _on_room(self, waiting: Waiting, need: Need) -> Decision:
        like = (waiting.share, waiting.shape)
        if like not in self._waits:
            span = _span(waiting)
            placed = self._promised.place(need, self._now, self._now + span)
            if placed is not None:
                return self._start(waiting, need, placed)
            until = self._promised.earliest(need, span, self._now)
            if self._reserved is None and until is not None:
                return self._reserve(waiting, need, until)
            self._waits[like] = (*self._wait(waiting, need, until), until)
        return self._told(waiting, self._waits[like])

    def _reserve(self, waiting: Waiting, need: Need, until: datetime) -> Decision:
        """The first that waits: nobody may delay it from here on, and jobs that may be put back are, if it comes before them."""
        span = _span(waiting)
        placed = self._promised.place(need, until, until + span)
        assert placed is not None, f"{waiting.job} fits at {until}, and has no place there"
        self._reserved = until
        self._promised.occupy(need, placed, until, until + span)
        code, reason = self._wait(waiting, need, until)
        if leave := must_leave(waiting, self._snapshot, self.use, lambda gone: self._fits_without(need, span, gone)):
            return Decision(
                waiting.job, False, code, reasons.makes_room(reason, len(leave)), until, preempts=tuple(leave)
            )
        return self._told(waiting, (code, reason, until))

    def _fits_without(self, need: Need, span: timedelta, gone: frozenset[str]) -> bool:
        """Whether there would be room now if these were gone. What was let in this round stands already."""
        there = replace(self._snapshot, running=tuple(one for one in self._snapshot.running if one.job not in gone))
        then = standing(there, self._now)
        for started, placed, shape_span in self._started:
            then.occupy(started, placed, self._now, self._now + shape_span)
        return then.place(need, self._now, self._now + span) is not None

    def _told(self, waiting: Waiting, why: tuple[Because, str, datetime | None]) -> Decision:
        """What is true of one job that waits is true of all like it, until something is let in: queues are long, and mostly alike."""
        return Decision(waiting.job, False, *why)

    def _start(self, waiting: Waiting, need: Need, placed: Placement) -> Decision:
        borrows = self.use.borrows(waiting.share)
        self._waits.clear()
        self.use.add(waiting.share, waiting.shape)
        if waiting.array:
            self._standing[waiting.array] += 1
        self._started.append((need, placed, _span(waiting)))
        for line in (self._open, self._promised):
            line.occupy(need, placed, self._now, self._now + _span(waiting))
        # A machine whose shares nobody set has nothing to borrow from.
        if borrows and self._snapshot.shares:
            own = reasons.borrows(self.use.entitled(waiting.share))
            return Decision(waiting.job, True, Because.BORROWS, own, self._now, placed)
        return Decision(waiting.job, True, Because.FITS, reasons.fits(), self._now, placed)

    def _wait(self, waiting: Waiting, need: Need, until: datetime | None) -> tuple[Because, str]:
        end = self._now + _span(waiting)
        lack = self._open.lack(need, self._now, end)
        if lack is None:
            if self._open.place(need, self._now, end) is None:
                return Because.NO_ROOM, reasons.no_node(waiting.shape, self._clock_time(until))
            return self._wait_turn(waiting)
        if lack.free.covers(replace(need.whole, watts=lack.free.watts)):
            return Because.POWER, reasons.no_power(need.whole, lack.free, self._power_cause(lack))
        return Because.NO_ROOM, reasons.no_room(need.whole, lack.free, self._clock_time(until))

    def _wait_turn(self, waiting: Waiting) -> tuple[Because, str]:
        """There is room and power, but another goes first."""
        reserved = self._clock_time(self._reserved)
        if self._snapshot.shares and self.use.borrows(waiting.share):
            used, entitled = self.use.used(waiting.share), self.use.entitled(waiting.share)
            return Because.SHARE, reasons.share_used(used, entitled, reserved)
        return Because.BEHIND, reasons.behind(reserved)

    def _need(self, shape: Shape) -> tuple[Need, str]:
        """What it takes, and why it can never start here; empty where it can."""
        if shape not in self._needs:
            need = need_of(shape, self._snapshot.table)
            self._needs[shape] = (need, self._too_much(need))
        return self._needs[shape]

    def _too_much(self, need: Need) -> str:
        capacity, contract = self._snapshot.capacity, self._snapshot.contract
        if not capacity.room().covers(replace(need.whole, watts=0)):
            return reasons.too_big(need.whole, capacity)
        if Floor(capacity, self._now).place(need.shape, self._now, self._now) is None:
            return reasons.never_on_nodes(need.shape, capacity)
        if contract is not None and need.whole.watts + self._idle > contract.watts:
            return reasons.too_hungry(need.whole, contract, self._idle)
        return ""

    def _power_cause(self, lack: Lack) -> str:
        shot = self._snapshot
        return reasons.power_cause(shot.contract, shot.limits, lack.at, self._now, shot.zone)

    def _clock_time(self, at: datetime | None) -> str:
        return reasons.clock_time(at, self._now, self._snapshot.zone) if at is not None else ""


def standing(snapshot: Snapshot, now: datetime) -> Schedule:
    """What is free over time beside the jobs that stand: room from the capacity, watts from the envelope less the idle draw."""
    idle = idle_watts(snapshot.table, snapshot.capacity.nodes)
    bounds = {bound for limit in snapshot.limits for bound in (limit.starts, limit.ends) if bound > now}
    steps = [(at, _whole(snapshot, at, idle)) for at in (now, *sorted(bounds))]
    made = Schedule(Timeline(steps), Floor(snapshot.capacity, now))
    needs: dict[Shape, Need] = {}
    for running in sorted(snapshot.running, key=_placed_first):
        if (need := needs.get(running.shape)) is None:
            need = needs[running.shape] = need_of(running.shape, snapshot.table)
        end = running.ends if running.ends > now else now + OVERDUE
        floor = made.floor
        placed = running.placed or floor.place(running.shape, now, end) or floor.force(running.shape, now)
        made.occupy(need, placed, now, end)
    return made


def _placed_first(running: Running) -> tuple[bool, int, int, str]:
    """Then the largest, which have the fewest places to go."""
    shape = running.shape
    return running.placed is None, -shape.gpus_milli_in_all, -shape.cpus_in_all, running.job


def _whole(snapshot: Snapshot, at: datetime, idle: int) -> Room:
    allowed = envelope(snapshot.contract, snapshot.limits, at)
    return replace(snapshot.capacity.room(), watts=UNLIMITED_WATTS if allowed is None else allowed - idle)


def need_of(shape: Shape, table: PowerTable) -> Need:
    whole = Room(shape.cpus_in_all, shape.gpus_milli_in_all, shape.memory_bytes_in_all, draw(shape, table))
    return Need(shape, whole)


def _span(waiting: Waiting) -> timedelta:
    return timedelta(seconds=waiting.shape.wall_seconds_max)
