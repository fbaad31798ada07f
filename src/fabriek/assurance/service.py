"""What one may do with statements of origin."""

import json
from collections.abc import Mapping
from typing import Any

from fabriek.assurance.packs import pack_key, pack_statement, return_statement
from fabriek.assurance.ports import Statements
from fabriek.assurance.statements import JobFacts, has_subject, statement
from fabriek.audit.service import Audit
from fabriek.compute.packs.packs import Pack
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.dsse import envelope
from fabriek.kernel.errors import NotFound
from fabriek.kernel.signing import Signer
from fabriek.vault.references import Reference


class Assurance:
    """Makes statements and shows them."""

    def __init__(self, statements: Statements, audit: Audit, signer: Signer) -> None:
        self._statements, self._audit, self._signer = statements, audit, signer

    def state(self, facts: JobFacts) -> None:
        """Signs where a job's results came from; once, however often it is called. A job that left nothing has no statement."""
        if not has_subject(facts) or self._statements.of_job(facts.job):
            return
        self._signed(facts.job, facts.project, statement(facts, self._signer.installation_id))

    def state_pack(self, pack: Pack) -> str:
        """The signed statement of what a pack holds; the same one, however often it is asked for."""
        return self._signed(pack_key(pack), pack.project, pack_statement(pack, self._signer.installation_id))

    def state_return(self, pack: Pack, output: Reference) -> str:
        """The signed statement of what came back of a pack: that it ran elsewhere and was not observed."""
        return self._signed(pack.id, pack.project, return_statement(pack, output, self._signer.installation_id))

    def of_pack(self, pack: Pack, *, by: Caller) -> str:
        """Of its results, or of the pack itself while there are none. Raises NotFound before it has a folder."""
        return self.of_job(pack.id if pack.returned else pack_key(pack), pack.project, by=by)

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

    def _signed(self, key: str, project: str, said: Mapping[str, Any]) -> str:
        """Signs and keeps it under this key; what was signed under it before is left as it is."""
        payload = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        signed = envelope(payload, self._signer)
        with self._statements.transaction(alone=f"statement:{key}"):
            known = self._statements.of_job(key)
            if not known:
                self._statements.add(key, signed)
                self._audit.record("statement.signed", key, SYSTEM, project=project)
        return known or signed
