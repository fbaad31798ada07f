"""What became of a thing in the catalogue: its versions, what it was made from, what came of it, and who used it with what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fabriek.access.service import Access
from fabriek.compute.jobs import Job
from fabriek.compute.ports import JobNames
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, NotFound
from fabriek.knowledge.catalogue.entries import Entry, EntryKind, names_of
from fabriek.knowledge.catalogue.ports import Entries
from fabriek.lab.ports import Runs
from fabriek.lab.registry.service import Registry
from fabriek.vault.service import Vault

LOOKED_AT_MAX, TOLD_MAX = 500, 20
"""The newest uses that are looked through, and so many of each kind are told."""

FEW = 3
"""Fewer projects are not counted out: one more or less would say who."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A version: its number, when it was made, and its size."""

    number: int
    at: datetime
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """A job of a project that the asker is in. `beside`: what it read beside this; `left`: what it left in the vault and the registry."""

    job: str
    name: str
    project: str
    person: str
    at: datetime
    beside: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """`made_from` and `led_to`: entries that the asker may know of. `projects`: how many projects used it, its own among them; 0 where they are
    fewer than FEW. `used`: whether any did.
    """

    versions: Sequence[Dated] = ()
    made_from: Sequence[Entry] = ()
    led_to: Sequence[Entry] = ()
    projects: int = 0
    used: bool = False
    uses: Sequence[Use] = ()


class History:
    """Entries that the asker may not know of are not told of, and jobs only where the asker is in their project."""

    def __init__(
        self, entries: Entries, *, access: Access, vault: Vault, registry: Registry, runs: Runs, jobs: JobNames
    ) -> None:
        self._entries, self._access, self._vault, self._registry = entries, access, vault, registry
        self._runs, self._jobs = runs, jobs

    def of(self, entry: Entry, *, by: Caller) -> Past:
        """Of an entry that the caller may know of; nothing of what has no past here."""
        if entry.kind is EntryKind.DATASET:
            return self._of_dataset(entry, by)
        return self._of_model(entry, by) if entry.kind is EntryKind.MODEL else Past()

    def _of_dataset(self, entry: Entry, by: Caller) -> Past:
        grants = [one for one in self._vault.grants_for(entry.subject, limit=LOOKED_AT_MAX) if one.project]
        projects = self._vault.projects_that_opened(entry.subject)
        jobs = self._jobs.among({one.job for one in grants if one.job})
        left = self._left(jobs)
        return Past(
            self._versions(entry, by),
            self._known(self._sources(entry, by), entry, by),
            self._known([subject for some in left.values() for subject in some], entry, by),
            projects if projects >= FEW else 0,
            used=bool(grants),
            uses=self._uses(jobs, entry.subject, left, by),
        )  # fmt: skip

    def _of_model(self, entry: Entry, by: Caller) -> Past:
        _, project, name = entry.subject.split(":", 2)
        try:
            versions = self._registry.versions(project, name, by=by)
        except FabriekError:  # who is not in the project may know of the model, and of no version
            return Past()
        jobs = self._jobs.among(filter(None, (self._job(one.run) for one in versions[:TOLD_MAX])))
        inputs = [given.dataset for job in _newest(jobs) for given in job.inputs]
        return Past([Dated(one.number, one.created_at) for one in versions], self._known(inputs, entry, by))

    def _versions(self, entry: Entry, by: Caller) -> Sequence[Dated]:
        try:
            found = self._vault.versions(entry.subject, by=by)
        except FabriekError:
            return ()
        return [Dated(one.number, one.created_at, one.facts.size_bytes) for one in found if one.removed_at is None]

    def _sources(self, entry: Entry, by: Caller) -> Iterable[str]:
        try:
            return self._vault.find(entry.subject, by=by).sources
        except FabriekError:  # its card is known to people to whom the data is not
            return ()

    def _job(self, run: str) -> str:
        """Of which a run is; empty for one from outside, and for one that is gone."""
        try:
            return self._runs.anywhere(run).job if run else ""
        except NotFound:
            return ""

    def _left(self, jobs: Mapping[str, Job]) -> Mapping[str, Mapping[str, str]]:
        """Job → subject → name of what it left."""
        left: dict[str, dict[str, str]] = {job: {} for job in jobs}
        for made in self._vault.left_by(jobs):
            left[made.job][made.id] = made.name
        models = self._registry.left_by_runs([one.run for one in jobs.values() if one.run])
        for job in jobs.values():
            left[job.id] |= {f"model:{one.project}:{one.name}": one.name for one in models.get(job.run, ())}
        return left

    def _known(self, subjects: Iterable[str], entry: Entry, by: Caller) -> Sequence[Entry]:
        """Entries of these subjects, each once, that the caller may know of."""
        names = names_of(by.organisation, by.project_rights)
        wanted = [one for one in dict.fromkeys(subjects) if one != entry.subject]
        found = self._entries.of_subjects(wanted[:LOOKED_AT_MAX])
        return [one for one in found if one.known_to in names][:TOLD_MAX]

    def _uses(
        self, jobs: Mapping[str, Job], dataset: str, left: Mapping[str, Mapping[str, str]], by: Caller
    ) -> Sequence[Use]:
        """The newest of the caller's projects."""
        mine = [one for one in _newest(jobs) if by.may("job.view", project=one.project)][:TOLD_MAX]
        slugs = {project: self._access.project(project).slug for project in {one.project for one in mine}}
        return [
            Use(
                job.id, job.name, slugs[job.project], job.person, job.submitted_at,
                tuple(dict.fromkeys(one.dataset_name for one in job.inputs if one.dataset != dataset)), tuple(dict.fromkeys(left[job.id].values())),
            )
            for job in mine
        ]  # fmt: skip


def _newest(jobs: Mapping[str, Job]) -> Sequence[Job]:
    return sorted(jobs.values(), key=lambda one: one.id, reverse=True)
