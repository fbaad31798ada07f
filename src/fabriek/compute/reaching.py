"""Reaching into a job that runs: a signal for it, or the wish that it be run again."""

from fabriek.audit.service import Audit
from fabriek.compute.executors.contract import Executor, Hears
from fabriek.compute.jobs import Job, State, may_run_again
from fabriek.compute.ports import Jobs
from fabriek.compute.progress import handle_of
from fabriek.compute.service import Compute
from fabriek.compute.terms import SIGNALS
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, Unavailable, WrongState
from fabriek.schemas.node import RUN_AGAIN, STEPS


class Reaching:
    """Only jobs that run can be reached; who may cancel a job may also do this."""

    def __init__(self, compute: Compute, jobs: Jobs, executor: Executor, audit: Audit) -> None:
        self._compute, self._jobs, self._executor, self._audit = compute, jobs, executor, audit

    def signal(self, project_ref: str, job_id: str, name: str, *, by: Caller) -> Job:
        """`USR1`, or `steps:USR1` for all that its command started. Raises InvalidInput, WrongState where it does not run."""
        if name.removeprefix(STEPS) not in (*SIGNALS, "CONT"):
            raise InvalidInput(f"{name!r} is not a signal for jobs", fix=f"one of {', '.join(SIGNALS)}")
        return self._tell(project_ref, job_id, name, "job.signalled", by)

    def run_again(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """Stops it and puts it back into the queue. Raises WrongState where it does not run, or has used up its requeues."""
        job = self._compute.get(project_ref, job_id, by=by)
        if not may_run_again(job):
            raise WrongState(
                f"job {job.id} may not run again: it has done so {job.requeues} of {job.terms.requeues_max} times",
                fix="submit it with --requeue N",
            )
        return self._tell(project_ref, job_id, RUN_AGAIN, "job.requeued", by)

    def _tell(self, project_ref: str, job_id: str, word: str, action: str, by: Caller) -> Job:
        job = self._compute.get(project_ref, job_id, by=by)
        require(by, "job.cancel", project=job.project)
        if job.state is not State.RUNNING:
            raise WrongState(f"job {job.id} is {job.state} and cannot hear", fix=f"fabriek job why {job.id}")
        if not isinstance(self._executor, Hears):
            raise Unavailable("this executor cannot speak to jobs that run", fix="cancel it, and submit it again")
        self._executor.tell(handle_of(job), word)
        with self._jobs.transaction():
            self._audit.record(action, job.id, by, project=job.project, word=word)
        return job
