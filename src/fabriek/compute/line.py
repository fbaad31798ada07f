"""Those that wait, kept from step to step: the ones that are alike together, the oldest of them first. Queues are long, and mostly alike."""

from collections.abc import Iterator
from datetime import datetime

from fabriek.compute.contenders import Waiting
from fabriek.compute.jobs import Priority, Shape
from fabriek.compute.schedule import Need

Likeness = tuple[str, Priority, Shape, str, str, bool]


class Alike:
    """Jobs between which no order chooses but by age: of one share, rank and shape, and of one owner where that counts. So the oldest is next,
    and where it cannot start no other can.
    """

    __slots__ = ("is_array", "jobs", "likeness", "need")

    def __init__(self, likeness: Likeness, need: Need, *, is_array: bool) -> None:
        self.likeness, self.need, self.is_array = likeness, need, is_array
        self.jobs: dict[str, Waiting] = {}

    @property
    def oldest(self) -> Waiting:
        return next(iter(self.jobs.values()))


class Line:
    """`alike`: none of them empty, and none of what can never start."""

    def __init__(self, *, by_owner: bool = False) -> None:
        """by_owner: the order makes a difference between owners."""
        self._by_owner = by_owner
        self.alike: dict[Likeness, Alike] = {}
        self._of: dict[str, Alike] = {}

    def __iter__(self) -> Iterator[Waiting]:
        return (one.oldest for one in self.alike.values())

    def add(self, waiting: Waiting, need: Need) -> None:
        """For jobs in the order in which they came, but those that come back. One with a gate stays outside: it has no turn."""
        if need.never or waiting.gate is not None:
            return
        likeness = self._likeness(waiting)
        if (found := self.alike.get(likeness)) is None:
            found = self.alike[likeness] = Alike(likeness, need, is_array=waiting.array_at_once > 0)
        if found.jobs and _age(next(reversed(found.jobs.values()))) > _age(waiting):
            found.jobs = dict(sorted([*found.jobs.items(), (waiting.job, waiting)], key=lambda one: _age(one[1])))
        else:
            found.jobs[waiting.job] = waiting
        self._of[waiting.job] = found

    def take(self, job: str) -> None:
        """It waits no more."""
        found = self._of.pop(job)
        del found.jobs[job]
        if not found.jobs:
            del self.alike[found.likeness]

    def _likeness(self, waiting: Waiting) -> Likeness:
        return (
            waiting.share, waiting.priority, waiting.shape, waiting.array if waiting.array_at_once else "",
            waiting.owner if self._by_owner else "", waiting.preemptible,
        )  # fmt: skip


def _age(waiting: Waiting) -> tuple[datetime, int, str]:
    return waiting.submitted_at, waiting.number, waiting.job
