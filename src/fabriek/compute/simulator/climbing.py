"""The power ladder in a replay: limits that become known while jobs run, and who makes room for them in time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fabriek.compute.power import Contract, Limit, PowerTable, draw
from fabriek.compute.powering.ladder import Act, Standing, Step, climb
from fabriek.compute.simulator.outcomes import Placed
from fabriek.funding.policy.ladders import Ladder


class Climbing:
    """`known`: the limits that anybody knows of at the moment; `looks`: when somebody has to look again, the next of them last. A replay caps
    nobody: it does not know how much slower a job would be.
    """

    def __init__(
        self, limits: Sequence[Limit], table: PowerTable, idle_watts: int, contract: Contract | None, ladder: Ladder | None
    ) -> None:  # fmt: skip
        self._table, self._idle, self._contract = table, idle_watts, contract
        self._ladder = replace(ladder, cap_part=0) if ladder else None
        self.known = [limit for limit in limits if limit.known_from is None]
        self._coming = sorted(
            (limit for limit in limits if limit.known_from is not None), key=_known_from, reverse=True
        )
        self.looks = sorted({at for limit in self._coming for at in self._when(limit)}, reverse=True)

    def told(self, now: datetime) -> list[Limit]:
        """The limits that have become known since."""
        found = []
        while self._coming and _known_from(self._coming[-1]) <= now:
            found.append(self._coming.pop())
        if found:
            self.known = [limit for limit in self.known if limit.ends > now] + found
        return found

    def acts(self, standing: Iterable[Placed], now: datetime) -> tuple[Act, ...]:
        """Who has to go now; nobody where it is not the time to look."""
        if not self.looks or self.looks[-1] > now:
            return ()
        while self.looks and self.looks[-1] <= now:
            self.looks.pop()
        there = [self._one(one) for one in standing]
        found = climb(there, self._idle, self._contract, self.known, self._ladder, now)
        return tuple(act for act in found.acts if act.step in {Step.SUSPEND, Step.DRAIN})

    def _one(self, placed: Placed) -> Standing:
        row, watts = placed.row, draw(placed.row.shape, self._table)
        ends = placed.started_at + timedelta(seconds=row.shape.wall_seconds_max)
        return Standing(
            row.job, row.priority, watts, ends, 0, watts, watts, begun_at=placed.started_at, preemptible=row.preemptible
        )  # fmt: skip

    def _when(self, limit: Limit) -> list[datetime]:
        """When it becomes known, when those have to go that can be put back, when the others, and when it begins."""
        known = _known_from(limit)
        leads = (self._ladder.suspend_seconds, self._ladder.drain_seconds, 0) if self._ladder else ()
        times = (limit.starts - timedelta(seconds=lead) for lead in leads)
        return [known, *(at for at in times if at > known)]


def _known_from(limit: Limit) -> datetime:
    assert limit.known_from is not None
    return limit.known_from
