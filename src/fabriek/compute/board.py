"""The machine as it stands: what is free from now on, who has how much of it, and what each that waits would take.

A server makes one anew for every round. Whoever plays time forward keeps one, and tells it who began and who left.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fabriek.compute import reasons
from fabriek.compute.capacity import UNLIMITED_WATTS, Room, Timeline
from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.floor import Floor
from fabriek.compute.gpus import Gpus
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.line import Line
from fabriek.compute.placement import Placement
from fabriek.compute.power import Limit, draw, envelope, idle_watts
from fabriek.compute.schedule import Need, Schedule
from fabriek.compute.sharing.ceilings import Ceilings
from fabriek.compute.sharing.recent import RecentUse
from fabriek.compute.sharing.use import ShareUse
from fabriek.compute.snapshot import Snapshot

OVERDUE = timedelta(minutes=1)
"""How much longer a job is expected to stand that should be gone: it holds its room until it is seen to have left."""

INSTANT = timedelta(microseconds=1)
"""By so much, where an order wants those apart that would leave at the same instant."""

NO_TIME = timedelta()

EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Some instant, for what does not depend on which."""


@dataclass(slots=True)
class Standing:
    """A job that has its room, until `ends` at the latest. `preemptible` and `leaving` as of one that runs."""

    job: str
    share: str
    array: str
    waited_seconds: float
    need: Need
    placed: Placement
    ends: datetime
    priority: Priority
    owner: str
    preemptible: bool
    leaving: bool


