"""What people may do with jobs and power. The worker's half of the work is in `progress`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fabriek.compute import limits, sentences
from fabriek.compute.forecasting.forecasts import Forecast
from fabriek.compute.forecasting.sentences import starts
from fabriek.compute.gpus import Kind
from fabriek.compute.jobs import ON_THE_MACHINE, Job, State, move
from fabriek.compute.limits import AnnouncedLimit
from fabriek.compute.machine import GangNetwork
from fabriek.compute.partitions import names_for
from fabriek.compute.ports import Decisions, JobStatistics, PowerLimits
from fabriek.compute.power import Limit, draw, envelope, idle_watts
from fabriek.compute.powering.guard import NOTHING, Outlook, PowerGuard
from fabriek.compute.powering.work import Work
from fabriek.compute.references import Reference
from fabriek.compute.releasing import Releasing
from fabriek.compute.requests import JobAsked
from fabriek.compute.submission import Submission
from fabriek.compute.walls import check_gang, check_walls, workspace
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import NotFound, WrongState
from fabriek.kernel.pages import Cursors, Page


@dataclass(frozen=True, slots=True)
class PowerOutlook:
    """What may be drawn now, what running jobs are planned to draw with the idle machine, the limits from now on, and what the ladder does."""

    allowed_watts: int | None
    planned_watts: int
    limits: Sequence[AnnouncedLimit]
    ladder: Outlook = NOTHING


@dataclass(frozen=True, slots=True)
class WorkDraw:
    """A kind of work on a machine whose GPUs draw `gpu_watts_full` at most."""

    work: Work
    gpu_watts_full: Decimal

    @property
    def watts_mean(self) -> int:
        return round(self.work.part_mean * self.gpu_watts_full)

    @property
    def watts_highest(self) -> int:
        return round(self.work.part_highest * self.gpu_watts_full)


@dataclass(frozen=True, slots=True)
class KindOutlook:
    """GPUs that are alike: how many there are, and how much of them is in use."""

    kind: Kind
    used_milli: int


@dataclass(frozen=True, slots=True)
class MachineOutlook:
    """What the machine has, and what jobs take of it now."""

    nodes: int
    cpus: int
    cpus_used: int
    gpus: int
    gpus_used_milli: int
    memory_bytes: int
    memory_bytes_used: int
    running: int
    queued: int
    kinds: Sequence[KindOutlook] = ()


class Compute:
    """Submit, look, cancel; announce power limits."""

    def __init__(
        self, submission: Submission, statistics: JobStatistics, decisions: Decisions, power_limits: PowerLimits, cursors: Cursors,
        releasing: Releasing, guard: PowerGuard, foretold: Callable[[Job], Forecast | None],
    ) -> None:  # fmt: skip
        self._submission, self._statistics, self._decisions, self._limits = (
            submission,
            statistics,
            decisions,
            power_limits,
        )
        self._jobs, self._names, self._machine, self._cursors = (
            submission.jobs,
            submission.names,
            submission.machine,
            cursors,
        )
        self._access, self._audit, self._labels = submission.access, submission.audit, submission.labels
        self._clock, self._ids, self._wake = submission.clock, submission.ids, submission.wake
        self._outbox, self._releasing, self._guard, self._foretold = submission.outbox, releasing, guard, foretold

    def submit(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Job:
        """The waiting job; of an array the first element. Raises what Submission.submit raises."""
        return self.submit_each(project_ref, asked, by=by)[0]

    def submit_each(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Sequence[Job]:
        """The waiting job, or every element of an array."""
        return self._submission.submit(project_ref, asked, by=by)

    def partitions_of(self, job: Job) -> str:
        """Those that take it, as Slurm is asked; empty where there are none."""
        return names_for(self._machine.partitions, job.label, job.purpose)

    def get(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """A job by its id or by its number. Raises NotFound, also for a job of another project."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        said = Reference.read(job_id)
        if said.number is not None:
            return self._names.called(project.id, said.number, said.index)
        job = self._jobs.get(said.job)
        if job.project != project.id:
            raise NotFound("there is no such job", fix="fabriek job ls")
        return job

    def array(self, project_ref: str, said: str, *, by: Caller) -> Sequence[Job]:
        """The elements of an array, named by its id or its number, by their index. Raises NotFound."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        reference = Reference.read(said)
        number = reference.number
        array = reference.array or (self._names.called(project.id, number, None).array if number is not None else "")
        found = self._names.of_array(array)
        if not found or found[0].project != project.id:
            raise NotFound("there is no such array", fix="fabriek job ls")
        return found

    def named(self, project_ref: str, said: Sequence[str], *, by: Caller) -> Sequence[Job]:
        """The jobs of these names, an array's name for all of it, each once; what is not there is left out."""
        found: dict[str, Job] = {}
        for one in said:
            with suppress(NotFound):
                job = self.get(project_ref, one, by=by) if not one.startswith("arr_") else None
                whole = job is None or (job.array_number and str(job.array_number) == one)
                jobs = self.array(project_ref, job.array if job else one, by=by) if whole else [job]
                found |= {each.id: each for each in jobs if each is not None}
        return [*found.values()]

    def list(
        self, project_ref: str, *, limit: int, cursor: str, active: bool = False, by: Caller
    ) -> Page[Job]:  # fmt: skip
        """Newest first; of those that have not ended, or of all."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        scope = f"jobs:{project.id}"
        before = self._cursors.read(scope, cursor)
        found = self._jobs.of_project(project.id, limit=limit + 1, before=before, active=active)
        more = self._cursors.write(scope, found[limit - 1].id) if len(found) > limit else ""
        return Page(list(found[:limit]), more)

    def cancel(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """Ends a job that has not started; asks the machine to stop one that has. Raises WrongState when it has ended."""
        job = self.get(project_ref, job_id, by=by)
        require(by, "job.cancel", project=job.project)
        with self._jobs.transaction(alone=f"job:{job.id}"):
            job = self._jobs.get(job.id)
            if job.has_ended():
                raise WrongState(f"job {job.id} has {job.state} already", fix=f"fabriek job show {job.id}")
            stopped = self._stop(job, by)
        self._wake()
        return stopped

    def cancel_array(self, project_ref: str, array: str, *, by: Caller) -> Sequence[Job]:
        """Stops every element that has not ended. Raises WrongState when all have."""
        elements = self.array(project_ref, array, by=by)
        require(by, "job.cancel", project=elements[0].project)
        stopped = []
        for element in elements:
            with self._jobs.transaction(alone=f"job:{element.id}"):
                job = self._jobs.get(element.id)
                stopped.append(job if job.has_ended() else self._stop(job, by))
        if all(job.has_ended() for job in elements):
            raise WrongState(f"every job of {elements[0].array} has ended", fix=f"fabriek job ls --array {array}")
        self._wake()
        return stopped

    def _stop(self, job: Job, by: Caller) -> Job:
        if job.state in {State.STARTING, State.RUNNING}:
            stopped = replace(job, cancelling=True, reason="is being stopped")
        else:
            stopped = move(job, State.CANCELLED, at=self._clock.now(), reason="cancelled before it started")
        self._jobs.save(stopped)
        if stopped.has_ended():
            self._outbox.write(stopped)
        self._audit.record("job.cancelled", job.id, by, project=job.project)
        return stopped

    def why(self, job: Job) -> sentences.Told:
        """One sentence: why the job is where it is and, of one that waits for room, when it will probably start."""
        decided = self._decisions.last(job.id) if job.state is State.QUEUED else None
        found, now = sentences.told(job, decided), self._clock.now()
        if decided is None or decided.starts or decided.code not in sentences.OF_ROOM:
            return found
        forecast = self._foretold(job)
        if forecast is None or forecast.median is None or forecast.latest is None or forecast.latest < now:
            return found
        return sentences.expecting(found, forecast, starts(forecast, now, self._machine.zone))

    def readable_log(self, project_ref: str, job_id: str, *, by: Caller) -> Job:
        """The job, if the caller may read its output. Raises NotPermitted where its label withholds logs until a release."""
        job = self.get(project_ref, job_id, by=by)
        self._releasing.check_readable(job, by=by)
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

    def workspace(self, project_ref: str, *, by: Caller) -> str:
        """The project's folder; empty where the machine has none."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        return str(workspace(self._machine.workspaces, project.slug) or "")

    def machine_outlook(self) -> MachineOutlook:
        whole, standing = self._machine.capacity, self._jobs.in_states(ON_THE_MACHINE)
        return MachineOutlook(
            nodes=whole.nodes, cpus=whole.cpus, cpus_used=sum(job.cpus * job.nodes for job in standing), gpus=whole.gpus,
            gpus_used_milli=sum(job.gpus.milli * job.nodes for job in standing), memory_bytes=whole.memory_bytes,
            memory_bytes_used=sum(job.memory_bytes * job.nodes for job in standing), running=len(standing),
            queued=self._statistics.count_by_state().get(State.QUEUED, 0),
            kinds=[KindOutlook(kind, _used_milli(kind, standing)) for kind in whole.gpu_kinds],
        )  # fmt: skip

    def power_outlook(self) -> PowerOutlook:
        now = self._clock.now()
        announced = self._limits.from_on(now)
        table = self._machine.table(self._clock.today())
        running = self._jobs.in_states(ON_THE_MACHINE)
        planned = idle_watts(table, self._machine.capacity.nodes) + sum(draw(job.shape, table) for job in running)
        allowed = envelope(
            self._machine.contract, [Limit(one.starts_at, one.ends_at, one.watts) for one in announced], now
        )
        return PowerOutlook(allowed, planned, announced, self._guard.outlook(running, announced))

    def works(self) -> Sequence[WorkDraw]:
        """The kinds of work that a job may say today, by name, with what a GPU of this machine draws."""
        today = self._clock.today()
        full = self._machine.table(today).gpu_watts_full
        return [WorkDraw(one, full) for one in self._machine.works_on(today).values()]

    def spreads(self, job: Job) -> bool:
        """Whether its members are on hosts of their own, with the network of these. Raises NotPermitted where the operator allows that no more."""
        check_gang(job.nodes, job.label, self._labels, self._machine, batch=job.terms.batch)
        return job.nodes > 1 and self._machine.gangs is GangNetwork.HOST

    def runs_without_walls(self, job: Job) -> bool:
        """Whether the job is to run as one of the server's own processes. Raises NotPermitted when its data must not be near that:
        walls that stood when it was submitted may be gone.
        """
        check_walls(job.label, self._labels, self._machine)
        return self._machine.without_walls()


def _used_milli(kind: Kind, standing: Sequence[Job]) -> int:
    placed = [job for job in standing if (job.placed.kind if job.placed else job.gpus.kind) == kind.name]
    return sum(job.gpus.milli * job.nodes for job in placed)
