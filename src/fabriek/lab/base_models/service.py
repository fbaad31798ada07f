"""Verbs on base models: bring one in, find it, read it. Reading takes it out of the building, or into a job that then carries its label."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.kernel.streams import Counted
from fabriek.lab.artifacts import Artifact
from fabriek.lab.base_models import formats, models
from fabriek.lab.base_models.cards import ModelCard, licence_of, read_card
from fabriek.lab.base_models.models import (
    CARD,
    BaseModel,
    Content,
    ModelFile,
    NoSuchFile,
    NoSuchModel,
    NoSuchRevision,
    Pushed,
    Revision,
    Use,
)
from fabriek.lab.base_models.ports import BaseModelStore, Contents, JobLabels, Labelled, Safe, Uses
from fabriek.lab.base_models.streams import Looked
from fabriek.lab.ports import Rooms
from fabriek.lab.recording import OUTSIDE_LABEL
from fabriek.lab.registry.looking import Looking
from fabriek.vault.labelling.labels import Labels

UNUSED_FOR = timedelta(days=7)
"""How long what arrived may wait to be named by a revision: longer than the longest push."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a push would do: which contents must come first, and the commit that it would make, if that is known by now."""

    missing: tuple[str, ...]
    label: str
    licence: str


class BaseModels:
    """Models that were brought in."""

    def __init__(
        self,
        store: BaseModelStore,
        contents: Contents,
        uses: Uses,
        *,
        safe: Safe,
        rooms: Rooms,
        labelled: Labelled,
        job_labels: JobLabels,
        labels: Labels,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store, self._contents, self._uses = store, contents, uses
        self._safe, self._rooms, self._labelled, self._job_labels = safe, rooms, labelled, job_labels
        self._looking = Looking(safe, rooms)
        self._labels, self._audit, self._clock = labels, audit, clock

    # Bringing in.

    def plan(self, project: str, pushed: Pushed, *, by: Caller) -> Planned:
        """What must be sent for this push. Raises, before a byte was sent, what the push would raise at its end."""
        require(by, "lab.write", project=project)
        card = self._checked(pushed)
        label = self._label_of(project, pushed, self._store.get(project, pushed.name))
        wanted = list(dict.fromkeys(one.sha256 for one in pushed.files))
        here = {one.sha256 for one in self._contents.among(project, pushed.name, wanted)}
        missing = tuple(one for one in wanted if one not in here)
        return Planned(missing, label, licence_of(card, pushed.licence))

    def take(
        self, project: str, name: str, sha256: str, size: int, chunks: Iterable[bytes], *, allow_code: bool, by: Caller
    ) -> None:
        """Seals one content as it comes. Raises InvalidInput where it is not what was announced; then nothing of it is left."""
        require(by, "lab.write", project=project)
        models.check_name(name)
        models.check_sha256(sha256)
        if self._contents.among(project, name, [sha256]):
            return
        if not 0 <= size <= models.FILE_BYTES_MAX:
            raise InvalidInput(f"a file has at most {models.FILE_BYTES_MAX:,} bytes", fix="save the model in parts")

        def check_head(head: bytes) -> None:
            why = formats.why_code("", "pickle") if formats.begins_as_pickle(head) else ""
            formats.check_allowed("one of the files", why, allow_code=allow_code)

        room = self._rooms.room(project)
        counted = Counted(Looked(chunks, formats.HEAD_BYTES, check_head), bytes_max=max(size, 1))
        sealed = self._safe.put(room, counted)
        try:
            kept = self._looked_at(project, name, sealed.id, counted, sha256, size, allow_code=allow_code)
        except BaseException:
            self._safe.remove(room, sealed.id)
            raise
        with self._store.transaction(alone=_key(project, name)):
            another = bool(self._contents.among(project, name, [sha256]))
            if not another:
                self._contents.add(kept)
        if another:
            self._safe.remove(room, sealed.id)

    def push(self, project: str, pushed: Pushed, *, by: Caller) -> tuple[Revision, bool]:
        """A revision of what arrived, and the branch on it; whether anything is new. The same files under the same licence are the same
        revision. Raises InvalidInput, NotPermitted (`model.code`, `model.agreement`, `label.lowering`, `label.ceiling`).
        """
        require(by, "lab.write", project=project)
        card = self._checked(pushed)
        licence = licence_of(card, pushed.licence)
        with self._store.transaction(alone=_key(project, pushed.name)):
            known = self._store.get(project, pushed.name)
            label = self._label_of(project, pushed, known)
            files = self._marked(project, pushed)
            digest, now = models.digest_of(licence, files), self._clock.now()
            commit = models.commit_of(digest)
            model = known or BaseModel(project, pushed.name, label, by.organisation, now, by.person, now)
            if model.label == label and model.branches.get(pushed.branch) == commit:
                return self._revision(model, commit), False
            revision = Revision(
                project, model.name, commit, digest, licence, pushed.card, card.facts, sum(one.size for one in files), len(files),
                any(one.is_code for one in files), now, by.person,
            )  # fmt: skip
            self._store.add_revision(revision, files)
            self._store.put(
                replace(model, label=label, changed_at=now, branches={**model.branches, pushed.branch: commit})
            )
            self._audit.record(
                "base_model.pushed", commit, by, project=project, label=label, files=len(files), code=revision.has_code
            )
        self._clear(project)
        return self._revision(model, commit), True

    def remove(self, project: str, name: str, *, by: Caller) -> None:
        """A model with all its revisions; its keys go with it. That it was read stays on record. Raises NoSuchModel."""
        require(by, "data.manage", project=project)
        room = self._rooms.room(project)
        with self._store.transaction(alone=_key(project, name)):
            model = self.get(project, name, by=by)
            held = self._contents.of_model(project, name)
            for one in held:
                self._contents.remove(one)
            self._store.remove(model)
            for commit in sorted(set(model.branches.values())):
                self._audit.record("base_model.removed", commit, by, project=project, label=model.label)
        for one in held:
            self._safe.remove(room, one.object_id)

    # Finding.

    def all(self, project: str, *, by: Caller) -> Sequence[BaseModel]:
        """By name."""
        require(by, "lab.view", project=project)
        return self._store.of_project(project)

    def get(self, project: str, name: str, *, by: Caller) -> BaseModel:
        """Raises NoSuchModel."""
        require(by, "lab.view", project=project)
        found = self._store.get(project, name)
        if found is None:
            raise no_such_model()
        return found

    def revision(self, project: str, name: str, revision: str, *, by: Caller) -> tuple[BaseModel, Revision]:
        """By a branch or a commit. Raises NoSuchModel, NoSuchRevision."""
        model = self.get(project, name, by=by)
        commit = revision if models.is_commit(revision) else model.branches.get(revision, "")
        return model, self._revision(model, commit)

    def newest(self, model: BaseModel) -> Revision:
        """What clients get that name no revision; without a branch of that name, the one that was pushed last."""
        branches = model.branches
        return self._revision(model, branches.get(models.MAIN) or next(reversed(list(branches.values()))))

    def files(self, revision: Revision, *, by: Caller) -> Sequence[ModelFile]:
        """By path."""
        require(by, "lab.view", project=revision.project)
        return self._store.files(revision.project, revision.name, revision.commit)

    # Reading.

    def file(self, project: str, name: str, revision: str, path: str, *, by: Caller) -> tuple[Revision, ModelFile]:
        """A file that the caller may read. Raises NoSuchModel, NoSuchRevision, NoSuchFile, NotPermitted."""
        model, found = self.revision(project, name, revision, by=by)
        if by.job:
            self._job_labels.check(by.job, model.label)
        for one in self._store.files(project, name, found.commit):
            if one.path == path:
                return found, one
        raise NoSuchFile("this revision has no such file", commit=found.commit)

    def open(self, revision: Revision, file: ModelFile, start: int, stop: int, *, by: Caller) -> Iterator[bytes]:
        """Bytes start ≤ position < stop of what `file` gave. A job carries the model's label before it has the first of them."""
        model = self.get(revision.project, revision.name, by=by)
        if by.job:
            self._job_labels.rise(by.job, model.label)
        use = Use(
            revision.project, revision.name, revision.commit, by.job, "" if by.job else by.person,
            date.min if by.job else self._clock.today(), revision.sha256, revision.licence, model.label,
        )  # fmt: skip
        with self._store.transaction():
            if self._uses.note(use):
                self._audit.record(
                    "base_model.read" if by.job else "base_model.taken", revision.commit, by, project=revision.project,
                    label=model.label,
                )  # fmt: skip
        (content,) = self._contents.among(revision.project, revision.name, [file.sha256])
        return self._safe.open(self._rooms.room(revision.project), content.object_id, start, stop)

    def of_job(self, job: str) -> tuple[tuple[str, str, str, str, str], ...]:
        """(name, commit, sha256, licence, label) of what the job read: for its statement of origin."""
        return tuple((one.name, one.commit, one.sha256, one.licence, one.label) for one in self._uses.of_job(job))

    def _looked_at(
        self, project: str, name: str, object_id: str, came: Counted, sha256: str, size: int, *, allow_code: bool
    ) -> Content:
        """What arrived, with its kind. Raises InvalidInput on something else than was announced, NotPermitted on code."""
        if (came.size, came.sha256.hexdigest()) != (size, sha256):
            raise InvalidInput("what arrived is not the file that was announced", fix="push again; did it change?")
        kind = self._looking.kind(Artifact(project, "", "", object_id, size, sha256))
        formats.check_allowed("one of the files", formats.why_code("", kind), allow_code=allow_code)
        return Content(project, name, sha256, object_id, size, kind, self._clock.now())

    def _checked(self, pushed: Pushed) -> ModelCard:
        """The card, once everything holds that needs no look at what is here."""
        models.check_name(pushed.name)
        models.check_branch(pushed.branch)
        models.check_files(pushed.files)
        for one in pushed.files:
            formats.check_allowed(one.path, formats.why_code(one.path), allow_code=pushed.allow_code)
        written = next((one for one in pushed.files if one.path == CARD), None)
        if written is not None and written.sha256 != _sha256_of(pushed.card):
            raise InvalidInput(f"the card is not what {CARD} holds", fix="push again, with README.md in UTF-8")
        return read_card(pushed.card if written is not None else "")

    def _label_of(self, project: str, pushed: Pushed, known: BaseModel | None) -> str:
        """What the model carries from this push on."""
        stands = known.label if known else self._labels.of(OUTSIDE_LABEL).name
        label = self._labels.of(pushed.label).name if pushed.label else stands
        if self._labels.exceeds(stands, label):
            raise NotPermitted(
                f"this base model carries {stands}, and a push cannot lower that"
                if known
                else f"what comes from outside carries at least {stands}",
                rule="label.lowering",
                fix="leave --label out",
            )
        if self._labels.needs_agreement(label) or self._labels.withholds_logs(label):
            # Nobody owns it who could agree, or decide about a release of what is made of it.
            raise NotPermitted(
                f"what is labelled {label} needs an agreement with its owner, and a base model has none",
                rule="model.agreement",
                fix="push it as a dataset: fabriek data push DIR NAME --label …, and give it to jobs with --data",
            )
        self._labelled.check_may_hold(label, project)
        return label

    def _marked(self, project: str, pushed: Pushed) -> list[ModelFile]:
        """The files with their marks, by what arrived. Raises InvalidInput where something has not."""
        here: Mapping[str, Content] = {
            one.sha256: one
            for one in self._contents.among(project, pushed.name, [file.sha256 for file in pushed.files])
        }
        made = []
        for one in pushed.files:
            content = here.get(one.sha256)
            if content is None or content.size != one.size:
                raise InvalidInput(f"{one.path} has not arrived", fix="push again: what is here is not sent twice")
            formats.check_allowed(one.path, formats.why_code(one.path, content.kind), allow_code=pushed.allow_code)
            made.append(formats.marked(one, content.kind))
        return sorted(made, key=lambda one: one.path)

    def _revision(self, model: BaseModel, commit: str) -> Revision:
        found = self._store.revision(model.project, model.name, commit) if commit else None
        if found is None:
            raise NoSuchRevision("this base model has no such revision")
        return found

    def _clear(self, project: str) -> None:
        """Lets go of what was sent and never named by a revision: of a push that broke off, or was refused at its end."""
        before = self._clock.now() - UNUSED_FOR
        for one in self._contents.unused(project, before):
            with self._store.transaction(alone=_key(project, one.name)):
                # Asked again, alone with that model: a push may have named it meanwhile.
                if one not in self._contents.unused(project, before):
                    continue
                self._contents.remove(one)
            self._safe.remove(self._rooms.room(project), one.object_id)


def no_such_model() -> NoSuchModel:
    return NoSuchModel(
        "there is no such base model, or you may not know of it", fix="fabriek model bases lists those of your project"
    )


def _key(project: str, name: str) -> str:
    return f"base-model:{project}:{name}"


def _sha256_of(text: str) -> str:
    # What JSON can say and UTF-8 cannot is in no file.
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()
