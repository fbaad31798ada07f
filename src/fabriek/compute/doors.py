"""Doors of sessions: jobs that serve a web app. Only who started a session may go in, while it runs and the project is theirs to work in."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fabriek.access.login.job_secrets import JobSecrets
from fabriek.audit.service import Audit
from fabriek.compute.admission import admit
from fabriek.compute.costs import check_wall, worst_cost
from fabriek.compute.decisions import Because
from fabriek.compute.executors.contract import Executor, Reaches
from fabriek.compute.jobs import Job, State
from fabriek.compute.ports import Jobs
from fabriek.compute.progress import Progress, handle_of
from fabriek.compute.submission import Submission
from fabriek.compute.walls import on_other_host
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, Unavailable, WrongState, nothing_here
from fabriek.schemas.node import EXTEND, PORT_SOCKET, SHELL_SOCKET
from fabriek.vault.agreeing.agreements import DataRight

WALL_SECONDS_MAX = 120 * 3_600
WAITING_FOR_ROOM = frozenset({Because.NO_ROOM, Because.POWER, Because.BEHIND, Because.SHARE})


class Doors:
    """Ways into a job that runs."""

    def __init__(
        self, submission: Submission, jobs: Jobs, progress: Progress, executor: Executor, secrets: JobSecrets, audit: Audit
    ) -> None:  # fmt: skip
        self._submission, self._jobs, self._progress = submission, jobs, progress
        self._executor, self._secrets, self._audit = executor, secrets, audit

    def code_for(self, project_ref: str, job_id: str, *, by: Caller) -> str:
        """A code that opens the job's door once, within a minute, for who started it. Raises NotPermitted, WrongState."""
        project = self._submission.access.project(project_ref)
        # Whoever is in a session runs what they like there: a token that may only look must not get in.
        require(by, "job.submit", project=project.id)
        job = self._jobs.get(job_id)
        if job.project != project.id:
            raise NotFound("there is no such job", fix="fabriek job ls")
        self._check(job, by)
        self._room(job)
        with self._jobs.transaction():
            code = self._secrets.issue_door(by.person, job.id, job.project, through=by.credential)
            self._audit.record("session.opened", job.id, by, project=job.project)
        return code

    def behind(self, job_id: str, *, by: Caller) -> Path:
        """The socket of the app. Raises WrongState for a job that serves none, and what `code_for` raises."""
        job = self._known(job_id, by)
        if not job.terms.port:
            raise WrongState(f"job {job.id} serves nothing", fix="submit it with --port N")
        return self._room(job) / PORT_SOCKET

    def shell_of(self, job_id: str, *, by: Caller) -> Path:
        """The socket at which a shell within the job answers."""
        return self._room(self._known(job_id, by)) / SHELL_SOCKET

    def extend(self, project_ref: str, job_id: str, seconds: int, *, by: Caller) -> Job:
        """More time for a job that runs, if its credits cover it and nobody waits for the room.

        Raises WrongState, CreditsExhausted, InvalidInput beyond the longest a job may run.
        """
        project = self._submission.access.project(project_ref)
        require(by, "job.submit", project=project.id)
        if not isinstance(self._executor, Reaches):
            raise Unavailable("this executor cannot speak to jobs that run", fix="submit it again with more --time")
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.project != project.id:
                raise NotFound("there is no such job", fix="fabriek job ls")
            self._check_running(job)
            longer = replace(job, wall_seconds_max=job.wall_seconds_max + seconds)
            if not seconds > 0 or longer.wall_seconds_max > WALL_SECONDS_MAX:
                raise InvalidInput("a job runs for 120 hours at most", fix="end it, and start another")
            self._check_nobody_waits()
            held = self._hold(longer)
            self._jobs.save(replace(longer, held_micro=held))
            until = self._submission.clock.now() + timedelta(seconds=longer.shape.wall_seconds_max, hours=2)
            self._secrets.extend(job.id, until)
            self._audit.record("job.extended", job.id, by, project=job.project, seconds=seconds)
            # Within the transaction: said twice it is harmless, and a job that is not told would be stopped though it has paid.
            self._executor.tell(handle_of(job), f"{EXTEND}{longer.wall_seconds_max}")
        return self._jobs.get(job_id)

    def _hold(self, job: Job) -> int:
        parts = self._submission
        on = job.submitted_at.astimezone(parts.machine.zone).date()
        check_wall(job, parts.machine, on)
        cost = worst_cost(job, parts.machine, on)
        return parts.funding.raise_hold(job.id, cost.amount_micro).amount_micro

    def _check_nobody_waits(self) -> None:
        now = self._submission.clock.now()
        if any(one.code in WAITING_FOR_ROOM for one in admit(self._progress.snapshot(), now)):
            raise WrongState(
                "others wait for the room that this job has", fix="save your work; start another session later"
            )

    def _known(self, job_id: str, by: Caller) -> Job:
        try:
            job = self._jobs.get(job_id)
        except NotFound:
            raise nothing_here() from None
        if not by.may("job.view", project=job.project):
            raise nothing_here()
        self._check(job, by)
        return job

    def _check(self, job: Job, by: Caller) -> None:
        if job.person != by.person:
            raise NotPermitted(
                "a session is for who started it",
                rule="session.owner",
                fix="start one of your own: fabriek session start",
            )
        self._check_running(job)
        parts = self._submission
        if parts.labels.withholds_logs(job.label):
            # Where even the output waits for a release, a screen into the job is for who may look at the data itself.
            read = [one.dataset for one in job.inputs]
            parts.vault.require_right(read, DataRight.VIEW, project=job.project, purpose=job.purpose, by=by)

    def _check_running(self, job: Job) -> None:
        if job.state is not State.RUNNING:
            raise WrongState(f"job {job.id} is {job.state}", fix=f"fabriek job why {job.id}")

    def _room(self, job: Job) -> Path:
        if not isinstance(self._executor, Reaches):
            raise on_other_host()
        return self._executor.door(handle_of(job))
