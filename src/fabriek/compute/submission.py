"""From a request to waiting jobs: right, label, agreement, purpose, credits and terms checked in one transaction, all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute import arrays, requests, terms
from fabriek.compute.arrays import Array, Element
from fabriek.compute.costs import check_wall, currency, worst_cost
from fabriek.compute.fitting import check_draw, check_fits, check_place
from fabriek.compute.images import NOT_MOUNTED, check_image, image_of, resolved
from fabriek.compute.installing import Installing
from fabriek.compute.jobs import Job, JobInput, Priority, State, move
from fabriek.compute.machine import Machine
from fabriek.compute.notices.outbox import Outbox
from fabriek.compute.ports import JobNames, Jobs
from fabriek.compute.powering.work import check_work
from fabriek.compute.references import Reference
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.secrets.strongbox import Strongbox
from fabriek.compute.terms import After, Terms
from fabriek.compute.walls import check_gang, check_openings, check_shared, check_walls
from fabriek.funding.service import Funding
from fabriek.funding.spending.running_out import RunningOut
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault

STRICTNESS = (Purpose.CIVILIAN, Purpose.DUAL_USE, Purpose.EXCLUSIVELY_MILITARY)
"""A job may be stricter about its purpose than its project, never laxer: a military project does not compute on civilian money."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Takes requests in. `wake` is called once they are durable. `installing`: only where packages must be approved."""

    jobs: Jobs
    names: JobNames
    access: Access
    funding: Funding
    vault: Vault
    audit: Audit
    labels: Labels
    clock: Clock
    ids: Ids
    machine: Machine
    strongbox: Strongbox
    outbox: Outbox
    wake: Callable[[], None]
    installing: Installing | None = None
    running_out: RunningOut | None = None

    def submit(self, project_ref: str, asked: JobAsked, *, by: Caller) -> Sequence[Job]:
        """One job, or every element of an array: holds the worst case of each, and queues it.

        Raises NotPermitted naming the rule, CreditsExhausted with what is left, InvalidInput, NotFound.
        """
        project = self.access.project(project_ref)
        require(by, "job.submit", project=project.id)
        requests.check(asked)
        if self.installing is not None:
            self.installing.check(asked.requirements, project.id)
        array = arrays.array_of(asked.array, asked.sweep)
        purpose = purpose_of(asked, project)
        with self.jobs.transaction(alone=f"project:{project.id}"):
            like = self._like(project, asked, purpose, by)
            if self.running_out is not None:
                self.running_out.check_new_job(project.id, currency(like))
            new = self._numbered(like, array)
            held = [self._held(project, job) for job in new]
            self._check_fits(asked, held[0])  # after the credits: who asks for too much of both hears of those
            queued = [move(job, State.QUEUED, at=job.submitted_at) for job in held]
            self.jobs.add(queued)
            facts = {"elements": len(queued)} if array else {}
            subject = queued[0].array or queued[0].id
            self.audit.record(
                "job.submitted", subject, by, project=project.id, label=like.label, share=queued[0].share, **facts
            )
        self.wake()
        return queued

    def _like(self, project: Project, asked: JobAsked, purpose: Purpose, by: Caller) -> Job:
        """The job as asked, without an id of its own yet."""
        now = self.clock.now()
        self.strongbox.check(project.id, asked.secrets)
        self.outbox.check(project.id, asked.notify, by=by)
        inputs = self._inputs(asked, project, purpose, by)
        code = self.vault.code_for_job(asked.code, project.id, by=by) if asked.code else None
        serves = asked.terms.serves
        read = [one.label for one in inputs] + ([code.label] if code else []) + ([serves.label] if serves else [])
        label = self.labels.highest(read)
        check_walls(label, self.labels, self.machine)
        check_shared(asked.gpus, label, self.labels)
        check_gang(asked.nodes, label, self.labels, self.machine, batch=asked.terms.batch)
        check_image(asked.terms.image, self.machine)
        check_work(asked.terms.work, self.machine.works_on(self.clock.today()))
        return Job(
            id="", project=project.id, person=by.person, name=asked.name or " ".join(asked.argv)[:100],
            purpose=purpose, argv=asked.argv, cpus=asked.cpus, gpus=asked.gpus, memory_bytes=asked.memory_bytes,
            wall_seconds_max=asked.wall_seconds_max, share="", label=label, submitted_at=now, priority=Priority(asked.priority),
            inputs=inputs, code=code.version if code else "", environment=dict(asked.environment),
            experiment=asked.experiment, requirements=asked.requirements, terms=self._terms(project, asked, label, inputs),
            secrets=asked.secrets, notify=asked.notify, nodes=asked.nodes,
        )  # fmt: skip

    def _numbered(self, like: Job, array: Array | None) -> list[Job]:
        if array is None:
            return [replace(like, id=self.ids.new("job"), number=self.names.numbers(1)[0])]
        numbers = self.names.numbers(len(array.elements))
        like = replace(like, array=self.ids.new("arr"), array_number=numbers[0], array_at_once=array.at_once)
        return [self._element(like, number, element) for number, element in zip(numbers, array.elements, strict=True)]

    def _element(self, like: Job, number: int, element: Element) -> Job:
        return replace(
            like,
            id=self.ids.new("job"),
            number=number,
            array_index=element.index,
            name=arrays.filled([like.name], element.parameters)[0],
            argv=arrays.filled(like.argv, element.parameters),
            terms=replace(like.terms, parameters=element.parameters),
        )

    def _held(self, project: Project, job: Job) -> Job:
        today = self.clock.today()
        check_wall(job, self.machine, today)
        cost = worst_cost(job, self.machine, today)
        held = self.funding.hold(
            project.id, job.purpose, cost.resource, cost.amount_micro, job.id, urgent=job.priority is Priority.URGENT
        )
        return replace(job, share=held.share, resource=str(cost.resource), held_micro=held.amount_micro)

    def _check_fits(self, asked: JobAsked, job: Job) -> None:
        machine = self.machine
        check_fits(asked, machine.capacity)
        check_place(
            job.shape, machine.among(job.label, job.purpose), machine.capacity, label=job.label, purpose=job.purpose
        )
        if machine.contract is not None:
            check_draw(job.shape, machine.contract, machine.table(self.clock.today()), machine.capacity.nodes)

    def _terms(self, project: Project, asked: JobAsked, label: str, inputs: Sequence[JobInput]) -> Terms:
        after = tuple(After(self._waited_for(project, one.job), one.once) for one in asked.terms.after)
        agreed = replace(asked.terms, after=after, image=resolved(asked.terms.image, inputs))
        terms.check(agreed, now=self.clock.now(), wall_seconds_max=asked.wall_seconds_max)
        check_openings(agreed, label, project.slug, self.labels, self.machine)
        return agreed

    def _waited_for(self, project: Project, said: str) -> str:
        """The id of the job or array that is waited for. Raises NotFound, also for one of another project."""
        reference = Reference.read(said)
        if reference.array:
            found = self.names.of_array(reference.array)
        elif reference.number is not None:
            found = [self.names.called(project.id, reference.number, reference.index)]
        else:
            found = [self.jobs.get(reference.job)]
        if not found or found[0].project != project.id:
            raise NotFound(f"there is no job {said} to wait for", fix="fabriek job ls")
        whole = reference.array or (reference.index is None and found[0].array_number == reference.number)
        return found[0].array if whole else found[0].id

    def _inputs(self, asked: JobAsked, project: Project, purpose: Purpose, by: Caller) -> tuple[JobInput, ...]:
        """What it reads, and last the version that holds its image."""
        image = image_of(asked.terms.image)
        read = (*asked.inputs, InputAsked(image.dataset, NOT_MOUNTED)) if image and image.dataset else asked.inputs
        found = self.vault.inputs_for_job([one.dataset for one in read], project=project.id, purpose=purpose, by=by)
        return tuple(
            JobInput(one.dataset, one.name, one.number, one.version, one.label, wanted.mount)
            for one, wanted in zip(found, read, strict=True)
        )


def purpose_of(asked: JobAsked, project: Project) -> Purpose:
    """The job's, which is the project's where none is named. Raises InvalidInput, NotPermitted on one that is laxer."""
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
