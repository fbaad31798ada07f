"""What one may do with packs: pack what a job would read and run, take back what it made elsewhere, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.access.projects import Project
from fabriek.compute import requests
from fabriek.compute.executors.requirements import check_requirements
from fabriek.compute.jobs import Job
from fabriek.compute.packs.packs import Pack, PackedInput, Returned, State, move, seal, take_back
from fabriek.compute.ports import Packs
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.slurm_words import sweep_variables
from fabriek.compute.submission import Submission, purpose_of
from fabriek.compute.terms import USUAL, Terms
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.vault.agreeing.agreements import DataRight
from fabriek.vault.references import Reference
from fabriek.vault.uploads import Upload

LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class Coming:
    """Where results are sealed to, or the version that holds them already."""

    upload: Upload | None
    version: str


class Packing:
    """Jobs for machines that we do not run. They hold no credits here: what they use is booked from that machine's accounts."""

    def __init__(self, packs: Packs, submission: Submission) -> None:
        self._packs, self._submission = packs, submission
        self._access, self._vault, self._audit = submission.access, submission.vault, submission.audit
        self._clock, self._ids, self._labels = submission.clock, submission.ids, submission.labels

    def pack(
        self, project_ref: str, asked: JobAsked, *, with_data: bool | None = None, job: str = "", by: Caller
    ) -> Pack:
        """Checks what a submission checks, but for credits and room. with_data: None lets the inputs' data go where it may.

        Raises NotPermitted naming the rule, also where data must go along and may not; InvalidInput, NotFound.
        """
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        _check(asked)
        purpose = purpose_of(asked, project)
        inputs = self._vault.inputs_for_job(
            [one.dataset for one in asked.inputs], project=project.id, purpose=purpose, by=by
        )
        code = self._vault.code_for_job(asked.code, project.id, by=by) if asked.code else None
        stays = "the list alone was asked for" if with_data is False else self._stays(inputs, project, purpose, by)
        if stays and with_data:
            raise NotPermitted(stays, rule="data.take_away", fix="pack the list alone, or ask the data's owner")
        made = Pack(
            id=self._ids.new("pck"), project=project.id, person=by.person, name=asked.name or " ".join(asked.argv)[:100], purpose=purpose,
            label=self._labels.highest([one.label for one in inputs] + ([code.label] if code else [])), argv=asked.argv, cpus=asked.cpus,
            gpus=asked.gpus.devices, memory_bytes=asked.memory_bytes, wall_seconds_max=asked.wall_seconds_max, packed_at=self._clock.now(),
            inputs=tuple(_packed(one, wanted) for one, wanted in zip(inputs, asked.inputs, strict=True)),
            code=code.version if code else "", code_hash=code.content_hash if code else "", environment=dict(asked.environment),
            requirements=asked.requirements, job=job, stays=stays if inputs else "",
        )  # fmt: skip
        with self._packs.transaction():
            self._packs.add(made)
            self._audit.record(
                "pack.made",
                made.id,
                by,
                project=project.id,
                label=made.label,
                purpose=str(purpose),
                data=not made.stays,
            )
        return made

    def pack_job(self, project_ref: str, job: Job, *, with_data: bool | None = None, by: Caller) -> Pack:
        """What a job of ours reads and runs, once more. Every rule is asked as of now; what it said to our queue is left out."""
        kept = Terms(
            network=job.terms.network,
            folder=job.terms.folder,
            port=job.terms.port,
            tasks=job.terms.tasks,
            image=job.terms.image,
        )
        asked = JobAsked(
            argv=job.argv, name=job.name, code=job.code, inputs=tuple(InputAsked(one.version_id, one.mount) for one in job.mounted),
            environment=dict(job.environment) | sweep_variables(job), requirements=job.requirements, purpose=str(job.purpose), gpus=job.gpus,
            cpus=job.cpus, memory_bytes=job.memory_bytes, wall_seconds_max=job.wall_seconds_max, terms=kept, secrets=job.secrets,
            nodes=job.nodes,
        )  # fmt: skip
        return self.pack(project_ref, asked, with_data=with_data, job=job.id, by=by)

    def seal(self, project_ref: str, pack_id: str, checksums: str, *, by: Caller) -> Pack:
        """Writes down what the folder holds, for its statement. Once; raises WrongState for another folder."""
        self._mine(project_ref, pack_id, "job.submit", by)
        with self._packs.transaction(alone=f"pack:{pack_id}"):
            sealed = seal(self._packs.get(pack_id), checksums)
            self._packs.save(sealed)
            self._audit.record("pack.sealed", pack_id, by, checksums=checksums)
        return sealed

    def get(self, project_ref: str, pack_id: str, *, by: Caller) -> Pack:
        """Raises NotFound, also for a pack of another project."""
        return self._mine(project_ref, pack_id, "job.view", by)

    def list(self, project_ref: str, *, by: Caller) -> Sequence[Pack]:
        """The newest of the project."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        return self._packs.of_project(project.id, limit=LISTED_MAX)

    def withdraw(self, project_ref: str, pack_id: str, *, by: Caller) -> Pack:
        """Nothing is taken back from it any more. What was packed is out, and stays where it is."""
        self._mine(project_ref, pack_id, "job.submit", by)
        with self._packs.transaction(alone=f"pack:{pack_id}"):
            over = move(self._packs.get(pack_id), State.WITHDRAWN)
            self._packs.save(over)
            self._audit.record("pack.withdrawn", pack_id, by, project=over.project)
        return over

    def receive(self, project_ref: str, pack_id: str, content_hash: str, *, by: Caller) -> Coming:
        """Opens the door for results of this content. Label and sources are the pack's: who takes them away must be allowed to take those."""
        pack = self._mine(project_ref, pack_id, "job.submit", by)
        if pack.state is State.WITHDRAWN or not pack.checksums:
            raise WrongState(
                f"{pack.id} {'is withdrawn' if pack.checksums else 'has no folder yet'}", fix="fabriek pack ls"
            )
        for one in self._vault.versions_of_job(pack.id):
            if one.content_hash == content_hash:
                return Coming(None, one.version)
        if pack.returned is not None:
            raise WrongState(
                f"{pack.id} has come back with other results", fix=f"fabriek data pull {pack.returned.output} DIR"
            )
        sources = [one.dataset for one in pack.inputs]
        return Coming(self._vault.output_from_elsewhere(pack.project, pack.id, pack.label, sources, by=by), "")

    def take_back(
        self, project_ref: str, pack_id: str, site: str, exit_code: int, results: str, output: str, *, by: Caller
    ) -> Pack:
        """The results are in the vault, as a version of the pack's own dataset. Idempotent. Raises NotFound for another version."""
        self._mine(project_ref, pack_id, "job.submit", by)
        if output not in {one.version for one in self._vault.versions_of_job(pack_id)}:
            raise NotFound("this version is not one of the pack's results", fix=f"fabriek pack return {pack_id} DIR")
        returned = Returned(site, exit_code, results, output, by.person, self._clock.now())
        with self._packs.transaction(alone=f"pack:{pack_id}"):
            before = self._packs.get(pack_id)
            after = take_back(before, returned)
            if after is not before:
                self._packs.save(after)
                self._audit.record(
                    "pack.returned", pack_id, by, project=after.project, site=site, exit_code=exit_code, results=results, version=output
                )  # fmt: skip
        return after

    def _mine(self, project_ref: str, pack_id: str, right: str, by: Caller) -> Pack:
        project = self._access.project(project_ref)
        require(by, right, project=project.id)
        pack = self._packs.get(pack_id)
        if pack.project != project.id:
            raise NotFound("there is no such pack", fix="fabriek pack ls")
        return pack

    def _stays(self, inputs: Sequence[Reference], project: Project, purpose: Purpose, by: Caller) -> str:
        """Why the data of the inputs may not go along; empty when all of it may. Where logs are withheld, data does not leave in a folder."""
        for one in inputs:
            if self._labels.withholds_logs(one.label):
                return f"data labelled {one.label} does not leave in a pack"
            try:
                self._vault.require_right(
                    [one.dataset], DataRight.TAKE_AWAY, project=project.id, purpose=purpose, by=by
                )
            except NotPermitted as refused:
                return f"{one.name}: {refused.detail}"
        return ""


def _check(asked: JobAsked) -> None:
    requests.check(asked)
    check_requirements(asked.requirements.encode())
    if asked.secrets:
        raise InvalidInput("a pack leaves the house, and a secret does not", fix="give it to the job where it runs")
    if asked.array or asked.sweep or asked.nodes > 1 or replace(asked.terms, work="") != USUAL:
        raise InvalidInput(
            "a pack is one job in one process without a network, a workspace, an image or a queue of ours",
            fix="leave out --array, --sweep, --nodes, --after, --folder, --port, --network, --image and their like",
        )


def _packed(one: Reference, wanted: InputAsked) -> PackedInput:
    return PackedInput(one.dataset, one.name, one.number, one.version, one.label, one.content_hash, wanted.mount)
