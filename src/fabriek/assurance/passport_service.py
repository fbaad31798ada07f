"""Issuing passports: everything is looked up anew, weighed against what was signed before, and signed as it stands today."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from fabriek.access.service import Access
from fabriek.assurance.passport import Made, Passport, Promoted, Source, Who, agreement_of, predicate, statement
from fabriek.assurance.passport_page import PassportPages
from fabriek.assurance.ports import Statements
from fabriek.audit.service import Audit
from fabriek.compute.jobs import Job
from fabriek.compute.ports import Jobs
from fabriek.funding.service import Funding
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.dsse import envelope, opened
from fabriek.kernel.errors import Damaged, NotFound, WrongState
from fabriek.kernel.signing import Signer
from fabriek.lab.registry.facts import BaseRead, Facts, ModelFacts
from fabriek.lab.registry.promoting import Promoting
from fabriek.lab.registry.promotion import Outcome
from fabriek.vault.agreeing.agreements import Agreement
from fabriek.vault.references import Reference
from fabriek.vault.service import Vault


class AgreementsOn(Protocol):
    def of_dataset(self, dataset: str) -> Sequence[Agreement]:
        """Also those that ended."""


class Passports:
    """Issues them."""

    def __init__(
        self,
        facts: Facts,
        promoting: Promoting,
        jobs: Jobs,
        statements: Statements,
        agreements: AgreementsOn,
        *,
        access: Access,
        funding: Funding,
        vault: Vault,
        signer: Signer,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._facts, self._promoting, self._jobs, self._statements = facts, promoting, jobs, statements
        self._agreements, self._access, self._funding, self._vault = agreements, access, funding, vault
        self._signer, self._audit, self._clock, self._pages = signer, audit, clock, PassportPages()

    @property
    def installation(self) -> str:
        return self._signer.installation_id

    def key(self) -> str:
        """What they are verified with, base64. It is no secret."""
        return base64.b64encode(self._signer.public_key_bytes()).decode()

    def issue(self, project_ref: str, name: str, which: str = "", *, by: Caller) -> tuple[str, str]:
        """(what the file is called, the page). Not inside a transaction.

        Raises Damaged where files are not those that were registered, WrongState while its job is not settled.
        """
        project = self._access.project(project_ref)
        facts = self._facts.of(project.id, name, which, by=by)
        version = facts.version
        if not facts.is_intact:
            raise Damaged(
                f"the files of {version.name}@{version.number} are no longer those that were registered",
                fix="register them as a new version",
                where=f"{version.name}@{version.number}",
            )
        job = self._job(facts)
        origin = self._statements.of_job(job.id) if job else ""
        passport = Passport(
            facts, project.title, self._made(job, origin, facts) if job else None, tuple(self._who(one) for one in sorted(facts.authors)),
            self._promoted(facts, by), self._clock.now(), self.installation, self.key(),
        )  # fmt: skip
        file = f"passport-{re.sub(r'[^A-Za-z0-9.-]+', '-', version.name).strip('-') or 'model'}-{version.number}.html"
        said = predicate(passport)
        drawn = self._pages.drawn(said, file)
        payload = _canonical(statement(passport, said, self._pages.digest(drawn)))
        with self._statements.transaction():
            self._audit.record(
                "passport.issued", version.model_id or version.run, by, project=project.id, number=version.number,
                sha256=hashlib.sha256(payload).hexdigest(),
            )  # fmt: skip
        # The job's own statement holds its parameters: where the label withholds what the run logged, its hash alone goes out.
        return file, self._pages.complete(drawn, envelope(payload, self._signer), "" if facts.withheld else origin)

    def _job(self, facts: ModelFacts) -> Job | None:
        try:
            job = self._jobs.get(facts.job) if facts.job else None
        except NotFound:
            return None
        if job is not None and not job.settled:
            raise WrongState(
                "the job that made this model is not settled yet, so nobody knows what it used",
                fix=f"wait for it to end: fabriek job show {job.id}",
            )
        return job

    def _made(self, job: Job, origin: str, facts: ModelFacts) -> Made:
        share = next((one for one in self._funding.shares() if one.id == job.share), None)
        said: dict[str, Any] = opened(origin, self._signer.public_key_bytes()) if origin else {}
        code = self._reference(job.code)
        named = {(one["name"], one["digest"]["sha256"]) for one in said.get("subject", [])}
        version = facts.version
        return Made(
            job, tuple(self._source(one, job) for one in _signed_inputs(said, facts.inputs, job)),
            _signed_bases(said, facts.base_models, job), code, share.name if share else "",
            self._access.organisation(share.funder).name if share else "", _payload_hash(origin),
            (f"model:{version.name}@{version.number}", version.sha256) in named,
        )  # fmt: skip

    def _reference(self, version_id: str) -> Reference | None:
        try:
            return self._vault.reference(version_id) if version_id else None
        except NotFound:
            return None

    def _source(self, held: Reference, job: Job) -> Source:
        on = job.submitted_at.date()
        return Source(held, agreement_of(list(self._agreements.of_dataset(held.dataset)), job, on))

    def _promoted(self, facts: ModelFacts, by: Caller) -> tuple[Promoted, ...]:
        version = facts.version
        return tuple(
            Promoted(one, self._who(one.proposed_by), self._who(one.decided_by), stands=one.alias in facts.aliases)
            for one in self._promoting.of_model(version.project, version.name, by=by)
            if one.outcome is Outcome.AGREED and (one.number, one.sha256) == (version.number, version.sha256)
        )

    def _who(self, person_id: str) -> Who:
        try:
            person = self._access.person(person_id)
            return Who(person.name, self._access.organisation(person.organisation).name)
        except NotFound:
            return Who("somebody whose name was erased", "")


def _signed_inputs(said: dict[str, Any], inputs: Sequence[Reference], job: Job) -> list[Reference]:
    """The same data as the job's statement names, which was signed when it was settled; with the hash of what is gone since. Raises Damaged."""
    if not said:
        return list(inputs)
    signed, named = _dependencies(said, "input:"), {f"input:{one.dataset}@{one.number}": one for one in inputs}
    if named.keys() != signed.keys() or any(one.content_hash not in {"", signed[name]} for name, one in named.items()):
        raise _not_as_signed(job)
    return [replace(one, content_hash=signed[name]) for name, one in named.items()]


def _signed_bases(said: dict[str, Any], bases: tuple[BaseRead, ...], job: Job) -> tuple[BaseRead, ...]:
    """The same base models as the job's statement names. Raises Damaged."""
    named = {f"base-model:{one.name}@{one.commit}": one.sha256 for one in bases}
    if said and named != _dependencies(said, "base-model:"):
        raise _not_as_signed(job)
    return bases


def _dependencies(said: dict[str, Any], kind: str) -> dict[str, str]:
    """Name → hash of what the statement says was used."""
    used = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    return {one["name"]: one["digest"]["sha256"] for one in used if one["name"].startswith(kind)}


def _not_as_signed(job: Job) -> Damaged:
    return Damaged(
        "the data that this model's job is said to have read is not what its signed statement names",
        fix="fabriek audit verify",
        where=f"{job.id} statement",
    )


def _payload_hash(origin: str) -> str:
    return hashlib.sha256(base64.b64decode(json.loads(origin)["payload"])).hexdigest() if origin else ""


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
