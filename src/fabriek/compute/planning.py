"""What would become of a job: submitted and decided for real, in a transaction that is then undone."""

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from fabriek.compute.admission import admit
from fabriek.compute.jobs import Job
from fabriek.compute.ports import Jobs
from fabriek.compute.progress import Progress
from fabriek.compute.requests import JobAsked
from fabriek.compute.service import Compute
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class Plan:
    """`job` as it would be queued. `starts_now`, `reason` and `until` are the first decision on it; `left_micro` is what its project
    would have left of the job's resource, the worst case of this job taken off.
    """

    job: Job
    starts_now: bool
    reason: str
    until: datetime | None
    left_micro: int


class Planner:
    """Asks the very code that submits and admits, so that a plan cannot say otherwise than the act."""

    def __init__(self, jobs: Jobs, compute: Compute, progress: Progress, funding: Funding, clock: Clock) -> None:
        self._jobs, self._compute, self._progress, self._funding, self._clock = jobs, compute, progress, funding, clock

    def plan(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Plan:
        """Raises what `submit` would raise: the rule that stops the job, or the credits that are left."""
        try:
            with self._jobs.transaction():
                self._undo(self._planned(self._compute.submit(project_ref, asked, by=by)))
        except _Undone as undone:
            return undone.plan

    def _undo(self, plan: Plan) -> NoReturn:
        raise _Undone(plan)

    def _planned(self, job: Job) -> Plan:
        decisions = admit(self._progress.snapshot(), self._clock.now())
        decided = next(one for one in decisions if one.job == job.id)
        left = sum(one.left for one in self._funding.left(job.project) if str(one.resource) == job.resource)
        return Plan(job, decided.starts, decided.reason, decided.until, left)


class _Undone(Exception):  # not an error: the way out of a transaction that must leave nothing
    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
