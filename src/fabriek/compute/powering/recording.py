"""Keeping the record, and what meters send in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fabriek.audit.service import Audit
from fabriek.compute.jobs import ON_THE_MACHINE
from fabriek.compute.machine import Machine
from fabriek.compute.ports import Jobs, PowerLimits
from fabriek.compute.power import Limit, draw, expected_draw, idle_watts, lowest
from fabriek.compute.powering import readings as noun
from fabriek.compute.powering.ports import Quarters, Readings
from fabriek.compute.powering.quarters import LENGTH, Quarter, begin_of, closed, counted
from fabriek.compute.powering.readings import APART_MAX, Reading, watts_within
from fabriek.compute.powering.work import parts_of
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput

BACK_MAX = timedelta(days=14)
"""After a longer stop the quarters before are left out: nobody would read them."""

SPAN_MAX = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Any number of workers may look: what lies between two looks is counted once."""

    quarters: Quarters
    readings: Readings
    jobs: Jobs
    limits: PowerLimits
    machine: Machine
    audit: Audit
    clock: Clock

    def look(self) -> Sequence[Quarter]:
        """Counts what stands until now, closes what has ended, those that a stop left out among them. Those that were above what was allowed and that
        nobody was told of; each once.
        """
        now = self.clock.now()
        planned, expected = self._planned()
        with self.jobs.transaction(alone="power_record"):
            last = self.quarters.last()
            if last is None or now - last.ends_at > BACK_MAX:
                last = Quarter(begin_of(now), now)
            over = []
            while last.ends_at <= now:
                if not last.closed:
                    last = self._close(counted(last, last.ends_at, planned, expected))
                    over += [last] if last.is_over else []
                last = Quarter(last.ends_at, last.ends_at)
            last = counted(last, now, planned, expected)
            self.quarters.put(replace(last, allowed_watts=self._allowed(last)))
        return over

    def take(self, reading: Reading, *, by: Caller) -> Reading:
        """Of a meter. Idempotent. Raises InvalidInput, AlreadyExists. What is told of a quarter that is closed sets it right."""
        require(by, "power.meter")
        noun.check(reading, self.clock.now())
        with self.jobs.transaction(alone="power_record"):
            kept = self.readings.at(reading.meter, reading.at)
            if kept is not None:
                noun.same(kept, reading)
                return kept
            self.readings.add(reading)
            first = begin_of(reading.at - APART_MAX)
            for one in self.quarters.within(first, reading.at + LENGTH):
                if one.closed:
                    self._close(one)
        return reading

    def record(self, begin: datetime, end: datetime, *, by: Caller) -> Sequence[Quarter]:
        """Oldest first; that which is not over is told as far as it is. Raises InvalidInput."""
        require(by, "machine.view")
        if end <= begin or end - begin > SPAN_MAX:
            raise InvalidInput(
                f"a record is asked for over 1 to {SPAN_MAX.days} days, and ends after it begins",
                fix="--from before --to",
            )
        return self.quarters.within(begin_of(begin), end)

    def latest(self, hours: int) -> Sequence[Quarter]:
        """For the machine's page, which everybody may see."""
        now = self.clock.now()
        return self.quarters.within(begin_of(now - timedelta(hours=hours)), now)

    def _planned(self) -> tuple[int, int]:
        """Watts that stand now, as they are planned, and as they are expected by what was measured."""
        today = self.clock.today()
        table, parts = self.machine.table(today), parts_of(self.machine.works_on(today))
        standing = [(job.shape, parts.get(job.terms.work)) for job in self.jobs.in_states(ON_THE_MACHINE)]
        idle = idle_watts(table, self.machine.capacity.nodes)
        planned = idle + sum(draw(shape, table) for shape, _ in standing)
        return planned, idle + sum(expected_draw(shape, table, part) for shape, part in standing)

    def _close(self, quarter: Quarter) -> Quarter:
        near = self.readings.within(quarter.at - APART_MAX, quarter.ends_at + APART_MAX)
        metered = watts_within(near, quarter.at, quarter.ends_at)
        done = closed(quarter, metered, self._allowed(quarter))
        if done.is_over and not done.warned:
            done = replace(done, warned=True)
            self.audit.record(
                "power.exceeded", f"{done.at:%Y%m%dT%H%MZ}", SYSTEM, drawn_watts=done.drawn_watts or 0, allowed_watts=done.allowed_watts or 0
            )  # fmt: skip
        self.quarters.put(done)
        return done

    def _allowed(self, quarter: Quarter) -> int | None:
        announced = self.limits.from_on(quarter.at)
        held = [Limit(one.starts_at, one.ends_at, one.watts) for one in announced if one.ends_at > one.starts_at]
        return lowest(self.machine.contract, held, quarter.at, quarter.ends_at)
