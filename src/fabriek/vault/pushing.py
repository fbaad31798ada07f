"""Verbs of a push: open an upload, send objects, commit. The bytes arrive sealed; the server never sees what they say."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, Stale, Unavailable, WrongState, nothing_here
from fabriek.kernel.stored import Stored
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import LASTS_FOR_JOB
from fabriek.vault.holding import Holding
from fabriek.vault.uploads import (
    MINT_MAX,
    OBJECT_BYTES_MAX,
    OBJECTS_MAX,
    OPEN_FOR,
    USE_MAX,
    Progress,
    StoredObject,
    Upload,
    check_open,
    left_too_long,
)
from fabriek.vault.versions import Facts, Version, sign_record

TRIES = 20
"""How often a commit starts over because another one was quicker."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a client says its version is. `manifest_object` is the manifest's outermost page, and `count` how many objects the version
    uses beside it: those that `use` named, and `objects` and `left` with them; `on_parent`, those of the parent that were not left.
    """

    manifest_object: str
    manifest_key: bytes
    files: int
    size_bytes: int
    content_hash: str
    count: int
    objects: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    on_parent: bool = False


def code_name(by: Caller, apart: str = "") -> str:
    """Of the dataset that holds somebody's code in a project."""
    return f"_code-{by.person}-{apart}" if apart else f"_code-{by.person}"


