"""One way in which it may go on from an instant: how long each job runs that stands or waits, and who comes yet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.forecasting.past import LEAST_SECONDS, Came, Lengths, Owner, Ran

COMES = "+"
"""Before the name of a job that is imagined to come: no job that is there has it."""

NOBODY = Owner()


class Future(Protocol):
    """Seconds are asked for once of each job."""

    def ends(self, running: Running, now: datetime) -> datetime:
        """When one that stands is gone."""

    def runs(self, waiting: Waiting) -> timedelta:
        """How long one will run that waits, or that comes."""

    def comes(self) -> Iterator[Waiting]:
        """Who is submitted from now on, in order."""


class AsAsked:
    """Each runs for as long as it asked, and nobody comes: what backfilling plans with."""

    def ends(self, running: Running, now: datetime) -> datetime:
        return max(running.ends, now)

    def runs(self, waiting: Waiting) -> timedelta:
        return timedelta(seconds=waiting.shape.wall_seconds_max)

    def comes(self) -> Iterator[Waiting]:
        return iter(())


@dataclass(slots=True)
class Drawn:
    """Each runs for as long as jobs of its owner did, and those come that came weeks ago. `number`: which of the ways it is. `ran`: how long an
    earlier job ran; None where nobody knows. `chance`: the same one draws the same.
    """

    number: int
    now: datetime
    lengths: Lengths
    came: Came
    owners: Mapping[str, Owner]
    ran: Callable[[Ran], float | None]
    chance: Random
    _imagined: dict[str, float] = field(default_factory=dict)

    def ends(self, running: Running, now: datetime) -> datetime:
        asked = float(running.shape.wall_seconds_max)
        begun = running.ends - timedelta(seconds=asked)
        stood = max(0.0, (now - begun).total_seconds())
        drawn = self.lengths.draw(self.owners.get(running.job, NOBODY), asked, self.chance, beyond=stood)
        return max(now, begun + timedelta(seconds=drawn))

    def runs(self, waiting: Waiting) -> timedelta:
        seconds = self._imagined.get(waiting.job)
        if seconds is None:
            owner, asked = self.owners.get(waiting.job, NOBODY), float(waiting.shape.wall_seconds_max)
            seconds = self.lengths.draw(owner, asked, self.chance)
        return timedelta(seconds=seconds)

    def comes(self) -> Iterator[Waiting]:
        back = self.came.back(self.now, self.number)
        if back is None:
            return
        for number, one in enumerate(self.came.since(self.now - back, self.now), 1):
            name, asked, ran = f"{COMES}{one.job}", float(one.shape.wall_seconds_max), self.ran(one)
            if ran is None:
                ran = self.lengths.draw(one.owner, asked, self.chance)
            self._imagined[name] = min(max(LEAST_SECONDS, ran), asked)
            yield Waiting(name, one.share, one.shape, one.submitted_at + back, one.priority, number=number)
