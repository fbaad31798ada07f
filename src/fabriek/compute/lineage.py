"""What a model's run cannot say of itself: which data its job was given, who submitted it, and which jobs tested the model afterwards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from fabriek.compute.jobs import Job, JobInput, State
from fabriek.compute.ports import Jobs
from fabriek.kernel.errors import NotFound
from fabriek.vault.references import Reference
from fabriek.vault.service import Vault


class JobsByName(Protocol):
    """Finding jobs by the name that they were given."""

    def named(self, project: str, name: str, state: State, *, since: datetime) -> Sequence[Job]:
        """Those in this state that were submitted since then, newest first."""


class JobLineage:
    def __init__(self, jobs: Jobs, names: JobsByName, vault: Vault) -> None:
        self._jobs, self._names, self._vault = jobs, names, vault

    def inputs_of(self, job: str) -> Sequence[Reference]:
        """The versions that it was given; one that is gone since has no hash."""
        return [self._reference(one) for one in self._jobs.get(job).inputs]

    def person_of(self, job: str) -> str:
        """Who submitted it; empty for no job that we know."""
        try:
            return self._jobs.get(job).person
        except NotFound:
            return ""

    def succeeded(self, project: str, name: str, word: str, since: datetime) -> str:
        """The newest job of that name that was submitted since then with this word in its command, and succeeded; or empty."""
        found = self._names.named(project, name, State.SUCCEEDED, since=since)
        return next((one.id for one in found if word in one.argv), "")

    def _reference(self, one: JobInput) -> Reference:
        try:
            return self._vault.reference(one.version_id)
        except NotFound:
            return Reference(one.dataset, one.dataset_name, one.version_id, one.version, one.label, "")
