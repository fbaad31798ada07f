"""What one may do with statements of origin."""

import json

from fabriek.assurance.ports import Statements
from fabriek.assurance.statements import JobFacts, has_subject, statement
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.dsse import envelope
from fabriek.kernel.errors import NotFound
from fabriek.kernel.signing import Signer


class Assurance:
    """Makes statements and shows them."""

    def __init__(self, statements: Statements, audit: Audit, signer: Signer) -> None:
        self._statements, self._audit, self._signer = statements, audit, signer

    def state(self, facts: JobFacts) -> None:
        """Signs where a job's results came from; once, however often it is called. A job that left nothing has no statement."""
        if not has_subject(facts) or self._statements.of_job(facts.job):
            return
        payload = json.dumps(
            statement(facts, self._signer.installation_id), sort_keys=True, separators=(",", ":")
        ).encode()
        signed = envelope(payload, self._signer)
        with self._statements.transaction(alone=f"statement:{facts.job}"):
            if not self._statements.of_job(facts.job):
                self._statements.add(facts.job, signed)
                self._audit.record("statement.signed", facts.job, SYSTEM, project=facts.project)

    def of_job(self, job: str, project: str, *, by: Caller) -> str:
        """The signed envelope. Raises NotFound when the job left nothing, or has not been settled yet."""
        require(by, "job.view", project=project)
        found = self._statements.of_job(job)
        if not found:
            raise NotFound(
                "this job has no statement of origin",
                fix="a job has one once it succeeded and left a model or a result",
            )
        return found

    def public_key(self) -> bytes:
        """What statements are checked with: 32 raw bytes of Ed25519."""
        return self._signer.public_key_bytes()
