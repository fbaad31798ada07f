"""What people do with served models: serve a version, look, stop, and make and end the keys by which programs call it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabriek.access.login.credentials import hash_of
from fabriek.compute.jobs import Job
from fabriek.compute.ports import Jobs
from fabriek.compute.requests import JobAsked
from fabriek.compute.service import Compute
from fabriek.compute.serving.keys import BEGINS, KEYS_MAX, ServingKey, as_of, begun, budget_of, expiry, is_open
from fabriek.compute.serving.ports import ServedModels, ServingKeys
from fabriek.compute.serving.served import PORT, RUNNER, Kind, Served, kind_of, name_of, version_of
from fabriek.compute.submission import Submission
from fabriek.compute.terms import Serves
from fabriek.kernel.callers import Caller, require, require_whole
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, QuotaExhausted, WrongState
from fabriek.lab.artifacts import Artifact
from fabriek.lab.registry.facts import Facts
from fabriek.lab.registry.formats import Mark
from fabriek.lab.registry.models import ModelVersion
from fabriek.lab.registry.service import Registry


@dataclass(frozen=True, slots=True)
class ServeAsked:
    """`model`: `NAME@alias` or `NAME@3`. Without a command the model's files say what starts; `kind` is for a command of one's own."""

    model: str
    name: str = ""
    kind: str = ""
    command: tuple[str, ...] = ()


class Serving:
    """Serve, look, stop; make and end keys."""

    def __init__(
        self, served: ServedModels, keys: ServingKeys, jobs: Jobs, compute: Compute, submission: Submission, registry: Registry,
        facts: Facts,
    ) -> None:  # fmt: skip
        self._served, self._keys, self._jobs, self._compute, self._submission = served, keys, jobs, compute, submission
        self._registry, self._facts = registry, facts
        self._access, self._audit = submission.access, submission.audit
        self._clock, self._ids = submission.clock, submission.ids

    def serve(self, project_ref: str, asked: ServeAsked, job: JobAsked, *, by: Caller) -> Served:
        """Submits a job that serves exactly the version that the alias names now. job: its shape and what else it reads.

        Raises AlreadyExists while another job serves under that name, NotPermitted naming the rule, and what submitting raises.
        """
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        version = self._version(project.id, asked.model, by)
        files = self._files(version, by)
        kind = _kind(asked, files)
        self._check_walls(version, by)
        name = name_of(asked.name, version.name)
        serves = Serves(version.name, version.number, version.place, version.sha256, version.label)
        started = kind_of(one.path for one in files) if not asked.command else None
        argv = (RUNNER, version.place, _digest(files), str(PORT), str(started or "command"), *asked.command)
        wanted = replace(
            job, argv=argv, name=job.name or f"serve {serves}", terms=replace(job.terms, port=PORT, serves=serves)
        )
        with self._jobs.transaction(alone=f"serving:{project.id}:{name}"):
            before = self._served.named(project.id, name)
            if before is not None and not self._jobs.get(before.job).has_ended():
                raise AlreadyExists(
                    f"{name} is being served already", fix=f"fabriek model stop {name}, or --name OTHER"
                )
            begun_job = self._compute.submit(project_ref, wanted, by=by)
            self._check_label(begun_job)
            made = Served(
                before.id if before else self._ids.new("srv"), project.id, name, version.name, version.number, version.model_id,
                version.sha256, version.label, kind, begun_job.id, by.person, self._clock.now(),
            )  # fmt: skip
            self._served.put(made)
            self._audit.record(
                "model.served",
                made.id,
                by,
                project=project.id,
                job=begun_job.id,
                sha256=version.sha256,
                label=version.label,
            )
        return made

    def get(self, project_ref: str, name: str, *, by: Caller) -> tuple[Served, Job]:
        """With its newest job. Raises NotFound."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        found = self._named(project.id, name)
        return found, self._jobs.get(found.job)

    def list(self, project_ref: str, *, by: Caller) -> Sequence[tuple[Served, Job]]:
        """By name, each with its newest job."""
        project = self._access.project(project_ref)
        require(by, "job.view", project=project.id)
        return [(one, self._jobs.get(one.job)) for one in self._served.of_project(project.id)]

    def stop(self, project_ref: str, name: str, *, by: Caller) -> Served:
        """Ends the job; the address and its keys stay for the next one. Raises WrongState when it has ended."""
        found, job = self.get(project_ref, name, by=by)
        if job.has_ended():
            raise WrongState(f"{name} is not being served", fix=f"fabriek model serve {found.model}@ALIAS")
        self._compute.cancel(project_ref, job.id, by=by)
        return found

    def create_key(
        self, project_ref: str, name: str, *, budget: str, days: int, called: str = "", paid_by: str = "", by: Caller
    ) -> tuple[ServingKey, str]:
        """A key to this one address, and its secret, which is shown now and kept nowhere. It ends with its person's time in the project.

        paid_by: another project, for which it calls; that one pays in tokens where it has any, so that its person must work there too.
        Raises InvalidInput on a budget or a life that cannot be, QuotaExhausted on one key too many.
        """
        project = self._access.project(project_ref)
        require(by, "job.submit", project=project.id)
        payer = self._access.project(paid_by).id if paid_by else project.id
        require(by, "job.submit", project=payer)
        require_whole(by)
        if payer != project.id:
            # What computes is paid by who serves: its share must be one that may pay for what the caller's project is for.
            self._submission.funding.check_purpose(project.id, self._access.project(payer).purpose)
        now, today = self._clock.now(), self._clock.today()
        secret = BEGINS + self._ids.secret()
        with self._jobs.transaction(alone=f"serving:{project.id}:{name}"):
            served = self._named(project.id, name)
            may_spend = budget_of(budget)
            standing = [one for one in self._keys.of_served(served.id) if is_open(one, now)]
            if len(standing) >= KEYS_MAX:
                raise QuotaExhausted(
                    f"{name} has {KEYS_MAX} keys", limit=KEYS_MAX, used=len(standing), fix="fabriek model key end"
                )
            made = ServingKey(
                self._ids.new("key"), served.id, project.id, hash_of(secret), secret[-4:], called, by.person, may_spend, now,
                expiry(days, now), begun(may_spend.period, today, today), payer="" if payer == project.id else payer,
            )  # fmt: skip
            self._keys.put(made)
            self._audit.record(
                "serving_key.created", made.id, by, project=project.id, served=served.id, days=days, payer=made.payer
            )
        return made, secret

    def keys(self, project_ref: str, name: str, *, by: Caller) -> Sequence[ServingKey]:
        """Newest first, with what each has used; no secrets."""
        found, _ = self.get(project_ref, name, by=by)
        today = self._clock.today()
        return [as_of(one, today) for one in self._keys.of_served(found.id)]

    def end_key(self, project_ref: str, name: str, key_id: str, *, by: Caller) -> ServingKey:
        """One's own, or anybody's for who manages the project. Ending it again changes nothing. Raises NotFound."""
        found, _ = self.get(project_ref, name, by=by)
        with self._jobs.transaction(alone=f"serving-key:{key_id}"):
            key = self._keys.get(key_id)
            if key.served != found.id:
                raise NotFound("there is no such key", fix="fabriek model key ls SERVED")
            if key.person != by.person:
                require(by, "project.manage", project=found.project)
            if key.ended_at is not None:
                return key
            ended = replace(key, ended_at=self._clock.now(), ended_why="by hand")
            self._keys.put(ended)
            self._audit.record("serving_key.ended", key.id, by, project=key.project)
        return ended

    def _named(self, project: str, name: str) -> Served:
        found = self._served.named(project, name)
        if found is None:
            raise NotFound("nothing is served under that name here", fix="fabriek model served")
        return found

    def _version(self, project: str, reference: str, by: Caller) -> ModelVersion:
        name, which = version_of(reference)
        if which.isdecimal():
            return self._registry.version(project, name, which, by=by)
        return self._registry.aliased(project, name, which, by=by)

    def _files(self, version: ModelVersion, by: Caller) -> Sequence[Artifact]:
        """By path, below the version's place. Raises WrongState where they are not those that were registered."""
        kept = self._registry.model_versions
        files = kept.files(version.project, version.name, version.number, by=by)
        if not files or not kept.is_as_registered(version):
            raise WrongState(
                f"the files of {version.name}@{version.number} are not those that were registered",
                fix="register them as a new version, and serve that",
            )
        return sorted(files, key=lambda one: one.path)

    def _check_walls(self, version: ModelVersion, by: Caller) -> None:
        """Not inside a transaction: files are looked at."""
        if self._submission.machine.without_walls() and self._facts.mark(version, by=by) is not Mark.DATA:
            raise NotPermitted(
                "this model may bring code, and jobs have no walls on this machine",
                rule="serving.walls",
                fix="log it in a format that is data: skops, safetensors, ONNX, GGUF",
            )

    def _check_label(self, job: Job) -> None:
        if self._submission.labels.withholds_logs(job.label):
            raise NotPermitted(
                f"what is labelled {job.label} answers nobody outside before its release",
                rule="serving.label",
                fix="look at it in a job, and propose what may leave: fabriek job release",
            )


def _digest(files: Sequence[Artifact]) -> str:
    """As the job's runner makes it, in the order of the paths themselves; the registry's is in that of its database."""
    return hashlib.sha256("\n".join(f"{one.sha256}  {one.path}" for one in files).encode()).hexdigest()


def _kind(asked: ServeAsked, files: Sequence[Artifact]) -> Kind:
    if asked.kind:
        try:
            return Kind(asked.kind)
        except ValueError:
            raise InvalidInput(f"{asked.kind!r} is not spoken here", fix="--kind openai, or scoring") from None
    found = kind_of(one.path for one in files)
    if found is None:
        raise InvalidInput(
            "these files do not say how the model is served",
            fix="fabriek model serve NAME@alias --kind openai -- COMMAND, which listens at 127.0.0.1:8000",
        )
    return found
