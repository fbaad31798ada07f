"""Where a project's secrets are kept: set, listed by name, removed, and given to the node of a job that names them."""

from collections.abc import Mapping, Sequence

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.compute.jobs import Job, State
from fabriek.compute.ports import Jobs, Secrets
from fabriek.compute.secrets.secrets import SECRETS_MAX, Secret, SecretUse, check, secret_context
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, QuotaExhausted, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Keys
from fabriek.sealing.keys import NONCE_BYTES, unwrap, wrap

KEY_BYTES = 32
GIVEN_IN = frozenset({State.STARTING, State.RUNNING})


class Strongbox:
    """Values come in and are sealed before the transaction; they are opened for nobody but a job's own node."""

    def __init__(
        self, secrets: Secrets, jobs: Jobs, access: Access, audit: Audit, *, keys: Keys, clock: Clock, ids: Ids
    ) -> None:
        self._secrets, self._jobs, self._access, self._audit = secrets, jobs, access, audit
        self._keys, self._clock, self._ids = keys, clock, ids

    def set(self, project_ref: str, name: str, value: str, *, by: Caller) -> Secret:
        """A new secret, or a new value of one. Raises InvalidInput, QuotaExhausted."""
        project = self._access.project(project_ref)
        require(by, "project.manage", project=project.id)
        check(name, value)
        key = self._ids.random(KEY_BYTES)
        context = secret_context(project.id, name)
        sealed = wrap(key, value.encode(), context, self._ids.random(NONCE_BYTES))
        wrapped = self._keys.wrap(key, context)
        fresh = Secret(self._ids.new("sec"), project.id, name, sealed, wrapped, by.person, self._clock.now())
        with self._jobs.transaction(alone=f"secrets:{project.id}"):
            others = [one for one in self._secrets.of_project(project.id) if one.name != name]
            if len(others) >= SECRETS_MAX:
                raise QuotaExhausted(
                    f"a project has at most {SECRETS_MAX} secrets",
                    limit=SECRETS_MAX, used=len(others), fix="fabriek secret ls; fabriek secret rm NAME",
                )  # fmt: skip
            self._secrets.put(fresh)
            self._audit.record("secret.set", fresh.id, by, project=project.id)
        return fresh

    def list(self, project_ref: str, *, by: Caller) -> Sequence[Secret]:
        """By name. Whoever sees the project sees which secrets it has."""
        project = self._access.project(project_ref)
        require(by, "project.view", project=project.id)
        return self._secrets.of_project(project.id)

    def remove(self, project_ref: str, name: str, *, by: Caller) -> None:
        """Jobs that wait and name it will fail when they start; those that run keep what they have. Raises NotFound."""
        project = self._access.project(project_ref)
        require(by, "project.manage", project=project.id)
        with self._jobs.transaction(alone=f"secrets:{project.id}"):
            gone = next((one for one in self._secrets.of_project(project.id) if one.name == name), None)
            if gone is None:
                raise NotFound("there is no such secret", fix="fabriek secret ls")
            self._secrets.remove(gone)
            self._audit.record("secret.removed", gone.id, by, project=project.id)

    def check(self, project: str, uses: Sequence[SecretUse]) -> None:
        """Raises NotFound naming the first that the project does not have. Whoever calls has asked for the right to submit."""
        if uses:
            self._named(project, uses, "this project has no secret {name}")

    def for_job(self, job_id: str, *, by: Caller) -> Mapping[str, str]:
        """Name → value of exactly those that this job names, for its own node while the job starts or runs.

        Raises NotFound when one was removed, and for everybody else; WrongState once the job is over; Damaged, Unavailable.
        """
        if not by.job or by.job != job_id:
            raise nothing_here()
        job = self._begun(job_id)
        found = self._named(job.project, job.secrets, "the secret {name} was removed")
        opened = {one.name: self._opened(one) for one in found}
        with self._jobs.transaction(alone=f"job:{job_id}"):
            self._begun(job_id)
            for one in found:
                self._secrets.note_use(one, self._clock.now())
                self._audit.record("secret.given", one.id, by, project=job.project, job=job_id)
        return opened

    def has(self, project: str, name: str) -> bool:
        return any(one.name == name for one in self._secrets.of_project(project))

    def value(self, project: str, name: str) -> str:
        """For the factory's own use in the project's name; empty where it has no such secret. Raises Damaged, Unavailable."""
        found = next((one for one in self._secrets.of_project(project) if one.name == name), None)
        return "" if found is None else self._opened(found)

    def _begun(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job.state not in GIVEN_IN:
            raise WrongState(f"job {job_id} is {job.state}", fix="secrets are for jobs that start or run")
        return job

    def _named(self, project: str, uses: Sequence[SecretUse], missing: str) -> Sequence[Secret]:
        there = {one.name: one for one in self._secrets.of_project(project)}
        for use in uses:
            if use.name not in there:
                raise NotFound(missing.format(name=use.name), fix=f"fabriek secret set {use.name}")
        return [there[name] for name in sorted({use.name for use in uses})]

    def _opened(self, secret: Secret) -> str:
        context = secret_context(secret.project, secret.name)
        return unwrap(self._keys.unwrap(secret.wrapped, context), secret.sealed, context).decode()
