"""Which of a share's waiting jobs goes first. An order is part of the policy: a row of data names it, and the simulator compares them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fabriek.compute.contenders import Waiting
from fabriek.compute.jobs import Priority
from fabriek.compute.sharing.use import ShareUse

RANK = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.ECO: 2}

Key = Callable[[Waiting], Any]


class Order(Protocol):
    """No two jobs have the same place: their ids are in it last."""

    def key(self, queued: Iterable[Waiting], use: ShareUse, now: datetime) -> Key:
        """What those that wait now are sorted by; the least goes first."""


@dataclass(frozen=True, slots=True)
class FirstCome:
    """Urgent before normal before eco, then who came first."""

    def key(self, queued: Iterable[Waiting], use: ShareUse, now: datetime) -> Key:  # noqa: ARG002  # who came first depends on nothing
        return _came


@dataclass(frozen=True, slots=True)
class Stretch:
    """Urgent before normal before eco, then by what a wait costs, the largest first:

        (waited + `head_start_seconds`) / (length^`length_power` · part of the machine^`part_power`) / (1 + `recent_weight` · its owner's recent part)

    An hour's wait is much for a job of a minute, and little for one of a day on half of the machine. The length is what the job asks
    for, and counts as `shortest_seconds` at least. None starves: the one that came first goes before all others but urgent ones once it has waited
    longer than `overdue_seconds`, and than `overdue_waits` times what those that stand had waited.
    """

    head_start_seconds: float = 3_600
    length_power: float = 1.25
    part_power: float = 0.75
    shortest_seconds: float = 60
    overdue_seconds: float = 129_600
    overdue_waits: float = 1.5
    recent_weight: float = 1.0

    def key(self, queued: Iterable[Waiting], use: ShareUse, now: datetime) -> Key:
        patience = max(self.overdue_seconds, self.overdue_waits * use.wait_seconds_mean)
        oldest = min(queued, key=_age, default=None)
        is_overdue = oldest is not None and (now - oldest.submitted_at).total_seconds() > patience
        overdue = oldest.job if oldest is not None and is_overdue else ""
        costs, heavy, weight = use.noted, dict[str, float](), self.recent_weight
        recent = use.recent if weight else None

        def place(waiting: Waiting) -> tuple[int, int, float, datetime, int, str]:
            cost = costs.get(waiting.job)
            if cost is None:
                length = max(float(waiting.shape.wall_seconds_max), self.shortest_seconds)
                cost = length**self.length_power * use.part(waiting.shape) ** self.part_power
                costs[waiting.job] = cost
            worth = ((now - waiting.submitted_at).total_seconds() + self.head_start_seconds) / cost
            if recent is not None:
                owner = waiting.owner
                if owner not in heavy:
                    heavy[owner] = 1.0 + weight * recent.mean(owner, now)
                worth /= heavy[owner]
            rank = RANK[waiting.priority]
            first = 0 if rank == 0 else 1 if waiting.job == overdue else 2
            return first, rank, -worth, waiting.submitted_at, waiting.number, waiting.job

        return place


DECIDES_HERE: Order = Stretch()
"""By which jobs are let in on this machine."""


def _came(waiting: Waiting) -> tuple[int, datetime, int, str]:
    return RANK[waiting.priority], waiting.submitted_at, waiting.number, waiting.job


def _age(waiting: Waiting) -> tuple[datetime, int, str]:
    return waiting.submitted_at, waiting.number, waiting.job
