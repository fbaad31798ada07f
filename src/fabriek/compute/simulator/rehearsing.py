"""What a quarter's jobs would have made of another policy: for funders, before they agree to a change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from fabriek.compute.costs import real_cost
from fabriek.compute.jobs import Job
from fabriek.compute.machine import Machine
from fabriek.compute.order import DECIDES_HERE
from fabriek.compute.ports import JobStatistics
from fabriek.compute.powering.work import parts_of
from fabriek.compute.sharing.agreed import agreed
from fabriek.compute.simulator import replay
from fabriek.compute.simulator.outcomes import Outcome, compare
from fabriek.compute.simulator.replay import Policy
from fabriek.compute.simulator.traces import trace_of
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.comparing import View
from fabriek.funding.policy.effects import Change, Rehearsed, Replayed
from fabriek.funding.policy.purposes import may_pay
from fabriek.funding.resources import Resource

JOBS_MAX = 300
"""Of a quarter the latest. A person waits for the answer, and a replay asks admission at every start and end."""


@dataclass(frozen=True, slots=True)
class _Run:
    """The quarter under one policy."""

    outcome: Outcome
    jobs: Mapping[str, int]
    charged: Mapping[tuple[str, Resource], int]


class Rehearsing:
    """Replays real jobs through the admission that decides on them, on the machine that is there today."""

    def __init__(self, statistics: JobStatistics, machine: Machine) -> None:
        self._statistics, self._machine = statistics, machine

    def of(self, quarter: Quarter, shares: Sequence[Share], before: View, after: View) -> Rehearsed:
        begin, end = (datetime.combine(day, time(), self._machine.zone) for day in (quarter.first, quarter.next.first))
        jobs, of = self._statistics.finished_within(begin, end, limit=JOBS_MAX)
        if not jobs:
            return Rehearsed()
        was, becomes = (self._run(jobs, {one.id: one for one in shares}, view) for view in (before, after))
        return Rehearsed(len(jobs), of, {
            one.share: Replayed(
                was.jobs.get(one.share, 0), becomes.jobs.get(one.share, 0), round(one.used_before, 6), round(one.used_after, 6),
                round(one.wait_seconds_before, 3), round(one.wait_seconds_after, 3), _charged(one.share, was, becomes),
            )
            for one in compare(was.outcome, becomes.outcome)
        })  # fmt: skip

    def _run(self, jobs: Sequence[Job], shares: Mapping[str, Share], view: View) -> _Run:
        """A job whose share may not pay for its purpose would not have been let in."""
        paid = [
            one
            for one in jobs
            if one.share in shares and may_pay(shares[one.share], one.purpose, view.policy.rules, view.day)
        ]
        ours = self._machine
        machine = replay.Machine(
            ours.capacity, ours.table(view.day), ours.contract, parts=parts_of(ours.works_on(view.day))
        )
        under = agreed(view, lambda: list(shares.values()))
        outcome = replay.replay(trace_of(paid), machine, Policy(under.parts, DECIDES_HERE, under.rules))
        priced, charged = replace(self._machine, rates=view.policy.rates), Counter[tuple[str, Resource]]()
        for one in paid:
            cost = real_cost(one, priced, view.day)
            charged[one.share, cost.resource] += cost.amount_micro
        return _Run(outcome, Counter(one.share for one in paid), charged)


def _charged(share: str, was: _Run, becomes: _Run) -> tuple[Change, ...]:
    return tuple(
        Change(str(resource), was.charged.get((share, resource), 0), becomes.charged.get((share, resource), 0))
        for resource in Resource
        if (share, resource) in {*was.charged, *becomes.charged}
    )
