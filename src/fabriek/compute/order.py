"""Which of a share's waiting jobs goes first. An order is part of the policy: a row of data names it, and the simulator compares them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from fabriek.compute.contenders import Waiting
from fabriek.compute.line import RANK, Alike, age
from fabriek.compute.sharing.use import ShareUse

Key = Callable[[Waiting], Any]


class Order(Protocol):
    """`ends_apart`: jobs that would leave at the same instant are planned to leave one after the other, in the order in which they came."""

    ends_apart: ClassVar[bool]

    def key(self, oldest: Waiting | None, use: ShareUse, now: datetime) -> Key:
        """What those that wait now are sorted by; the least goes first. No two jobs have the same place: their ids are in it last. oldest: of all
        that wait.
        """

    def firsts(
        self, alikes: Iterable[Alike], oldest: Waiting | None, use: ShareUse, now: datetime
    ) -> Collection[Alike]:
        """Of each share those that go first of all these."""


@dataclass(frozen=True, slots=True)
class FirstCome:
    """Urgent before normal before eco, then who came first."""

    ends_apart: ClassVar[bool] = True

    def key(self, oldest: Waiting | None, use: ShareUse, now: datetime) -> Key:  # noqa: ARG002  # who came first depends on nothing
        return _came

    def firsts(self, alikes: Iterable[Alike], *_: Any) -> Collection[Alike]:
        first: dict[str, tuple[Any, Alike]] = {}
        for one in alikes:
            place = _came(one.oldest)
            if one.share not in first or place < first[one.share][0]:
                first[one.share] = place, one
        return [one for _, one in first.values()]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Urgent before normal before eco, then by what a wait costs, the largest first:

        (waited + `head_start_seconds`) / (length^`length_power` · part of the machine^`part_power`) / (1 + `recent_weight` · its owner's recent part)

    An hour's wait is much for a job of a minute, and little for one of a day on half of the machine. The length is what the job asks
    for, and counts as `shortest_seconds` at least. None starves: the one that came first goes before all others but urgent ones once it has waited
    longer than `overdue_seconds`, and than `overdue_waits` times what those that stand had waited.
    """

    ends_apart: ClassVar[bool] = False

    head_start_seconds: float = 3_600
    length_power: float = 1.25
    part_power: float = 0.75
    shortest_seconds: float = 60
    overdue_seconds: float = 129_600
    overdue_waits: float = 1.45
    recent_weight: float = 0.5

    def key(self, oldest: Waiting | None, use: ShareUse, now: datetime) -> Key:
        overdue = self._overdue(oldest, use, now)
        until, notes, weights = (
            now.timestamp() + self.head_start_seconds,
            use.noted,
            _Weights(self, use, now.timestamp()),
        )

        def place(waiting: Waiting) -> tuple[int, int, float, datetime, int, str]:
            since, cost = notes.get(waiting.job) or self._note(waiting, use)
            rank = RANK[waiting.priority]
            first = 0 if rank == 0 else 1 if waiting.job == overdue else 2
            worth = (until - since) / cost / weights[waiting.owner]
            return first, rank, -worth, waiting.submitted_at, waiting.number, waiting.job

        return place

    def firsts(
        self, alikes: Iterable[Alike], oldest: Waiting | None, use: ShareUse, now: datetime
    ) -> Collection[Alike]:
        """Asked in every round about all that wait, of which there may be ten thousand: only those that are as good as the best get a whole key."""
        overdue = self._overdue(oldest, use, now)
        until, notes, weights = (
            now.timestamp() + self.head_start_seconds,
            use.noted,
            _Weights(self, use, now.timestamp()),
        )
        best: dict[tuple[str, int], tuple[float, list[Alike]]] = {}
        for one in alikes:
            job = one.first
            since, cost = notes.get(job) or self._note(one.oldest, use)
            of = one.share, -1 if job == overdue else one.rank
            worth, found = (until - since) / cost / weights[one.owner], best.get(of)
            if found is None or worth > found[0]:
                best[of] = worth, [one]
            elif worth == found[0]:
                found[1].append(one)
        of_share: dict[str, list[Alike]] = {}
        for (share, _), (_, some) in best.items():
            of_share.setdefault(share, []).extend(some)
        if len(of_share) == sum(map(len, of_share.values())):
            return [one for [one] in of_share.values()]
        key = self.key(oldest, use, now)
        return [min(some, key=lambda one: key(one.oldest)) for some in of_share.values()]

    def _overdue(self, oldest: Waiting | None, use: ShareUse, now: datetime) -> str:
        """The job that came first, once it has waited too long; else empty."""
        patience = max(self.overdue_seconds, self.overdue_waits * use.wait_seconds_mean)
        return oldest.job if oldest is not None and (now - oldest.submitted_at).total_seconds() > patience else ""

    def _note(self, waiting: Waiting, use: ShareUse) -> tuple[float, float]:
        """When it came, and what its wait is divided by."""
        cost = use.costs.get(waiting.shape)
        if cost is None:
            length = max(float(waiting.shape.wall_seconds_max), self.shortest_seconds)
            cost = use.costs[waiting.shape] = length**self.length_power * use.part(waiting.shape) ** self.part_power
        found = use.noted[waiting.job] = waiting.submitted_at.timestamp(), cost
        return found


class _Weights(dict[str, float]):
    """Owner → by how much its jobs weigh less for what it used lately."""

    def __init__(self, order: Stretch, use: ShareUse, second: float) -> None:
        super().__init__()
        self._weight, self._recent, self._second = order.recent_weight, use.recent, second

    def __missing__(self, owner: str) -> float:
        found = self[owner] = 1.0 + self._weight * (
            self._recent.mean(owner, self._second) if self._recent is not None else 0.0
        )
        return found


DECIDES_HERE: Order = Stretch()
"""By which jobs are let in on this machine."""


def oldest_of(queued: Iterable[Waiting]) -> Waiting | None:
    """The one that came first; None of nobody."""
    return min(queued, key=age, default=None)


def _came(waiting: Waiting) -> tuple[int, datetime, int, str]:
    return RANK[waiting.priority], waiting.submitted_at, waiting.number, waiting.job
