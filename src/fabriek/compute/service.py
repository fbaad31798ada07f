"""What people may do with jobs and power. The worker's half of the work is in `progress`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute import limits, requests, sentences
from fabriek.compute.jobs import ON_THE_MACHINE, Job, JobInput, Priority, State, move
from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.machine import Machine
from fabriek.compute.ports import Decisions, Jobs, JobStatistics, PowerLimits
from fabriek.compute.power import Limit, draw, envelope, idle_watts
from fabriek.compute.requests import JobAsked
from fabriek.funding.rates import worst_case
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.pages import Cursors, Page
from fabriek.kernel.purposes import Purpose
from fabriek.vault.labels import Labels
from fabriek.vault.service import Vault

STRICTNESS = (Purpose.CIVILIAN, Purpose.DUAL_USE, Purpose.EXCLUSIVELY_MILITARY)
"""A job may be stricter about its purpose than its project, never laxer: a military project does not compute on civilian money."""


@dataclass(frozen=True, slots=True)
class PowerOutlook:
    """What may be drawn now, what running jobs are planned to draw with the idle machine, and the limits from now on."""

    allowed_watts: int | None
    planned_watts: int
    limits: Sequence[AnnouncedLimit]


class Compute:
    """Submit, look, cancel; announce power limits."""

    def __init__(
        self, jobs: Jobs, statistics: JobStatistics, decisions: Decisions, power_limits: PowerLimits, *,
        access: Access, funding: Funding, vault: Vault, audit: Audit, labels: Labels,
        clock: Clock, ids: Ids, cursors: Cursors, machine: Machine, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._statistics, self._decisions, self._limits = jobs, statistics, decisions, power_limits
        self._access, self._funding, self._vault, self._audit, self._labels = access, funding, vault, audit, labels
        self._clock, self._ids, self._cursors, self._machine, self._wake = clock, ids, cursors, machine, wake

    def submit(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Job:
        """Checks right, label, agreement, purpose and credits, holds the worst case, and queues the job: all or nothing.

        Raises NotPermitted naming the rule, CreditsExhausted with what is left, InvalidInput, NotFound.
        """
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        requests.check(asked)
        purpose = _purpose(asked, project)
        now, today = self._clock.now(), self._clock.today()
        with self._jobs.transaction(alone=f"project:{project.id}"):
            inputs = self._inputs(asked, project, purpose, by)
            code = self._vault.code_for_job(asked.code, project.id, by=by) if asked.code else None
            label = self._labels.highest([one.label for one in inputs] + ([code.label] if code else []))
            self._check_sandbox(label)
            job = Job(
                id=self._ids.new("job"), project=project.id, person=by.person, name=asked.name or " ".join(asked.argv)[:100],
                purpose=purpose, argv=asked.argv, cpus=asked.cpus, gpus=asked.gpus, memory_bytes=asked.memory_bytes,
                wall_seconds_max=asked.wall_seconds_max, share="", label=label, submitted_at=now, priority=Priority(asked.priority),
                inputs=inputs, code=code.version if code else "", environment=dict(asked.environment),
                experiment=asked.experiment, requirements=asked.requirements,
            )  # fmt: skip
            cost = worst_case(
                self._machine.rates, today, gpus=job.gpus, cpus=job.cpus, wall_seconds_max=job.wall_seconds_max
            )
            held = self._funding.hold(project.id, purpose, cost.resource, cost.amount_micro, job.id)
            requests.check_fits(
                asked, self._machine.capacity
            )  # after the credits: who asks for too much of both hears of those
            queued = move(job, State.QUEUED, at=now)
            queued = replace(queued, share=held.share, resource=str(cost.resource), held_micro=held.amount_micro)
            self._jobs.add(queued)
            self._audit.record("job.submitted", job.id, by, project=project.id, label=label, share=held.share)
        self._wake()
        return queued

    def get(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """Raises NotFound, also for a job of another project."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        job = self._jobs.get(job_id)
        if job.project != project.id:
            raise NotFound("there is no such job", fix="fabriek job ls")
        return job

    def list(self, project_ref: str, *, limit: int, cursor: str, by: Caller) -> Page[Job]:
        """Newest first."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        scope = f"jobs:{project.id}"
        found = self._jobs.of_project(project.id, limit=limit + 1, before=self._cursors.read(scope, cursor))
        more = self._cursors.write(scope, found[limit - 1].id) if len(found) > limit else ""
        return Page(list(found[:limit]), more)

    def cancel(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """Ends a job that has not started; asks the machine to stop one that has. Raises WrongState when it has ended."""
        job = self.get(project_ref, job_id, by=by)
        require(by, "job.cancel", project=job.project)
        with self._jobs.transaction(alone=f"job:{job_id}"):
            job = self._jobs.get(job_id)
            if job.has_ended():
                raise WrongState(f"job {job.id} has {job.state} already", fix=f"fabriek job show {job.id}")
            if job.state in {State.STARTING, State.RUNNING}:
                stopped = replace(job, cancelling=True, reason="is being stopped")
            else:
                stopped = move(job, State.CANCELLED, at=self._clock.now(), reason="cancelled before it started")
            self._jobs.save(stopped)
            self._audit.record("job.cancelled", job.id, by, project=job.project)
        self._wake()
        return stopped

    def why(self, job: Job) -> sentences.Told:
        """One sentence: why the job is where it is."""
        decided = self._decisions.last(job.id) if job.state is State.QUEUED else None
        return sentences.told(job, decided)

    def readable_log(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """The job, if the caller may read its output. Raises NotPermitted where its label withholds logs until a release."""
        job = self.get(project_ref, job_id, by=by)
        if self._labels.withholds_logs(job.label):
            raise NotPermitted(
                f"the output of this job carries the label {job.label}",
                rule="label.logs_withheld",
                fix="ask for a release",
            )
        return job

    def count_by_state(self) -> dict[str, int]:
        return self._statistics.count_by_state()

    def finished(self, *, by: Caller) -> Sequence[Job]:
        """The latest thousand jobs that ran, for the simulator."""
        require(by, "simulate")
        return self._statistics.finished(limit=1_000)

    def limit_power(
        self, *, starts_at: datetime, ends_at: datetime, watts: int, source: str, by: Caller
    ) -> AnnouncedLimit:
        """Announces a limit. Raises InvalidInput when it has passed, or ends before it begins."""
        require(by, "power.manage")
        limit = AnnouncedLimit(self._ids.new("lim"), starts_at, ends_at, watts, source)
        limits.check(limit, self._clock.now())
        with self._jobs.transaction(alone="power"):
            self._limits.add(limit)
            self._audit.record("power.limited", limit.id, by, watts=watts)
        self._wake()
        return limit

    def end_power_limit(self, limit_id: str, *, by: Caller) -> AnnouncedLimit:
        require(by, "power.manage")
        with self._jobs.transaction(alone="power"):
            over = limits.ended(self._limits.get(limit_id), self._clock.now())
            self._limits.save(over)
            self._audit.record("power.limit_ended", limit_id, by)
        self._wake()
        return over

    def power_outlook(self) -> PowerOutlook:
        now = self._clock.now()
        announced = self._limits.from_on(now)
        table = self._machine.table(self._clock.today())
        running = self._jobs.in_states(ON_THE_MACHINE)
        planned = idle_watts(table, self._machine.capacity.nodes) + sum(draw(job.shape, table) for job in running)
        allowed = envelope(
            self._machine.contract, [Limit(one.starts_at, one.ends_at, one.watts) for one in announced], now
        )
        return PowerOutlook(allowed, planned, announced)

    def _inputs(self, asked: JobAsked, project: Project, purpose: Purpose, by: Caller) -> tuple[JobInput, ...]:
        resolved = self._vault.inputs_for_job(
            [one.dataset for one in asked.inputs], project=project.id, purpose=purpose, by=by
        )
        return tuple(
            JobInput(one.dataset, one.name, one.number, one.version, one.label, wanted.mount)
            for one, wanted in zip(resolved, asked.inputs, strict=True)
        )

    def runs_without_walls(self, job: Job) -> bool:
        """Whether the job is to run as one of the server's own processes. Raises NotPermitted when its data must not be near that:
        walls that stood when it was submitted may be gone.
        """
        self._check_sandbox(job.label)
        return self._machine.without_walls()

    def _check_sandbox(self, label: str) -> None:
        if label != self._labels.lowest and not (able := self._machine.able()).sandbox:
            raise NotPermitted(
                f"jobs cannot be kept apart on this machine ({able.reason}), so none may read data labelled {label}",
                rule="sandbox.required",
                fix=able.fix,
            )


def _purpose(asked: JobAsked, project: Project) -> Purpose:
    if not asked.purpose:
        return Purpose(project.purpose)
    try:
        purpose = Purpose(asked.purpose.replace("-", "_"))
    except ValueError:
        raise InvalidInput(
            f"{asked.purpose!r} is not a purpose", fix="civilian, dual_use or exclusively_military"
        ) from None
    if STRICTNESS.index(purpose) < STRICTNESS.index(Purpose(project.purpose)):
        raise NotPermitted(
            f"this project is {project.purpose.replace('_', ' ')}, and its jobs cannot be laxer",
            rule="purpose.project",
            fix="leave --purpose out",
        )
    return purpose
