"""What one can say of a model version and answer for: where it comes from, what it is made of, under which licence, how good it is."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, nothing_here
from fabriek.lab.artifacts import Artifact
from fabriek.lab.keeping import Keeping
from fabriek.lab.metrics import Metric
from fabriek.lab.ports import Runs
from fabriek.lab.registry.cards import (
    CARD_CHARACTERS_MAX,
    CARD_FILE,
    Card,
    Licence,
    check_card,
    read_card,
    with_licence,
)
from fabriek.lab.registry.formats import Format, Mark, format_of, worst
from fabriek.lab.registry.looking import Looking
from fabriek.lab.registry.models import ModelVersion
from fabriek.lab.registry.service import Registry
from fabriek.lab.registry.signatures import MLMODEL_BYTES_MAX, MLMODEL_FILE, Signature, read_signature
from fabriek.lab.runs import Run
from fabriek.lab.service import Lab
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.references import Reference

AUTHORS_EVENTS_MAX = 200


class ModelCards(Protocol):
    """Storage of cards that people wrote, and of what files were found to be."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def put(self, version: ModelVersion, card: Card) -> None: ...

    def get(self, version: ModelVersion) -> Card | None:
        """The one that was written for these very files."""

    def kinds(self, objects: Sequence[str]) -> Mapping[str, str]:
        """Object → kind; those not looked at yet are left out."""

    def keep_kinds(self, found: Mapping[str, str]) -> None: ...


class Lineage(Protocol):
    """What is known of the job behind a run, whatever its script says of itself."""

    def inputs_of(self, job: str) -> Sequence[Reference]:
        """The versions that it was given; one that is gone since has no hash."""

    def person_of(self, job: str) -> str:
        """Who submitted it; empty for no job that we know."""

    def succeeded(self, project: str, name: str, word: str, made_by: str, since: datetime) -> str:
        """The newest job of that name that was submitted since then and succeeded, and had this word in its command or was given what the
        job `made_by` left (empty: no such job); or empty.
        """


