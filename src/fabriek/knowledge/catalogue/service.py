"""What one may do with the catalogue: publish, look at, take back, and ask for what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fabriek.access.projects import Project
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose
from fabriek.knowledge.catalogue import entries
from fabriek.knowledge.catalogue.cards import check_doi
from fabriek.knowledge.catalogue.citation import cff
from fabriek.knowledge.catalogue.entries import (
    OPEN_LABEL,
    OWN,
    SUMMARY_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    WRITTEN,
    Entry,
    EntryKind,
    Face,
    Reach,
    check_name,
)
from fabriek.knowledge.catalogue.history import History, Past
from fabriek.knowledge.catalogue.ports import Entries
from fabriek.knowledge.catalogue.snippets import Snippet, snippet
from fabriek.lab.base_models.models import NoSuchModel
from fabriek.lab.base_models.service import BaseModels
from fabriek.lab.registry.service import Registry
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.service import Vault

HARVEST_PAGE = 100

BASE = "base"
"""How the subject of a base model begins; that of a registered one begins with model."""


class Catalogue:
    """An entry makes a thing known to those in its reach; it opens nothing."""

    def __init__(
        self, kept: Entries, history: History, *, access: Access, vault: Vault, registry: Registry, base_models: BaseModels, labels: Labels,
        audit: Audit, clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._entries, self._history = kept, history
        self._access, self._vault, self._registry, self._labels = access, vault, registry, labels
        self._base_models, self._audit, self._clock, self._ids = base_models, audit, clock, ids

    def publish(
        self, project_ref: str, kind: str, subject: str, face: Face, *, reach: Reach = Reach.EVERYONE, by: Caller
    ) -> Entry:
        """An entry for a dataset of one's own organisation, or a model of one's project, in place of an earlier one of the same. Raises InvalidInput,
        NotFound, NotPermitted.
        """
        project = self._access.project(project_ref)
        require(by, "knowledge.publish", project=project.id)
        if kind == EntryKind.DATASET:
            dataset = self._vault.find(subject, project=project.slug, by=by)
            self._check_label(dataset.label, reach)
            if reach in {Reach.EVERYONE, Reach.WORLD}:
                self._vault.publish(dataset.id, by=by)
            return self._keep(
                EntryKind.DATASET, dataset.id, project.id, dataset.organisation, dataset.label, face, reach, by
            )
        if kind == EntryKind.MODEL:
            newest = next(iter(self._registry.versions(project.id, subject, by=by)), None)
            if newest is None:
                return self._publish_base(project, subject, face, reach, by)
            self._check_label(newest.label, reach)
            of = f"model:{project.id}:{subject}"
            return self._keep(EntryKind.MODEL, of, project.id, project.lead_organisation, newest.label, face, reach, by)
        if kind in WRITTEN:
            label = project.label_ceiling if self._labels.withholds_logs(project.label_ceiling) else OPEN_LABEL
            self._check_label(label, reach)
            of = f"{kind}:{project.id}:{check_name(subject)}"
            return self._keep(EntryKind(kind), of, project.id, project.lead_organisation, label, face, reach, by)
        raise InvalidInput(
            f"{kind!r} is not published with a card", fix=f"dataset, model, {', '.join(sorted(WRITTEN))}"
        )

    def shelve(self, kind: EntryKind, faces: Mapping[str, Face]) -> bool:
        """From now on these are what the factory itself has of this kind, by name; whether anything changed."""
        assert kind in OWN, f"{kind} is not the factory's to give"
        wanted = {f"{kind}:{name}": face for name, face in faces.items()}
        with self._entries.transaction(alone=f"shelf:{kind}"):
            there = {one.subject: one for one in self._entries.of_kinds([kind], project="")}
            gone = there.keys() - wanted.keys()
            changed = [one for one, face in wanted.items() if one not in there or there[one].face != face]
            for subject in gone:
                self._entries.remove(there[subject].id)
            for subject in changed:
                self._keep(kind, subject, "", "", OPEN_LABEL, wanted[subject], Reach.EVERYONE, SYSTEM)
        return bool(gone or changed)

    def past(self, entry: Entry, *, by: Caller) -> Past:
        """What became of an entry that the caller was given."""
        require(by, "knowledge.view")
        return self._history.of(entry, by=by)

    def snippet(self, entry: Entry) -> Snippet:
        """How it is used, of an entry that the caller was given."""
        project = self._access.project(entry.project).slug if entry.project else ""
        if entry.kind is EntryKind.DATASET:
            return snippet(entry, project, self._vault.reference_name(entry.subject))
        return snippet(
            entry, project, entry.subject.split(":")[2 if entry.project else 1] if ":" in entry.subject else ""
        )

    def whose(self, entry: Entry) -> tuple[str, str]:
        """The short name of the organisation that an entry is of, and its name. The factory's own is of none."""
        if not entry.organisation:
            return "", "this factory"
        found = self._access.organisation(entry.organisation)
        return found.slug, found.name

    def publish_answer(
        self, question: str, asked: str, answers: Sequence[str], *, organisation: str, by: Caller
    ) -> Entry:
        """A question with those of its answers that are to be found. organisation: of who answered. The desk says who may answer."""
        text = "\n\n".join(answers)[:TEXT_CHARACTERS_MAX]
        face = Face(asked[:TITLE_CHARACTERS_MAX], asked[:SUMMARY_CHARACTERS_MAX], text=text)
        return self._keep(EntryKind.ANSWER, question, "", organisation, OPEN_LABEL, face, Reach.EVERYONE, by)

    def entry(self, entry_id: str, *, by: Caller) -> Entry:
        """Raises NotFound, also for what one may not know of."""
        require(by, "knowledge.view")
        found = self._entries.get(entry_id)
        if found.known_to not in self.names(by):
            raise NotFound("there is no such thing, or you may not know of it", fix="fabriek catalogue search")
        return found

    def citation(self, entry_id: str, address: str, *, by: Caller) -> str:
        """How it is cited, as CITATION.cff. address: the page of the entry. Raises NotFound."""
        found = self.entry(entry_id, by=by)
        if found.kind is EntryKind.ELSEWHERE:
            raise InvalidInput(
                "it is cited as its own catalogue says", fix=f"fabriek catalogue show {entry_id} names its page there"
            )
        return cff(found, self.whose(found)[1], address)

    def withdraw(self, entry_id: str, *, by: Caller) -> None:
        """It is in the catalogue no more; what it describes stays as it is. Raises NotFound, NotPermitted."""
        found = self.entry(entry_id, by=by)
        if found.kind in OWN and not found.project:
            raise NotPermitted(
                f"this {found.kind} is the factory's own, and follows what it offers", rule="catalogue.own", fix="fabriek services"
            )  # fmt: skip
        require(by, "knowledge.publish", project=found.project)
        with self._entries.transaction(alone=f"card:{found.subject}"):
            self._entries.remove(found.id)
            self._audit.record("card.withdrawn", found.id, by, kind=str(found.kind))

    def names(self, by: Caller) -> tuple[str, ...]:
        """All names that stand for the caller: entries of these they may know of."""
        return entries.names_of(by.organisation, by.project_rights)

    def request(self, entry_id: str, project_ref: str, reason: str, *, by: Caller) -> str:
        """Asks the holders of a published dataset for access in one's project; the id of the request."""
        found = self.entry(entry_id, by=by)
        require(by, "access.request")
        if found.kind is not EntryKind.DATASET:
            raise InvalidInput(
                "access is asked for datasets", fix="ask the project that published this, or where it is"
            )
        purpose = self._access.project(project_ref).purpose if project_ref else Purpose.CIVILIAN
        asked = self._vault.request_access(found.subject, project=project_ref, purpose=purpose, reason=reason, by=by)
        return asked.id

    def world(self, *, start: int = 0) -> tuple[Sequence[tuple[Entry, str]], int]:
        """A page of what the world may know of, oldest first, each with the name of whose it is; and how many there are in all."""
        found, total = self._entries.of_the_world(start=start, limit=HARVEST_PAGE)
        return [(one, self.whose(one)[1]) for one in found], total

    def of_the_world(self, entry_id: str) -> Entry:
        """Raises NotFound, also for what the world may not know of."""
        found = self._entries.get(entry_id)
        if found.reach is not Reach.WORLD:
            raise NotFound("there is no such thing, or you may not know of it", fix="fabriek catalogue search")
        return found

    def _publish_base(self, project: Project, name: str, face: Face, reach: Reach, by: Caller) -> Entry:
        """Of a model that was brought in: it has revisions and no versions."""
        try:
            base = self._base_models.get(project.id, name, by=by)
        except NoSuchModel:
            raise NotFound(f"there is no model {name} in this project", fix="fabriek project show") from None
        self._check_label(base.label, reach)
        of = f"{BASE}:{project.id}:{name}"
        return self._keep(EntryKind.MODEL, of, project.id, project.lead_organisation, base.label, face, reach, by)

    def _check_label(self, label: str, reach: Reach) -> None:
        """What is withheld until it is released is known to its project alone: a card would be a way out around the release."""
        if reach is not Reach.PROJECT and self._labels.withholds_logs(label):
            raise NotPermitted(
                f"what is labelled {label} leaves its project after a release alone, and its card too", rule="label.logs_withheld",
                fix="publish it with --reach project, or propose a lower label: fabriek data lower",
            )  # fmt: skip

    def _keep(
        self, kind: EntryKind, subject: str, project: str, organisation: str, label: str, face: Face, reach: Reach, by: Caller
    ) -> Entry:  # fmt: skip
        made = Entry(
            self._ids.new("crd"), kind, subject, project, organisation, label, face.title.strip(), face.summary.strip(), face.licence, face.terms,
            face.keywords, face.language, face.text, self._clock.now(), reach, check_doi(face.doi), face.authors,
        )  # fmt: skip
        entries.check(made)
        with self._entries.transaction(alone=f"card:{subject}"):
            known = self._entries.of_subject(subject)
            if known is not None:
                made = replace(made, id=known.id)
                if made == replace(known, published_at=made.published_at):
                    return known  # so that the same import twice is no news
            self._entries.put(made)
            self._audit.record("card.published", made.id, by, kind=str(kind), label=label, reach=str(reach))
        return made
