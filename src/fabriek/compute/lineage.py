"""What a model's run cannot say of itself: which data its job was given, who submitted it, and which jobs tested the model afterwards."""

import re
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

    def succeeded(self, project: str, name: str, word: str, made_by: str, since: datetime) -> str:
        """The newest job of that name that was submitted since then and succeeded, and had this word in its command or was given what the
        job `made_by` left (empty: no such job); or empty.
        """
        found = self._names.named(project, name, State.SUCCEEDED, since=since)
        left = {one.version for one in self._vault.versions_of_job(made_by)} if made_by and found else set[str]()
        named = re.compile(rf"{re.escape(word)}(?![\w-])")  # models:/tree/1 is not models:/tree/12
        return next((one.id for one in found if _mentions(one, named) or left & {each.version_id for each in one.inputs}), "")  # fmt: skip

    def _reference(self, one: JobInput) -> Reference:
        try:
            return self._vault.reference(one.version_id)
        except NotFound:
            return Reference(one.dataset, one.dataset_name, one.version_id, one.version, one.label, "")


def _mentions(job: Job, named: re.Pattern[str]) -> bool:
    return any(named.search(word) for word in job.argv)