class Pushing(Holding):
    """From an empty upload to a version."""

    def open_upload(self, project_ref: str, reference: str, *, label: str = "", by: Caller) -> Upload:
        """Begins a version of a dataset. Only its owner's people push: the parent's keys come along, so that nothing is sent twice.

        A label may be named to raise the dataset's. Raises NotPermitted (`data.owner`, `label.lowering`, `label.ceiling`,
        `label.accreditation`), NotFound.
        """
        parts = self._parts
        project = self._project(project_ref)
        require(by, "data.write", project=project.id)
        dataset, _ = self._find(reference, project.id, by)
        if dataset.project != project.id or dataset.kind is not Kind.DATA:
            raise nothing_here()
        self._require_owner(dataset, by)
        self._refuse_erased(dataset)
        self._check_paid(project.id)
        chosen = parts.labels.of(label or dataset.label).name
        if parts.labels.exceeds(dataset.label, chosen):
            raise NotPermitted(
                f"this dataset is labelled {dataset.label}, and a push cannot lower that",
                rule="label.lowering",
                fix=f"leave --label out, or push it as another dataset if it holds nothing {dataset.label}",
            )
        self._check_label(chosen, project)
        return self._open(dataset, chosen, by)

    def open_code_upload(self, project_ref: str, *, apart: str = "", by: Caller) -> Upload:
        """Begins a version of the caller's own code in a project: what a job will run. It is in no list. apart: a name for code that does not
        build on what the caller pushed before.
        """
        parts = self._parts
        project = self._project(project_ref)
        require(by, "job.submit", project=project.id)
        name = code_name(by, apart)
        with parts.datasets.transaction(alone=f"project:{project.id}"):
            try:
                dataset = parts.datasets.named(project.id, name)
            except NotFound:
                # Code carries the lowest label: what a job makes is labelled by the data that it reads, not by the script.
                dataset = self._new(project.id, name, by.organisation, parts.labels.lowest, Kind.CODE, by)
                parts.datasets.add(dataset)
                parts.audit.record("dataset.created", dataset.id, by, project=project.id, label=dataset.label)
        return self._open(dataset, dataset.label, by)

    def output_for_job(self, project_id: str, job: str, label: str) -> Upload:
        """Where the job's node seals /output to: a dataset of the job's own. Asked again, the same upload, until it is a version: the
        next attempt gets one of its own.

        Its sources are what the job was granted, so that whoever takes the result away must be allowed to take those away.
        """
        parts = self._parts
        project = self._project(project_id)
        with parts.datasets.transaction(alone=f"job:{job}"):
            known = parts.uploads.of_job(job)
            if known and known.progress is Progress.OPEN:
                return known
            if known:
                return self._open(parts.datasets.get(known.dataset), known.label, SYSTEM, job=job)
            dataset = self._new(
                project.id,
                f"_output-{job}",
                project.lead_organisation,
                parts.labels.of(label).name,
                Kind.OUTPUT,
                SYSTEM,
            )
            dataset = replace(dataset, job=job, sources=self._sources(job))
            parts.datasets.add(dataset)
            parts.audit.record("dataset.created", dataset.id, SYSTEM, project=project.id, label=dataset.label, job=job)
            return self._open(dataset, dataset.label, SYSTEM, job=job)

    def output_from_elsewhere(
        self, project_id: str, pack: str, label: str, sources: Sequence[str], *, by: Caller
    ) -> Upload:
        """Where a person seals what a job made elsewhere: a dataset of the pack's own, which takes label and sources of what was packed.

        It builds on no earlier version: another's results are not the caller's to open.
        """
        parts = self._parts
        project, name = self._project(project_id), f"_output-{pack}"
        with parts.datasets.transaction(alone=f"job:{pack}"):
            try:
                dataset = parts.datasets.named(project.id, name)
            except NotFound:
                plain = self._new(
                    project.id, name, project.lead_organisation, parts.labels.of(label).name, Kind.OUTPUT, SYSTEM
                )
                dataset = replace(plain, job=pack, sources=tuple(sorted(set(sources))))
                parts.datasets.add(dataset)
                parts.audit.record("dataset.created", dataset.id, by, project=project.id, label=dataset.label, job=pack)
            return self._open(dataset, dataset.label, by, alone=True)

    def upload(self, upload_id: str, *, by: Caller) -> tuple[Upload, Dataset]:
        """For whoever holds it, as long as they may write there. Raises NotFound for everyone else, NotPermitted (`data.owner`,
        `job.submit`) for who may no longer.
        """
        upload = self._parts.uploads.get(upload_id)
        holds = by.job == upload.job if upload.job else (by.person == upload.person and not by.job)
        if not holds:
            raise nothing_here()
        dataset = self._parts.datasets.get(upload.dataset)
        if dataset.kind is Kind.DATA:
            self._require_owner(dataset, by)
        elif not upload.job:
            require(by, "job.submit", project=dataset.project)
        return upload, dataset

    @property
    def at_store(self) -> bool:
        """Whether clients put and get sealed bytes at the store themselves."""
        return self._parts.at_store

    def mint(self, upload_id: str, count: int, *, by: Caller) -> Sequence[str]:
        """Names for objects to come. Users never name a place in the store. Raises QuotaExhausted, InvalidInput, WrongState."""
        parts = self._parts
        if not 1 <= count <= MINT_MAX:
            raise InvalidInput(f"ask for 1 to {MINT_MAX} objects at a time", fix="ask again for more")
        names = [parts.ids.new("obj") for _ in range(count)]
        # No event: until the commit nothing has happened that anybody could see.
        with parts.datasets.transaction(alone=f"upload:{upload_id}"):
            upload, _ = self.upload(upload_id, by=by)
            check_open(upload, parts.clock.now())
            parts.uploads.mint(upload, names, objects_max=OBJECTS_MAX)
        return names

    def put_object(self, upload_id: str, object_id: str, chunks: Iterable[bytes], *, by: Caller) -> Stored:
        """Takes one sealed object; durable when this returns. The same bytes may be sent again.

        Raises NotFound for a name that was not minted for this upload, InvalidInput above the limit, AlreadyExists, StorageFull.
        """
        parts = self._parts
        upload, _ = self.upload(upload_id, by=by)
        check_open(upload, parts.clock.now())
        if object_id not in parts.uploads.objects(upload_id, {object_id}):
            raise nothing_here()
        stored = parts.blobs.put(object_id, chunks, bytes_max=OBJECT_BYTES_MAX)
        with parts.datasets.transaction():
            is_awaited = parts.uploads.stored(object_id, stored, parts.clock.now())
        if not is_awaited:  # its upload's time ended while it travelled, and what it had brought was collected
            raise left_too_long()
        return stored

    def use(self, upload_id: str, objects: Collection[str], left: Collection[str] = (), *, by: Caller) -> None:
        """Names objects of the upload that its version will use, and objects of its parent that it will not. Any number of times.

        So a version of any number of objects is never one list. Raises NotFound for an object that is not of this upload, or not of its
        parent, InvalidInput on one that has not arrived, and on too many at a time.
        """
        parts = self._parts
        if len(objects) > USE_MAX or len(left) > USE_MAX:
            raise InvalidInput(f"name at most {USE_MAX} objects at a time", fix="name the others in another request")
        with parts.datasets.transaction(alone=f"upload:{upload_id}"):
            upload, _ = self.upload(upload_id, by=by)
            check_open(upload, parts.clock.now())
            self._use(upload, objects, left)

    def commit(
        self,
        upload_id: str,
        said: Committed,
        *,
        on_newest: bool = False,
        check: Callable[[], None] = lambda: None,
        by: Caller,
    ) -> Version:
        """Makes the upload a version: all of it, or nothing. Asked again with the same, the same version.

        `on_newest`: only while what it builds on is the newest version, for what adds to it; else raises Stale. `check`: asked in the
        transaction before the objects are counted, it may raise, and name some. Raises NotFound for an object that is not of this upload,
        InvalidInput on one that has not arrived, WrongState where there are not as many objects as the client says.
        """
        self._check_said(upload_id, said, by)
        for _ in range(TRIES):
            version = self._try_commit(upload_id, said, by, check, on_newest=on_newest)
            if version is not None:
                return version
        raise Unavailable("too many pushes to this dataset at once", fix="push again", retry_after_seconds=1)

    def end_uploads_of_job(self, job: str) -> None:
        """No more output from a job that is over."""
        parts = self._parts
        found = parts.uploads.of_job(job)
        if found is not None and found.progress is Progress.OPEN:
            with parts.datasets.transaction(alone=f"dataset:{found.dataset}"):
                self._end_upload(found.id)

    def _end_upload(self, upload_id: str) -> None:
        """Alone with whoever commits or collects it, which the caller sees to: an upload that is closed is never opened again."""
        uploads = self._parts.uploads
        upload = uploads.get(upload_id)
        if upload.progress is Progress.OPEN:
            uploads.save(replace(upload, expires_at=min(upload.expires_at, self._parts.clock.now())))

    def _open(self, dataset: Dataset, label: str, by: Caller, *, job: str = "", alone: bool = False) -> Upload:
        """alone: it builds on no earlier version."""
        parts = self._parts
        parent = None if alone else self.newest(dataset.id)
        now = parts.clock.now()
        upload = Upload(
            id=parts.ids.new("upl"),
            dataset=dataset.id,
            label=label,
            person="" if job else by.person,
            job=job,
            parent=parent.id if parent else "",
            opened_at=now,
            expires_at=now + (LASTS_FOR_JOB if job else OPEN_FOR),
        )
        with parts.datasets.transaction():
            parts.uploads.add(upload)
            parts.audit.record("upload.opened", upload.id, by, dataset=dataset.id, label=label)
        return upload

    def _try_commit(
        self, upload_id: str, said: Committed, by: Caller, check: Callable[[], None], *, on_newest: bool
    ) -> Version | None:
        """One attempt; None when the dataset moved on meanwhile. Keys are wrapped and the record signed outside the transaction."""
        parts = self._parts
        upload, dataset = self.upload(upload_id, by=by)
        if upload.progress is Progress.COMMITTED:
            return self._committed_before(upload, said)
        check_open(upload, parts.clock.now())
        manifest_sha256 = self._arrived(upload, {said.manifest_object})[said.manifest_object].sha256
        sources = tuple(sorted({*dataset.sources, *self._sources(upload.job)}))
        labels = [
            upload.label,
            dataset.label,
            *(self._labelled(parts.datasets.get(source)).label for source in sources),
        ]
        version_id = parts.ids.new("ver")
        epoch = self._current_epoch(dataset.id)
        facts = Facts(
            dataset=dataset.id,
            version=version_id,
            number=parts.versions.last_number(dataset.id) + 1,
            sequence=dataset.sequence + 1,
            label=parts.labels.highest(labels),
            organisation=dataset.organisation,
            manifest=said.manifest_object,
            manifest_sha256=manifest_sha256,
            parent=upload.parent,
            content_hash=said.content_hash,
            files=said.files,
            size_bytes=said.size_bytes,
        )
        version = Version(
            id=version_id,
            dataset=dataset.id,
            number=facts.number,
            created_at=parts.clock.now(),
            created_by=by.person,
            record=sign_record(facts, parts.signer),
            epoch=epoch.number,
            wrapped_key=parts.cipher.wrap(epoch, said.manifest_key, version_id),
        )
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            # What keeps the named objects from being collected, asked once more now that no collector can decide otherwise:
            # an upload that is open keeps what it brought, and a version that stands keeps what it uses.
            now_stands = self._refuse_erased(parts.datasets.get(dataset.id))
            held = parts.uploads.get(upload_id)
            is_open = held.progress is Progress.OPEN
            if not is_open or (now_stands.sequence, now_stands.epoch) != (dataset.sequence, epoch.number):
                return None
            # Its end may have come since we looked: whoever holds it was taken out of the project.
            check_open(held, parts.clock.now())
            newest = self.newest(dataset.id) if on_newest else None
            if on_newest and upload.parent != (newest.id if newest else ""):
                raise Stale("somebody else made a version of this dataset meanwhile", fix="do it again")
            # After that: of whoever adds to the newest version a parent that was removed makes no refusal, but another parent.
            self._check_parent(upload, borrows=said.on_parent)
            check()
            parts.versions.add(version, ())
            parts.uploads.use(upload, {said.manifest_object}, ())
            count = parts.uploads.settle(upload, version_id, on_parent=said.on_parent)
            if count != said.count:
                raise WrongState(
                    f"the version uses {said.count} objects, and {count} are here",
                    fix="push again: what arrived is not sent twice",
                )
            label = parts.labels.highest([now_stands.label, facts.label])
            parts.datasets.save(replace(now_stands, sequence=facts.sequence, label=label, sources=sources))
            parts.uploads.save(replace(upload, progress=Progress.COMMITTED, version=version_id))
            parts.audit.record(
                "version.recorded", version_id, by, dataset=dataset.id, sequence=facts.sequence, number=facts.number,
                label=facts.label, manifest_sha256=manifest_sha256,
            )  # fmt: skip
        return version

    def _committed_before(self, upload: Upload, said: Committed) -> Version:
        version = self._parts.versions.get(upload.version)
        if version.facts.manifest != said.manifest_object:
            check_open(upload, self._parts.clock.now())
        return version

    def _check_parent(self, upload: Upload, *, borrows: bool) -> None:
        """Raises WrongState where objects of the parent are named, and it was removed meanwhile."""
        if not borrows or not upload.parent:
            return
        try:
            self._parts.versions.get(upload.parent)
        except NotFound:
            raise WrongState("the version that this push builds on was removed meanwhile", fix="push again") from None

    def _check_said(self, upload_id: str, said: Committed, by: Caller) -> None:
        """What is said with the commit itself; what was committed already is not touched again."""
        parts = self._parts
        if said.count > OBJECTS_MAX:
            raise InvalidInput(f"a version has at most {OBJECTS_MAX} objects", fix="push fewer or larger files")
        upload, _ = self.upload(upload_id, by=by)
        if upload.progress is Progress.OPEN:
            check_open(upload, parts.clock.now())
            self._arrived(upload, {said.manifest_object})
            self.use(upload_id, said.objects, said.left, by=by)

    def _use(self, upload: Upload, objects: Collection[str], left: Collection[str]) -> None:
        parts = self._parts
        self._arrived(upload, objects)
        if left and (not upload.parent or parts.versions.among(upload.parent, left) != frozenset(left)):
            raise nothing_here()
        parts.uploads.use(upload, objects, left)

    def _arrived(self, upload: Upload, objects: Collection[str]) -> Mapping[str, StoredObject]:
        """That these are of the upload, and here."""
        brought = self._parts.uploads.objects(upload.id, objects) if objects else {}
        for name in sorted(objects):
            if name not in brought:
                raise nothing_here()
            if brought[name].size is None:
                raise InvalidInput(f"the object {name} has not arrived", fix="send it, then commit again")
        return brought

    def _sources(self, job: str) -> tuple[str, ...]:
        """The datasets that the job was granted, its code left out."""
        parts = self._parts
        granted = dict.fromkeys(grant.dataset for grant in parts.grants.of_job(job)) if job else {}
        return tuple(one for one in granted if parts.datasets.get(one).kind is not Kind.CODE)