class Board:
    """`line`: those that wait, for who keeps the board. `yielding`: those that stand and may be put back, and those that are being. What a round
    starts stands on it.
    """

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        """Of the snapshot's machine, power and shares, with everything that runs standing on it."""
        self._snapshot = snapshot
        self.idle = idle_watts(snapshot.table, snapshot.capacity.nodes)
        self._limits: tuple[Limit, ...] = tuple(limit for limit in snapshot.limits if limit.known_from is None)
        bounds = {bound for limit in self._limits for bound in (limit.starts, limit.ends) if bound > now}
        steps = [(at, self._whole(at)) for at in (now, *sorted(bounds))]
        self.schedule = Schedule(Timeline(steps), Floor(snapshot.capacity, now))
        rules, lately = snapshot.rules, snapshot.lately
        self.use = ShareUse(
            snapshot.capacity, snapshot.shares, rules,
            budget=RecentUse(rules.budget_seconds, now, rules.summed(lately.shares)) if rules.budget_seconds else None,
            recent=RecentUse(rules.owner_seconds, now, lately.owners) if rules.owner_seconds else None,
        )  # fmt: skip
        self.ceilings = Ceilings(snapshot.capacity, rules, now)
        self.has_shares = bool(snapshot.shares)
        self.of_array = Counter[str]()
        self._needs: dict[Shape, Need] = {}
        self._alike: dict[tuple[int, Gpus, int, int, tuple[int, ...]], int] = {}
        self._empty: Floor | None = None
        self.line = Line(by_owner=bool(rules.owner_seconds))
        self._standing: dict[str, Standing] = {}
        self.yielding: dict[str, Standing] = {}
        for running in sorted(snapshot.running, key=_placed_first):
            self.stand(running, now)

    def need(self, shape: Shape) -> Need:
        """What it takes, and why it can never start here; the same for all that are alike."""
        need = self._needs.get(shape)
        if need is None:
            whole = Room(
                shape.cpus_in_all, shape.gpus_milli_in_all, shape.memory_bytes_in_all, draw(shape, self._snapshot.table)
            )
            parts = (shape.cpus, shape.gpus, shape.memory_bytes, shape.nodes, shape.among)
            alike = self._alike.setdefault(parts, len(self._alike))
            need = Need(shape, whole, timedelta(seconds=shape.wall_seconds_max), self._too_much(shape, whole), alike)
            self._needs[shape] = need
        return need

    def wait(self, waiting: Waiting) -> None:
        """It stands in line from now on; those that came before it do already."""
        self.line.add(waiting, self.need(waiting.shape))

    def take(self, waiting: Waiting) -> None:
        """It waits no more."""
        self.line.take(waiting.job)
        self.use.noted.pop(waiting.job, None)

    def stand(self, running: Running, now: datetime) -> None:
        """It has its room from now on."""
        need = self.need(running.shape)
        ends = running.ends if running.ends > now else now + OVERDUE
        floor = self.schedule.floor
        placed = running.placed or floor.place(running.shape, now, ends) or floor.force(running.shape, now)
        self._occupy(Standing(
            running.job, running.share, running.array, running.waited_seconds, need, placed, ends, running.priority, running.owner,
            running.preemptible, running.leaving,
        ), now)  # fmt: skip

    def start(self, waiting: Waiting, need: Need, placed: Placement, now: datetime) -> None:
        """It has its room from now on, there, for as long as it may."""
        waited = (now - waiting.submitted_at).total_seconds()
        ends = now + need.span + (waiting.number * INSTANT if self._snapshot.order.ends_apart else NO_TIME)
        self._occupy(Standing(
            waiting.job, waiting.share, waiting.array, waited, need, placed, ends, waiting.priority, waiting.owner, waiting.preemptible,
            leaving=False,
        ), now)  # fmt: skip

    def _occupy(self, standing: Standing, now: datetime) -> None:
        need = standing.need
        self.schedule.occupy(need, standing.placed, now, standing.ends)
        if self.ceilings.under:
            self.ceilings.occupy(standing.share, need, now, standing.ends)
        self.use.add(standing.share, need.shape, now, standing.owner)
        self.use.wait(need.shape, standing.waited_seconds)
        if standing.array:
            self.of_array[standing.array] += 1
        self._standing[standing.job] = standing
        if standing.preemptible or standing.leaving:
            self.yielding[standing.job] = standing

    def leave(self, job: str, now: datetime) -> None:
        """It is gone, and gives back what it would have had until its end."""
        gone = self._standing.pop(job)
        self.yielding.pop(job, None)
        if gone.ends > now:
            self.schedule.vacate(gone.need, gone.placed, now, gone.ends)
            if self.ceilings.under:
                self.ceilings.vacate(gone.share, gone.need, now, gone.ends)
        self.use.take_away(gone.share, gone.need.shape, now, gone.owner)
        self.use.wait(gone.need.shape, gone.waited_seconds, gone=True)
        if gone.array:
            self.of_array[gone.array] -= 1

    def advance(self, now: datetime) -> None:
        """Nothing before this instant is asked about any more."""
        self.schedule.advance(now)
        if self.ceilings.under:
            self.ceilings.advance(now)

    def announce(self, limit: Limit, now: datetime) -> None:
        """It is known from now on: less may be drawn while it holds, whoever stands."""
        if limit.ends <= now:  # it is over, whenever that was said
            return
        before, self._limits = self._limits, (*(one for one in self._limits if one.ends > now), limit)
        bounds = {
            at for one in self._limits for at in (one.starts, one.ends) if limit.starts < at < limit.ends and at > now
        }
        steps = sorted({max(now, limit.starts), limit.ends, *bounds})
        for start, end in itertools.pairwise(steps):
            if less := self._watts(before, start) - self._watts(self._limits, start):
                self.schedule.whole.occupy(Room(watts=less), start, end)

    def _whole(self, at: datetime) -> Room:
        return self._snapshot.capacity.room()._replace(watts=self._watts(self._limits, at))

    def _watts(self, limits: Sequence[Limit], at: datetime) -> int:
        allowed = envelope(self._snapshot.contract, limits, at)
        return UNLIMITED_WATTS if allowed is None else allowed - self.idle

    def _too_much(self, shape: Shape, whole: Room) -> str:
        capacity, contract = self._snapshot.capacity, self._snapshot.contract
        if not capacity.room().covers(whole._replace(watts=0)):
            return reasons.too_big(whole, capacity)
        if self._empty is None:
            self._empty = Floor(capacity, EVER)
        if self._empty.place(shape, EVER, EVER) is None:
            return reasons.never_on_nodes(shape, capacity)
        if contract is not None and whole.watts + self.idle > contract.watts:
            return reasons.too_hungry(whole, contract, self.idle)
        return ""


def _placed_first(running: Running) -> tuple[bool, int, int, str]:
    """Then the largest, which have the fewest places to go."""
    shape = running.shape
    return running.placed is None, -shape.gpus_milli_in_all, -shape.cpus_in_all, running.job
