"""What a quarter's jobs would have made of other shares: for funders, before they agree to a change."""

from collections.abc import Mapping
from datetime import date, datetime, time

from fabriek.compute.machine import Machine
from fabriek.compute.ports import JobStatistics
from fabriek.compute.simulator import replay
from fabriek.compute.simulator.outcomes import compare
from fabriek.compute.simulator.replay import Policy
from fabriek.compute.simulator.traces import trace_of
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.policy.effects import Rehearsed, Replayed

JOBS_MAX = 500
"""Of a quarter the latest. A person waits for the answer, and a replay asks admission at every start and end."""


class Rehearsing:
    """Replays real jobs through the admission that decides on them, on the machine that is there today."""

    def __init__(self, statistics: JobStatistics, machine: Machine) -> None:
        self._statistics, self._machine = statistics, machine

    def of(self, quarter: Quarter, on: date, before: Mapping[str, int], after: Mapping[str, int]) -> Rehearsed:
        begin, end = (datetime.combine(day, time(), self._machine.zone) for day in (quarter.first, quarter.next.first))
        jobs, of = self._statistics.finished_within(begin, end, limit=JOBS_MAX)
        trace = trace_of(jobs)
        if not trace:
            return Rehearsed()
        machine = replay.Machine(self._machine.capacity, self._machine.table(on), self._machine.contract)
        outcomes = [replay.replay(trace, machine, Policy(parts)) for parts in (before, after)]
        return Rehearsed(len(trace), of, {
            one.share: Replayed(
                round(one.used_before, 6), round(one.used_after, 6), round(one.wait_seconds_before, 3), round(one.wait_seconds_after, 3)
            )
            for one in compare(*outcomes)
        })  # fmt: skip
