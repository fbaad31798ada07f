"""Verbs on datasets: make one, find it, list, and let the world know of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import NotFound, nothing_here
from fabriek.vault.datasets import Dataset, Kind, check_name
from fabriek.vault.desk import Desk
from fabriek.vault.keeping.homes import read_home
from fabriek.vault.references import Reference
from fabriek.vault.versions import Facts, Version


class Holding(Desk):
    """What there is."""

    def create(self, project_ref: str, name: str, *, label: str = "", key_home: str = "", by: Caller) -> Dataset:
        """A dataset with no versions yet, owned by the caller's organisation. `key_home`: installation (default) or organisation.

        Raises NotPermitted when the label may not be here (`label.accreditation`) or not in this project (`label.ceiling`),
        AlreadyExists, InvalidInput.
        """
        parts = self._parts
        project = self._project(project_ref)
        require(by, "data.write", project=project.id)
        check_name(name)
        chosen = parts.labels.of(label or parts.labels.default).name
        self._check_label(chosen, project)
        dataset = self._new(project.id, name, by.organisation, chosen, Kind.DATA, by)
        dataset = replace(dataset, key_home=read_home(key_home))
        if dataset.home:
            parts.cipher.check_home(dataset.home)
        with parts.datasets.transaction(alone=f"project:{project.id}"):
            parts.datasets.add(dataset)
            parts.audit.record(
                "dataset.created", dataset.id, by, project=project.id, label=chosen, key_home=str(dataset.key_home)
            )
        return dataset

    def find(self, reference: str, *, project: str = "", by: Caller) -> Dataset:
        """Raises NotFound, also for what the caller may not know of. `project`: where a bare name is looked for."""
        return self._find(reference, project, by)[0]

    def list(self, project_ref: str, *, limit: int, after: str = "", by: Caller) -> Sequence[Dataset]:
        """The project's data by name, from the one after `after` on."""
        project = self._project(project_ref)
        require(by, "data.view", project=project.id)
        return self._parts.datasets.of_project(project.id, Kind.DATA, limit=limit, after=after)

    def versions(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Version]:
        """Newest first."""
        return self._parts.versions.of_dataset(self.find(reference, project=project, by=by).id)

    def newest(self, dataset_id: str) -> Version | None:
        """The newest version, for showing it; whoever opens it asks again."""
        try:
            return self._parts.versions.numbered(dataset_id, 0)
        except NotFound:
            return None

    def newest_of(self, dataset_ids: Collection[str]) -> Mapping[str, Version]:
        """The same of many datasets; those without any version are left out."""
        return self._parts.versions.newest_of(dataset_ids)

    def reference_name(self, dataset_id: str) -> str:
        """The name behind an id, for showing what is published. Raises NotFound."""
        return self._parts.datasets.get(dataset_id).name

    def resolve(self, reference: str, *, project: str = "", by: Caller) -> tuple[Dataset, Version]:
        """A version by any way of naming it. Raises NotFound, which names the dataset to who may know of it."""
        dataset, number = self._find(reference, project, by)
        try:
            return dataset, self._parts.versions.numbered(dataset.id, number)
        except NotFound:
            which = f"version {number}" if number else "version yet"
            raise NotFound(
                f"{dataset.name} has no {which}", fix=f"fabriek data show {dataset.name} lists its versions"
            ) from None

    def reference(self, version_id: str) -> Reference:
        """How a statement of origin names a version. Raises Damaged when its record does not hold."""
        version = self._parts.versions.get(version_id)
        return self._referred(self._parts.datasets.get(version.dataset), version)

    def outputs_of_job(self, job: str) -> tuple[Reference, ...]:
        """What the job left in the vault; empty when it left nothing."""
        found = [(dataset, self.newest(dataset.id)) for dataset in self._parts.datasets.from_job(job)]
        return tuple(self._referred(dataset, version) for dataset, version in found if version is not None)

    def versions_of_job(self, job: str) -> tuple[Reference, ...]:
        """Every version that the job, or the pack, left; newest first."""
        versions = self._parts.versions
        return tuple(
            self._referred(dataset, version)
            for dataset in self._parts.datasets.from_job(job)
            for version in versions.of_dataset(dataset.id)
        )

    def publish(self, dataset_id: str, *, by: Caller) -> Dataset:
        """Lets everybody signed in know of the dataset: its name, label and terms, never its content. The owner's decision."""
        return self._make_known(dataset_id, known=True, by=by)

    def withdraw(self, dataset_id: str, *, by: Caller) -> Dataset:
        """Takes that back."""
        return self._make_known(dataset_id, known=False, by=by)

    def room(self, project_id: str) -> str:
        """The id of the hidden dataset that holds what the dialects seal for a project; made at its first use."""
        name = "_artifacts"
        parts = self._parts
        try:
            return parts.datasets.named(project_id, name).id
        except NotFound:
            project = self._project(project_id)
        with parts.datasets.transaction(alone=f"project:{project_id}"):
            try:
                return parts.datasets.named(project_id, name).id
            except NotFound:
                made = self._new(
                    project.id, name, project.lead_organisation, parts.labels.lowest, Kind.ARTIFACTS, SYSTEM
                )
                parts.datasets.add(made)
                parts.audit.record("dataset.created", made.id, SYSTEM, project=project.id, label=made.label)
        return made.id

    def check_may_hold(self, label: str, project_id: str) -> None:
        """For other areas that keep what they label: raises NotPermitted when that may not be here, or not in this project."""
        self._check_label(label, self._project(project_id))

    def raise_outputs(self, job: str, label: str) -> None:
        """What the job leaves carries this label too, from now on. Joins the open transaction."""
        parts = self._parts
        for one in parts.datasets.from_job(job):
            stands = parts.datasets.get(one.id)
            if (risen := parts.labels.highest([stands.label, label])) != stands.label:
                parts.datasets.save(replace(stands, label=risen))

    def common_room(self, name: str) -> str:
        """The id of the hidden dataset that holds what is sealed for the installation itself, under no project; made at its first use."""
        parts = self._parts
        try:
            return parts.datasets.named("", name).id
        except NotFound:
            made = self._new("", name, "", parts.labels.lowest, Kind.ARTIFACTS, SYSTEM)
        with parts.datasets.transaction(alone="project:"):
            try:
                return parts.datasets.named("", name).id
            except NotFound:
                parts.datasets.add(made)
                parts.audit.record("dataset.created", made.id, SYSTEM, label=made.label)
        return made.id

    def _make_known(self, dataset_id: str, *, known: bool, by: Caller) -> Dataset:
        parts = self._parts
        with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            dataset, _ = self._find(dataset_id, "", by)
            require(by, "knowledge.publish", project=dataset.project)
            self._require_owner(dataset, by)
            if dataset.kind is not Kind.DATA:
                raise nothing_here()
            changed = replace(dataset, is_published=known)
            parts.datasets.save(changed)
            parts.audit.record("dataset.published" if known else "dataset.withdrawn", dataset.id, by)
        return changed

    def _new(self, project: str, name: str, organisation: str, label: str, kind: Kind, by: Caller) -> Dataset:
        parts = self._parts
        return Dataset(
            id=parts.ids.new("ds"),
            project=project,
            name=name,
            organisation=organisation,
            label=label,
            kind=kind,
            created_at=parts.clock.now(),
            created_by=by.person,
        )

    def _referred(self, dataset: Dataset, version: Version, facts: Facts | None = None) -> Reference:
        facts = facts or self._believed(version)
        label = self._effective_label(dataset, facts)
        return Reference(dataset.id, dataset.name, version.id, version.number, label, facts.content_hash)
