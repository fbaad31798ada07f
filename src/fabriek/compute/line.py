"""Those that wait, kept from step to step: the ones that are alike together, the oldest of them first. Queues are long, and mostly alike."""

import heapq
import itertools
from collections.abc import Iterator
from datetime import datetime

from fabriek.compute.capacity import Room
from fabriek.compute.contenders import Waiting
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.schedule import Need

RANK = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.ECO: 2}

Likeness = tuple[str, Priority, Shape, str, str, bool]
Age = tuple[datetime, int, str]


class Alike:
    """Jobs between which no order chooses but by age: of one share, rank and shape, and of one owner where that counts. So the oldest is next,
    and where it cannot start no other can. `first`: its id.
    """

    __slots__ = ("first", "is_array", "jobs", "likeness", "need", "owner", "rank", "share")

    def __init__(self, likeness: Likeness, need: Need, *, is_array: bool) -> None:
        self.likeness, self.need, self.is_array = likeness, need, is_array
        self.share, self.owner, self.rank = likeness[0], likeness[4], RANK[likeness[1]]
        self.jobs: dict[str, Waiting] = {}
        self.first = ""

    @property
    def oldest(self) -> Waiting:
        return self.jobs[self.first]

    def add(self, waiting: Waiting) -> None:
        if self.jobs and age(next(reversed(self.jobs.values()))) > age(waiting):
            self.jobs = dict(sorted([*self.jobs.items(), (waiting.job, waiting)], key=lambda one: age(one[1])))
        else:
            self.jobs[waiting.job] = waiting
        self.first = next(iter(self.jobs))

    def take(self, job: str) -> None:
        del self.jobs[job]
        if job == self.first:
            self.first = next(iter(self.jobs), "")


class Line:
    """`alike`: by the room that they need, none of them empty, and none of what can never start."""

    def __init__(self, *, by_owner: bool = False) -> None:
        """by_owner: the order makes a difference between owners."""
        self._by_owner = by_owner
        self.alike: dict[Room, dict[Likeness, Alike]] = {}
        self._of: dict[str, Alike] = {}
        self._ages: list[tuple[Age, int, Waiting]] = []
        self._count = itertools.count()

    def __iter__(self) -> Iterator[Alike]:
        return (one for some in self.alike.values() for one in some.values())

    @property
    def oldest(self) -> Waiting | None:
        """The one that came first; None where nobody waits."""
        while self._ages and self._ages[0][2].job not in self._of:
            heapq.heappop(self._ages)
        return self._ages[0][2] if self._ages else None

    @property
    def only(self) -> Alike | None:
        """Of whom all are that wait; None where they are of several kinds, or nobody waits."""
        if len(self.alike) != 1:
            return None
        (some,) = self.alike.values()
        return next(iter(some.values())) if len(some) == 1 else None

    def may_fit(self, free: tuple[int, int, int, int]) -> bool:
        """Whether what any of them needs is free at this moment, on the machine as a whole."""
        cpus, gpus, memory, watts = free
        for room in self.alike:  # noqa: SIM110  # at every event of a replay, and a generator takes three times as long
            if room[0] <= cpus and room[1] <= gpus and room[2] <= memory and room[3] <= watts:
                return True
        return False

    def add(self, waiting: Waiting, need: Need) -> None:
        """For jobs in the order in which they came, but those that come back. One with a gate stays outside: it has no turn."""
        if need.never or waiting.gate is not None:
            return
        likeness, room = self._likeness(waiting), self.alike.setdefault(need.whole, {})
        if (found := room.get(likeness)) is None:
            found = room[likeness] = Alike(likeness, need, is_array=waiting.array_at_once > 0)
        found.add(waiting)
        self._of[waiting.job] = found
        heapq.heappush(self._ages, (age(waiting), next(self._count), waiting))

    def take(self, job: str) -> None:
        """It waits no more."""
        found = self._of.pop(job)
        found.take(job)
        if not found.jobs:
            room = self.alike[found.need.whole]
            del room[found.likeness]
            if not room:
                del self.alike[found.need.whole]

    def _likeness(self, waiting: Waiting) -> Likeness:
        return (
            waiting.share, waiting.priority, waiting.shape, waiting.array if waiting.array_at_once else "",
            waiting.owner if self._by_owner else "", waiting.preemptible,
        )  # fmt: skip


def age(waiting: Waiting) -> Age:
    return waiting.submitted_at, waiting.number, waiting.job