@dataclass(frozen=True, slots=True)
class BaseRead:
    """A base model that the job read, as the factory gave it out."""

    name: str
    commit: str
    sha256: str
    licence: str
    label: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    path: str
    size: int
    sha256: str
    format: Format


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`run` and `job`: None and empty for what no run or no job made. `withheld`: its label keeps metrics, card and signature back.

    `is_intact`: its files are those that were registered. `authors`: whoever registered it, or submitted its job.
    """

    version: ModelVersion
    aliases: tuple[str, ...]
    run: Run | None
    files: tuple[ModelFile, ...]
    is_intact: bool
    withheld: bool
    card: Card | None
    metrics: tuple[Metric, ...]
    inputs: tuple[Reference, ...]
    base_models: tuple[BaseRead, ...]
    signature: Signature | None
    authors: frozenset[str]

    @property
    def mark(self) -> Mark:
        return worst(one.format.mark for one in self.files)

    @property
    def job(self) -> str:
        return self.run.job if self.run else ""

    @property
    def formats(self) -> tuple[Format, ...]:
        """Those of its files, each once: the worst first."""
        order = list(Mark)
        found = dict.fromkeys(one.format for one in self.files)
        return tuple(sorted(found, key=lambda one: (-order.index(one.mark), one.name)))


@dataclass(frozen=True, slots=True)
class Brief:
    """What a list says of a version. `points`: every alias of its model, and the version that it names."""

    version: ModelVersion
    points: Mapping[str, int]
    mark: Mark
    licence: Licence | None

    @property
    def aliases(self) -> tuple[str, ...]:
        """Those that name this version."""
        return tuple(sorted(alias for alias, number in self.points.items() if number == self.version.number))


class Facts:
    """Reading and completing them."""

    def __init__(
        self,
        registry: Registry,
        keeping: Keeping,
        kept: ModelCards,
        runs: Runs,
        lab: Lab,
        lineage: Lineage,
        looking: Looking,
        *,
        labels: Labels,
        bases: Callable[[str], Sequence[tuple[str, str, str, str, str]]],
        is_released: Callable[[str], bool],
        audit: Audit,
        clock: Clock,
    ) -> None:
        """bases: name, commit, hash, licence and label of the base models that a job read. is_released: whether two people let go of what a
        job emitted.
        """
        self._bases = bases
        self._registry, self._keeping, self._kept, self._runs, self._lab = registry, keeping, kept, runs, lab
        self._lineage, self._looking, self._labels, self._is_released = lineage, looking, labels, is_released
        self._audit, self._clock = audit, clock

    def find(self, project: str, name: str, which: str = "", *, by: Caller) -> ModelVersion:
        """By number, by alias, or the newest where neither is said. Raises NotFound."""
        self._check(project, by)
        try:
            found = self._found(project, name, which, by)
        except NotFound:
            found = None
        if found is None or not found.place:  # a prompt has no files
            what = f"{name[:80]}@{which[:80]}" if which else name[:80]
            raise NotFound(f"there is no model {what} in this project", fix="fabriek model ls")
        return found

    def newest(self, project: str, *, by: Caller) -> Sequence[ModelVersion]:
        """Of each model of the project, by name."""
        self._check(project, by)
        names = [one.name for one in self._registry.all_registered(project, by=by)]
        found = self._registry.model_versions.newest(project, names, by=by)
        return [found[name] for name in sorted(found) if found[name].place]

    def of(self, project: str, name: str, which: str = "", *, by: Caller) -> ModelFacts:
        """Everything. Not inside a transaction: files that were not looked at before are looked at now."""
        version = self.find(project, name, which, by=by)
        artifacts = self._artifacts(version, by)
        run = self._run(version)
        withheld = self._withholds(version, run)
        shown = {one.path: one for one in artifacts} if not withheld else {}
        mlmodel, readme = shown.get(MLMODEL_FILE), shown.get(CARD_FILE)
        said = self._looking.text(mlmodel, MLMODEL_BYTES_MAX) if mlmodel else ""
        return ModelFacts(
            version,
            self.aliases(version, by=by),
            run,
            self._files(artifacts),
            is_intact=digest(artifacts) == version.sha256,
            withheld=withheld,
            card=self._card(version, readme),
            metrics=tuple(self._lab.run(project, run.id, by=by).metrics) if run and not withheld else (),
            inputs=tuple(self._lineage.inputs_of(run.job)) if run and run.job else (),
            base_models=tuple(BaseRead(*one) for one in self._bases(run.job)) if run and run.job else (),
            signature=read_signature(said) if said else None,
            authors=self._authors(version, run),
        )

    def briefs(self, project: str, *, by: Caller) -> Sequence[Brief]:
        """Of the newest version of each model, by name. Not inside a transaction."""
        return [self._brief(one, by) for one in self.newest(project, by=by)]

    def mark(self, version: ModelVersion, *, by: Caller) -> Mark:
        """How safe it is to open. Not inside a transaction."""
        return worst(one.format.mark for one in self._files(self._artifacts(version, by)))

    def aliases(self, version: ModelVersion, *, by: Caller) -> tuple[str, ...]:
        named = self._registry.registered(version.project, version.name, by=by).aliases
        return tuple(sorted(alias for alias, number in named.items() if number == version.number))

    def card(self, project: str, name: str, which: str = "", *, by: Caller) -> Card:
        """As somebody wrote it here, else as it lies among its files. Not inside a transaction. Raises NotFound where there is none."""
        facts = self.of(project, name, which, by=by)
        if facts.card is None:
            what = f"{facts.version.name}@{facts.version.number}"
            raise NotFound(f"{what} has no card", fix=f"write one: fabriek model card {what} --write README.md")
        return facts.card

    def write_card(self, project: str, name: str, which: str, text: str, *, by: Caller) -> Card:
        """In place of what stood there, and of what lies among its files. Raises InvalidInput."""
        require(by, "lab.write", project=project)
        card = replace(check_card(text), written_by=by.person, written_at=self._clock.now())
        with self._kept.transaction(alone=f"model:{project}:{name}"):
            version = self.find(project, name, which, by=by)
            self._kept.put(version, card)
            self._audit.record(
                "model.card_written", version.model_id or version.run, by, project=project, number=version.number
            )
        return card

    def write_licence(self, project: str, name: str, which: str, licence: Licence, *, by: Caller) -> Card:
        """Into the front matter of its card, which is begun where there is none. Not inside a transaction."""
        require(by, "lab.write", project=project)
        facts = self.of(project, name, which, by=by)
        text = facts.card.text if facts.card else f"# {facts.version.name}\n"
        return self.write_card(project, name, str(facts.version.number), with_licence(text, licence), by=by)

    def is_intact(self, version: ModelVersion, *, by: Caller) -> bool:
        """Whether its files are those that were registered."""
        self._check(version.project, by)
        return self._registry.model_versions.is_as_registered(version)

    def _check(self, project: str, by: Caller) -> None:
        require(by, "lab.view", project=project)
        if by.job:  # a job knows its own run
            raise nothing_here()

    def _found(self, project: str, name: str, which: str, by: Caller) -> ModelVersion | None:
        if which.isascii() and which.isdigit():
            return self._registry.version(project, name, which, by=by)
        if which:
            return self._registry.aliased(project, name, which, by=by)
        return self._registry.model_versions.newest(project, [name], by=by).get(name)

    def _brief(self, version: ModelVersion, by: Caller) -> Brief:
        artifacts, run = self._artifacts(version, by), self._run(version)
        readme = next((one for one in artifacts if one.path == CARD_FILE), None)
        card = self._card(version, None if self._withholds(version, run) else readme)
        mark = worst(one.format.mark for one in self._files(artifacts))
        points = self._registry.registered(version.project, version.name, by=by).aliases
        return Brief(version, points, mark, card.licence if card else None)

    def _artifacts(self, version: ModelVersion, by: Caller) -> Sequence[Artifact]:
        return self._registry.model_versions.files(version.project, version.name, version.number, by=by)

    def _files(self, artifacts: Sequence[Artifact]) -> tuple[ModelFile, ...]:
        known = self._kept.kinds([one.object_id for one in artifacts])
        found = {one.object_id: self._looking.kind(one) for one in artifacts if one.object_id not in known}
        if fresh := {one: kind for one, kind in found.items() if kind}:
            # Alone: two who look at once would both add it.
            with self._kept.transaction(alone="lab:kinds"):
                self._kept.keep_kinds(fresh)
        kinds = {**known, **found}
        return tuple(
            ModelFile(one.path, one.size, one.sha256, format_of(one.path, kinds[one.object_id])) for one in artifacts
        )

    def _card(self, version: ModelVersion, readme: Artifact | None) -> Card | None:
        if written := self._kept.get(version):
            return written
        text = self._looking.text(readme, CARD_CHARACTERS_MAX * 2) if readme else ""
        return read_card(text) if text.strip() else None

    def _run(self, version: ModelVersion) -> Run | None:
        try:
            return self._runs.get(version.project, version.run) if version.run else None
        except NotFound:
            return None

    def _withholds(self, version: ModelVersion, run: Run | None) -> bool:
        """From everybody alike: what is said of a model is handed on, and who may look at a run looks there."""
        label = self._labels.highest([version.label, run.label] if run else [version.label])
        return self._labels.withholds_logs(label) and not (run and run.job and self._is_released(run.job))

    def _authors(self, version: ModelVersion, run: Run | None) -> frozenset[str]:
        """The log and the registry say who registered these files, under whatever name; a run says only what its script called itself."""
        added = self._audit.events(by=SYSTEM, limit=AUTHORS_EVENTS_MAX, subject=version.model_id or version.run).items
        found = {one.person for one in added if one.action == "model.version_added"}
        same = [one for one in self._registry.versions(version.project, by=SYSTEM) if one.place == version.place]
        found |= {one.person for one in (version, *same)}
        jobs = {one.removeprefix("job:") for one in found if one.startswith("job:")} | ({run.job} if run else set())
        people = {self._lineage.person_of(job) for job in jobs if job}
        return frozenset({one for one in found if not one.startswith("job:")} | people) - {""}


def digest(artifacts: Sequence[Artifact]) -> str:
    """Over the paths and contents of a version's files, as the registry says it when one is added."""
    return hashlib.sha256("\n".join(f"{one.sha256}  {one.path}" for one in artifacts).encode()).hexdigest()
