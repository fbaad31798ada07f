"""Verbs of opening: a grant on a version for a person or a job, and the objects behind it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import Damaged, NotAuthenticated, NotFound, NotPermitted, nothing_here
from fabriek.vault.agreeing.agreements import DataRight
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import LASTS, LASTS_FOR_JOB, Grant, is_alive
from fabriek.vault.labelling.proposals import Act, Outcome
from fabriek.vault.pushing import Pushing
from fabriek.vault.references import Reference
from fabriek.vault.rules import Refusal, may_stand, releasing_organisations
from fabriek.vault.uploads import Upload, check_open
from fabriek.vault.versions import Facts, Record, Version


@dataclass(frozen=True, slots=True)
class Opened:
    """A grant with what it gives: the believed record of its version, and the manifest's key. Never logged, never stored. `at_store`: its
    objects are read at addresses of the store.
    """

    grant: Grant
    facts: Facts
    record: Record
    manifest_key: bytes
    at_store: bool = False


class Opening(Pushing):
    """Who gets which key."""

    def open(self, reference: str, *, project: str = "", by: Caller) -> Opened:
        """A version for a person, outside any job: that takes it away. `project` is the one acted in; empty finds one that will do.

        Raises NotPermitted naming the rule, NotFound, Damaged when its record does not hold, Unavailable without the master key.
        """
        dataset, version = self.resolve(reference, project=project, by=by)
        dataset = self._labelled(dataset, self._believed(version))
        self._check_released(dataset, by)
        acting = self._project(project).id if project else ""
        rooms = self._first_room(acting, dataset, by) or [""]
        refusals = [self._refused_in(room, dataset, by) for room in rooms]
        if None not in refusals:
            raise refusals[0] or nothing_here()
        return self._hand_out(dataset, version, right=DataRight.TAKE_AWAY, project=rooms[refusals.index(None)], by=by)

    def resume_upload(self, upload_id: str, *, by: Caller) -> tuple[Upload, Dataset, Opened | None]:
        """An upload that was interrupted, with the version that it builds on opened anew. Raises NotFound, WrongState when it is over."""
        parts = self._parts
        upload, dataset = self.upload(upload_id, by=by)
        check_open(upload, parts.clock.now())
        # Which of its objects the version will use is said anew: the folder may have changed meanwhile.
        with parts.datasets.transaction(alone=f"upload:{upload_id}"):
            parts.uploads.forget_uses(upload)
        return upload, dataset, self.parent_of(upload, by=by)

    def parent_of(self, upload: Upload, *, by: Caller) -> Opened | None:
        """The version that an upload builds on, for whoever may take it away today; None when there is none.

        Raises NotPermitted: an upload stays open for days, and who opened it may have left since.
        """
        if not upload.parent or upload.job:
            return None
        parts = self._parts
        version = parts.versions.get(upload.parent)
        if parts.damages.of_version(version.id):
            # Building on damage would carry it on: everything is sent, and the next version is whole again.
            return None
        dataset = parts.datasets.get(version.dataset)
        try:
            if refused := self._refused_in(dataset.project, self._labelled(dataset), by):
                raise refused
            return self._hand_out(dataset, version, right=DataRight.TAKE_AWAY, project=dataset.project, by=by)
        except Damaged:
            # What cannot be read cannot be built upon: everything is sent, and the next version is whole again.
            return None

    def inputs_for_job(
        self, references: Sequence[str], *, project: str, purpose: str, by: Caller
    ) -> Sequence[Reference]:
        """What a job would read, each checked: known to the caller, label below the ceiling, allowed for this purpose here.

        Raises NotFound, NotPermitted naming the rule, Damaged.
        """
        facts_of_project = self._project(project)
        found = []
        for reference in references:
            dataset, version = self.resolve(reference, project=project, by=by)
            if dataset.kind in {Kind.CODE, Kind.ARTIFACTS}:
                raise nothing_here()
            self._refuse_erased(dataset)
            referred = self._referred(dataset, version)
            self._check_label(referred.label, facts_of_project)
            self._check_compute(replace(dataset, label=referred.label), facts_of_project.id, purpose, by)
            found.append(referred)
        return found

    def code_for_job(self, version_id: str, project: str, *, by: Caller) -> Reference:
        """The code of a job, pushed in this project. Raises NotFound for anything else."""
        dataset, version = self.resolve(version_id, project=project, by=by)
        require(by, "job.submit", project=project)
        if dataset.kind is not Kind.CODE or dataset.project != self._project(project).id:
            raise nothing_here()
        return self._referred(dataset, version)

    def check_openable(self, version_ids: Sequence[str]) -> None:
        """Asks for the keys of these versions, as a grant on them would, before a job is begun on them. Not inside a transaction.

        Raises Unavailable while a key home is out of reach or the vault is sealed, NotPermitted when the owner has withdrawn the key,
        WrongState when the data was erased.
        """
        for version_id in version_ids:
            self._parts.cipher.check(self._epoch_of(self._parts.versions.get(version_id)))

    def grant_to_job(self, version_id: str, job: str, *, project: str, purpose: str, person: str = "") -> Grant:
        """On one version."""
        return self.grants_to_job([version_id], job, project=project, purpose=purpose, person=person)[version_id]

    def grants_to_job(
        self, version_ids: Iterable[str], job: str, *, project: str, purpose: str, person: str = ""
    ) -> Mapping[str, Grant]:
        """For the job's node, as it starts, one for each version: asks the rules once more, since an agreement may have ended while the job
        waited, or the person who submitted it may have left. All of them or none.

        The node fetches the keys with its own token. Asked again for the same job, the same grants.
        """
        parts, home, datasets = self._parts, self._project(project), dict[str, str]()
        asked = tuple(version_ids)
        if asked and (refusal := self._left(person, project)):
            raise refusal.error()
        for version_id in asked:
            version = parts.versions.get(version_id)
            dataset = self._labelled(self._refuse_erased(parts.datasets.get(version.dataset)), self._believed(version))
            self._check_label(dataset.label, home)
            self._check_paid(dataset.project)
            if refusal := self._data_refusal(dataset, project=project, purpose=purpose, person=person):
                raise refusal.error()
            datasets[version_id] = dataset.id
        now = parts.clock.now()
        with parts.datasets.transaction(alone=f"job:{job}"):
            # The first of each: what is asked for again is what was given then.
            found = {one.version: one for one in reversed(parts.grants.of_job(job)) if is_alive(one, now)}
            for version_id, dataset_id in datasets.items():
                if version_id in found:
                    continue
                grant = Grant(
                    parts.ids.new("grt"),
                    version_id,
                    dataset_id,
                    project,
                    person,
                    job,
                    DataRight.COMPUTE,
                    now,
                    now + LASTS_FOR_JOB,
                    purpose=purpose,
                )
                parts.grants.add(grant)
                parts.audit.record("grant.opened", grant.id, SYSTEM, version=version_id, job=job, purpose=purpose)
                found[version_id] = grant
        return {version_id: found[version_id] for version_id in datasets}

    def grants_for(self, dataset_id: str, *, limit: int) -> Sequence[Grant]:
        """The newest by which it was opened. Who asks says what of it may be told to whom."""
        return self._parts.grants.of_dataset(dataset_id, limit=limit)

    def projects_that_opened(self, dataset_id: str) -> int:
        """How many there were ever."""
        return self._parts.grants.projects_of(dataset_id)

    def left_by(self, jobs: Collection[str]) -> Sequence[Dataset]:
        """What these jobs left in the vault. Who asks says what of it may be told to whom."""
        return self._parts.datasets.from_jobs(jobs)

    def end_job(self, job: str) -> None:
        """Ends what the job could still open or add. Idempotent."""
        parts = self._parts
        self.end_uploads_of_job(job)
        with parts.datasets.transaction(alone=f"job:{job}"):
            if ended := parts.grants.end(parts.clock.now(), job=job):
                parts.audit.record("grants.ended", job, SYSTEM, count=ended)

    def end_stale_grants(self) -> None:
        """Ends grants whose time is over. For the worker."""
        parts = self._parts
        with parts.datasets.transaction():
            parts.grants.end_stale(parts.clock.now())

    def forget_keys(self) -> None:
        """Drops opened keys whose time is over from memory. For the worker."""
        self._parts.cipher.forget()

    def grant(self, grant_id: str, *, by: Caller) -> Opened:
        """The key once more, for the holder. Raises NotFound for everyone else, NotPermitted when it has ended."""
        parts = self._parts
        grant = self._held(grant_id, by)
        version = parts.versions.get(grant.version)
        facts = self._believed(version)
        key = parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
        return Opened(grant, facts, version.record, key, parts.at_store)

    def end_grant(self, grant_id: str, *, by: Caller) -> None:
        """Gives a grant back. Idempotent."""
        parts = self._parts
        grant = parts.grants.get(grant_id)
        if not _holds(grant, by):
            raise nothing_here()
        with parts.datasets.transaction():
            if parts.grants.end(parts.clock.now(), grant=grant_id):
                parts.audit.record("grant.ended", grant_id, by, version=grant.version)

    def granted_object(self, grant_id: str, object_id: str, *, by: Caller) -> int:
        """The sealed size of an object of the granted version. Raises NotFound for every other object, Damaged when it is gone."""
        grant = self._held(grant_id, by)
        if not self._parts.versions.uses(grant.version, object_id):
            raise nothing_here()
        try:
            return self._parts.blobs.size(object_id)
        except NotFound:
            raise _gone(object_id) from None

    def read_object(self, object_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Sealed bytes of an object that `granted_object` let through. Raises Damaged when it is gone."""
        try:
            yield from self._parts.blobs.get(object_id, start, stop)
        except NotFound:
            raise _gone(object_id) from None

    def require_right(
        self, dataset_ids: Sequence[str], right: DataRight, *, project: str, purpose: str, by: Caller
    ) -> None:
        """For other areas that hold what was made of data: raises NotPermitted unless the right is held on all of it."""
        for dataset_id in dataset_ids:
            dataset = self._labelled(self._parts.datasets.get(dataset_id))
            if refusal := self._refusal(dataset, right, project=project, purpose=purpose, by=by):
                raise refusal.error()

    def is_released(self, job: str) -> bool:
        """Whether two people let go of what the job emitted."""
        found = self._parts.proposals.about(job)
        return any((one.act, one.outcome) == (Act.RELEASE, Outcome.AGREED) for one in found)

    def released_in(self, project: str) -> frozenset[str]:
        """All jobs of a project whose emissions two people let go of."""
        found = self._parts.proposals.agreed_in([project], Act.RELEASE)
        return frozenset(one.subject for one in found)

    def owners_above_the_line(self, dataset_ids: Sequence[str]) -> frozenset[str]:
        """The organisations whose data is in these, through whatever jobs, under a label that withholds what jobs emit: they decide about
        a release.
        """
        return releasing_organisations(self._made_of(self._labelled_ones(dataset_ids)), self._parts.labels)

    def authors_behind(self, dataset_ids: Sequence[str]) -> frozenset[str]:
        """Who submitted the jobs that made these, and those that made what they read: their own work, about which they do not decide."""
        jobs = {one.job for one in self._made_of(self._labelled_ones(dataset_ids)) if one.job}
        return frozenset[str]().union(*self._parts.grants.people_of(jobs).values())

    def _labelled_ones(self, dataset_ids: Sequence[str]) -> Sequence[Dataset]:
        return [self._labelled(self._parts.datasets.get(one)) for one in dataset_ids]

    def _check_released(self, dataset: Dataset, by: Caller) -> None:
        """Raises NotPermitted for what a job made above the line of the policy, until it is released; who decides about that may look."""
        parts = self._parts
        if dataset.kind is not Kind.OUTPUT or not parts.labels.withholds_logs(dataset.label) or by is SYSTEM:
            return
        if self.is_released(dataset.job) or (
            by.organisation in self.owners_above_the_line(dataset.sources)
            and by.person not in self.authors_behind([dataset.id])
        ):
            return
        raise NotPermitted(
            f"what this job made carries the label {dataset.label}",
            rule="label.logs_withheld",
            fix=f"ask for a release: fabriek job release {dataset.job}",
        )

    def _job_refusal(self, dataset: Dataset, *, project: str, purpose: str, person: str) -> Refusal | None:
        """Why a job that this person submitted may not compute on the data now."""
        return self._left(person, project) or self._data_refusal(
            dataset, project=project, purpose=purpose, person=person
        )

    def _left(self, person: str, project: str) -> Refusal | None:
        """Why no job of this person's reads anything in the project."""
        if not person or self._works_in(person, project):
            return None
        return Refusal(
            "project.member",
            "whoever submitted this job is no longer a member of the project",
            "a member submits it again",
        )

    def _data_refusal(self, dataset: Dataset, *, project: str, purpose: str, person: str) -> Refusal | None:
        """Why the data may not be computed on, whoever works there."""
        label = dataset.label
        return may_stand(label, "our nodes", self._parts.places.nodes, self._parts.labels) or self._refusal(
            dataset, DataRight.COMPUTE, project=project, purpose=purpose, by=SYSTEM, person=person
        )

    def _works_in(self, person: str, project: str) -> bool:
        try:
            caller = self._parts.people.caller_for(person)
        except (NotFound, NotAuthenticated):
            return False
        return caller.is_member_of(project) or "job.submit" in caller.rights

    def _refused_in(self, room: str, dataset: Dataset, by: Caller) -> NotPermitted | None:
        purpose = self._project(room).purpose if room else ""
        refusal = self._refusal(dataset, DataRight.TAKE_AWAY, project=room, purpose=purpose, by=by)
        return refusal.error() if refusal else None

    def _check_compute(self, dataset: Dataset, project: str, purpose: str, by: Caller) -> None:
        parts = self._parts
        self._check_paid(dataset.project)
        if refusal := may_stand(dataset.label, "our nodes", parts.places.nodes, parts.labels):
            raise refusal.error()
        if refusal := self._refusal(dataset, DataRight.COMPUTE, project=project, purpose=purpose, by=by):
            raise refusal.error()

    def _hand_out(self, dataset: Dataset, version: Version, *, right: DataRight, project: str, by: Caller) -> Opened:
        """Opens the key first and then records the grant: no key leaves before its record is durable."""
        parts = self._parts
        self._check_paid(dataset.project)
        facts = self._believed(version)
        key = parts.cipher.unwrap(self._epoch_of(version), version.wrapped_key, version.id)
        now = parts.clock.now()
        purpose = self._project(project).purpose if project else ""
        grant = Grant(
            parts.ids.new("grt"),
            version.id,
            dataset.id,
            project,
            by.person,
            "",
            right,
            now,
            now + LASTS,
            purpose=purpose,
        )
        with parts.datasets.transaction():
            parts.grants.add(grant)
            parts.audit.record("grant.opened", grant.id, by, version=version.id, right=right.value)
        return Opened(grant, facts, version.record, key, parts.at_store)

    def _held(self, grant_id: str, by: Caller) -> Grant:
        grant = self._parts.grants.get(grant_id)
        if not _holds(grant, by):
            raise nothing_here()
        if not is_alive(grant, self._parts.clock.now()):
            raise NotPermitted("this grant has ended", rule="grant.ended", fix="open the data again: fabriek data pull")
        return grant


def _holds(grant: Grant, by: Caller) -> bool:
    return by.job == grant.job if grant.job else (by.person == grant.person and not by.job)


def _gone(object_id: str) -> Damaged:
    return Damaged("an object of this version is gone from the store", fix="fabriek data verify NAME", where=object_id)
