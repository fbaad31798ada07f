"""Admission: what may start now, decided by one pure function over a snapshot, each decision with its reason.

Five phases: order (whose turn it is), fit (room for the whole time asked), power (below the envelope for the whole time asked),
borrow (a share beyond its own part takes what others leave unused), explain. The first job that must wait gets a reserved start,
and no job that goes before it may delay that: EASY backfilling (Lifka, 1995). The simulator runs this same function.
"""

from collections import Counter
from datetime import datetime, timedelta

from fabriek.compute import reasons
from fabriek.compute.capacity import UNLIMITED_WATTS, Lack, Room, Timeline
from fabriek.compute.decisions import Because, Decision
from fabriek.compute.jobs import Shape
from fabriek.compute.power import PowerTable, draw, envelope, idle_watts
from fabriek.compute.snapshot import Snapshot, Waiting
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
        self._open = _standing(snapshot, now, self._idle)
        self._promised = self._open.copy()
        self._reserved: datetime | None = None
        self.use = ShareUse(snapshot.capacity, snapshot.shares)
        self._needs: dict[Shape, Room] = {}
        self._nevers: dict[Shape, str] = {}
        self._waits: dict[tuple[str, Shape], tuple[Because, str, datetime | None]] = {}
        self._standing = Counter(running.array for running in snapshot.running if running.array)
        for running in snapshot.running:
            self.use.add(running.share, running.shape)

    def on(self, waiting: Waiting) -> Decision:
        need = self._need(waiting.shape)
        if never := self._never(waiting.shape, need):
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

    def _on_room(self, waiting: Waiting, need: Room) -> Decision:
        like = (waiting.share, waiting.shape)
        if like not in self._waits:
            span = _span(waiting)
            if self._promised.lack(need, self._now, self._now + span) is None:
                return self._start(waiting, need)
            until = self._promised.earliest(need, span)
            if self._reserved is None and until is not None:
                self._reserved = until
                self._promised.occupy(need, until, until + span)
                return self._told(waiting, (*self._wait(waiting, need, until), until))
            self._waits[like] = (*self._wait(waiting, need, until), until)
        return self._told(waiting, self._waits[like])

    def _told(self, waiting: Waiting, why: tuple[Because, str, datetime | None]) -> Decision:
        """What is true of one job that waits is true of all like it, until something is let in: queues are long, and mostly alike."""
        return Decision(waiting.job, False, *why)

    def _start(self, waiting: Waiting, need: Room) -> Decision:
        borrows = self.use.borrows(waiting.share)
        self._waits.clear()
        self.use.add(waiting.share, waiting.shape)
        if waiting.array:
            self._standing[waiting.array] += 1
        for line in (self._open, self._promised):
            line.occupy(need, self._now, self._now + _span(waiting))
        # A machine whose shares nobody set has nothing to borrow from.
        if borrows and self._snapshot.shares:
            return Decision(
                waiting.job, True, Because.BORROWS, reasons.borrows(self.use.entitled(waiting.share)), self._now
            )
        return Decision(waiting.job, True, Because.FITS, reasons.fits(), self._now)

    def _wait(self, waiting: Waiting, need: Room, until: datetime | None) -> tuple[Because, str]:
        lack = self._open.lack(need, self._now, self._now + _span(waiting))
        if lack is None:
            return self._wait_turn(waiting)
        if lack.free.covers(Room(need.cpus, need.gpus, need.memory_bytes, lack.free.watts)):
            return Because.POWER, reasons.no_power(need, lack.free, self._power_cause(lack))
        return Because.NO_ROOM, reasons.no_room(need, lack.free, self._clock_time(until))

    def _wait_turn(self, waiting: Waiting) -> tuple[Because, str]:
        """There is room and power, but another goes first."""
        reserved = self._clock_time(self._reserved)
        if self._snapshot.shares and self.use.borrows(waiting.share):
            used, entitled = self.use.used(waiting.share), self.use.entitled(waiting.share)
            return Because.SHARE, reasons.share_used(used, entitled, reserved)
        return Because.BEHIND, reasons.behind(reserved)

    def _need(self, shape: Shape) -> Room:
        if shape not in self._needs:
            self._needs[shape] = room_of(shape, self._snapshot.table)
        return self._needs[shape]

    def _never(self, shape: Shape, need: Room) -> str:
        if shape not in self._nevers:
            self._nevers[shape] = self._too_much(need)
        return self._nevers[shape]

    def _too_much(self, need: Room) -> str:
        whole, contract = self._snapshot.capacity, self._snapshot.contract
        if not Room(whole.cpus, whole.gpus, whole.memory_bytes, need.watts).covers(need):
            return reasons.too_big(need, whole)
        if contract is not None and need.watts + self._idle > contract.watts:
            return reasons.too_hungry(need, contract, self._idle)
        return ""

    def _power_cause(self, lack: Lack) -> str:
        shot = self._snapshot
        return reasons.power_cause(shot.contract, shot.limits, lack.at, self._now, shot.zone)

    def _clock_time(self, at: datetime | None) -> str:
        return reasons.clock_time(at, self._now, self._snapshot.zone) if at is not None else ""


def _standing(snapshot: Snapshot, now: datetime, idle: int) -> Timeline:
    """What is free over time beside the jobs that stand: room from the capacity, watts from the envelope less the idle draw."""
    bounds = {bound for limit in snapshot.limits for bound in (limit.starts, limit.ends) if bound > now}
    made = Timeline([(at, _whole(snapshot, at, idle)) for at in (now, *sorted(bounds))])
    for running in snapshot.running:
        made.occupy(room_of(running.shape, snapshot.table), now, running.ends if running.ends > now else now + OVERDUE)
    return made


def _whole(snapshot: Snapshot, at: datetime, idle: int) -> Room:
    allowed = envelope(snapshot.contract, snapshot.limits, at)
    whole = snapshot.capacity
    watts = UNLIMITED_WATTS if allowed is None else allowed - idle
    return Room(whole.cpus, whole.gpus, whole.memory_bytes, watts)


def room_of(shape: Shape, table: PowerTable) -> Room:
    return Room(shape.cpus, shape.gpus, shape.memory_bytes, draw(shape, table))


def _span(waiting: Waiting) -> timedelta:
    return timedelta(seconds=waiting.shape.wall_seconds_max)
