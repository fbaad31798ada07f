"""What would become of a job: submitted and decided for real, in a transaction that is then undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from fabriek.compute.admission import admit
from fabriek.compute.jobs import Job
from fabriek.compute.progress import Progress
from fabriek.compute.requests import JobAsked
from fabriek.compute.submission import Submission
from fabriek.kernel.callers import Caller


@dataclass(frozen=True, slots=True)
class Plan:
    """`job` as it would be queued, of an array the first element. `starts_now`, `reason` and `until` are the first decision on it.
    `elements`: how many jobs it would be, and `starting` how many of them start now. `held_micro` is the worst case of all together,
    `left_micro` what the project would have left of that resource beside it.
    """

    job: Job
    elements: int
    starting: int
    held_micro: int
    starts_now: bool
    reason: str
    until: datetime | None
    left_micro: int


class Planner:
    """Asks the very code that submits and admits, so that a plan cannot say otherwise than the act."""

    def __init__(self, submission: Submission, progress: Progress) -> None:
        self._submission, self._progress = submission, progress
        self._jobs, self._funding, self._clock = submission.jobs, submission.funding, submission.clock

    def plan(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Plan:
        """Raises what `submit` would raise: the rule that stops the job, or the credits that are left."""
        try:
            with self._jobs.transaction():
                self._undo(self._planned(self._submission.submit(project_ref, asked, by=by)))
        except _Undone as undone:
            return undone.plan

    def would_be(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Job:
        """The job as it would be queued, of an array the first element; nothing of it stays. Raises what `submit` would raise."""
        try:
            with self._jobs.transaction():
                self._leave(self._submission.submit(project_ref, asked, by=by)[0])
        except _Queued as queued:
            return queued.job

    def _leave(self, job: Job) -> NoReturn:
        raise _Queued(job)

    def _undo(self, plan: Plan) -> NoReturn:
        raise _Undone(plan)

    def _planned(self, new: Sequence[Job]) -> Plan:
        job, ids = new[0], {one.id for one in new}
        decisions = [one for one in admit(self._progress.snapshot(), self._clock.now()) if one.job in ids]
        decided = next(one for one in decisions if one.job == job.id)
        left = sum(one.left for one in self._funding.left(job.project) if str(one.resource) == job.resource)
        held = sum(one.held_micro for one in new)
        starting = sum(one.starts for one in decisions)
        return Plan(job, len(new), starting, held, decided.starts, decided.reason, decided.until, left)


class _Undone(Exception):  # not an error: the way out of a transaction that must leave nothing
    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class _Queued(Exception):  # the same way out
    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
