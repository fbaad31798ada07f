"""What every verb of the vault stands on: its parts, who may know of a dataset, and the question of the rules, asked in one place."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from fabriek.audit.log import facts_of
from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import Damaged, NotFound, NotPermitted, Unavailable, WrongState, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.kernel.signing import Signer
from fabriek.vault.agreeing.agreements import DataRight
from fabriek.vault.care.ports import Damages, Leftovers, Passes, StandsStill, Walk
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.intake.ports import Arrivals
from fabriek.vault.keeping.epochs import Epoch, EpochCipher
from fabriek.vault.labelling.labels import Labels
from fabriek.vault.labelling.places import NOWHERE_NAMED, Places
from fabriek.vault.ports import (
    Addresses,
    Agreements,
    Blobs,
    Datasets,
    EpochKeys,
    Grants,
    Paying,
    People,
    ProjectFacts,
    Projects,
    Proposals,
    Requests,
    Tags,
    TermsKept,
    Trained,
    Uploads,
    Versions,
)
from fabriek.vault.references import is_id, read_reference
from fabriek.vault.rules import Asker, Refusal, may, may_hold, may_stand, untrained
from fabriek.vault.versions import Facts, Version, check_record


@dataclass(frozen=True, slots=True)
class Parts:
    """What the vault is made of. `accredited`: the owner declared this installation fit for state labels. `places`: where its store,
    nodes and backups stand. `addresses`: of a store that clients reach themselves. `arriving_bytes_max`: what one person may have on the
    way through the server. `paying`: who knows whether storage is paid for; `trained`: who took which course; None where nobody asks.
    """

    datasets: Datasets
    versions: Versions
    tags: Tags
    uploads: Uploads
    arrivals: Arrivals
    grants: Grants
    agreements: Agreements
    requests: Requests
    terms: TermsKept
    proposals: Proposals
    epoch_keys: EpochKeys
    blobs: Blobs
    leftovers: Leftovers
    damages: Damages
    walk: Walk
    passes: Passes
    cipher: EpochCipher
    signer: Signer
    projects: Projects
    people: People
    audit: Audit
    labels: Labels
    clock: Clock
    ids: Ids
    accredited: bool = False
    places: Places = NOWHERE_NAMED
    addresses: Addresses | None = None
    arriving_bytes_max: int = 2**40
    paying: Paying | None = None
    trained: Trained | None = None

    @property
    def at_store(self) -> bool:
        """Whether clients put and get sealed bytes at the store themselves."""
        return self.addresses is not None


class Desk:
    """The base of the groups of verbs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def labels(self) -> Labels:
        """The labels of this installation."""
        return self._parts.labels

    def _project(self, name: str) -> ProjectFacts:
        try:
            return self._parts.projects.project(name)
        except NotFound:
            raise nothing_here() from None

    def _find(self, reference: str, project: str, by: Caller) -> tuple[Dataset, int]:
        """The dataset that the caller means, and the number of the version (0: the newest).

        `reference` is an id, `name`, `name@3`, `name@tag` or `home/name@3`; a bare name is one of `project`. Raises NotFound, the same for what
        is not there and for what the caller may not know of.
        """
        parts = self._parts
        if is_id(reference, "ver"):
            version = parts.versions.get(reference)
            dataset, number = parts.datasets.get(version.dataset), version.number
        elif is_id(reference, "ds"):
            dataset, number = parts.datasets.get(reference), 0
        else:
            named = read_reference(reference)
            home = named.project or project
            if not home:
                raise nothing_here()
            dataset, number = parts.datasets.named(self._project(home).id, named.name), named.number
            if named.tag and self._may_know(dataset, by):
                number = self._tagged(dataset, named.tag)
        if not self._may_know(dataset, by):
            raise nothing_here()
        return dataset, number

    def _tagged(self, dataset: Dataset, name: str) -> int:
        """The number of the version that a tag names. Raises NotFound."""
        tag = self._parts.tags.get(dataset.id, name)
        if tag is None:
            raise NotFound(f"{dataset.name} has no tag {name}", fix=f"fabriek data show {dataset.name} lists them")
        return self._parts.versions.get(tag.version).number

    def _may_know(self, dataset: Dataset, by: Caller) -> bool:
        if by is SYSTEM or by.may("data.view", project=dataset.project):
            return True
        if dataset.is_published and dataset.kind is Kind.DATA:
            return True
        if (terms := self._parts.terms.numbered(dataset.id, 0)) and by.person in terms.committee:
            return True
        agreed = {agreement.project for agreement in self._parts.agreements.of_dataset(dataset.id)}
        return any(by.may("data.view", project=project) for project in agreed)

    def _check_paid(self, project: str) -> None:
        """Raises NotPermitted where access to what this project keeps is shut, since its storage is not paid for."""
        if self._parts.paying is not None:
            self._parts.paying.check_data(project)

    def _require_owner(self, dataset: Dataset, by: Caller) -> None:
        """Raises NotPermitted unless the caller manages this data for the organisation that owns it."""
        if not self._owns(dataset, by):
            raise NotPermitted(
                "only people of the organisation that owns this data decide about it",
                rule="data.owner",
                fix="ask its owner: fabriek data request NAME",
            )

    def _owns(self, dataset: Dataset, by: Caller) -> bool:
        managed = by.may("data.manage", project=dataset.project) and by.organisation == dataset.organisation
        return by is SYSTEM or managed

    def _refusal(
        self, dataset: Dataset, wanted: DataRight, *, project: str, purpose: str, by: Caller, person: str = ""
    ) -> Refusal | None:
        """Why not, for the dataset and for everything that it was made of; None when it is allowed. `person` is whose acceptance of terms
        and whose training counts, if not the caller's.

        The caller gives the dataset as `_labelled` says it is: a label lowered behind the service's back does not count.
        """
        parts = self._parts
        person = person or ("" if by is SYSTEM else by.person)
        for one in self._made_of([dataset]):
            asker = Asker(
                project=project,
                organisation=by.organisation,
                purpose=purpose,
                in_home=(by is SYSTEM and project == one.project) or by.may("data.view", project=one.project),
                manages_home=by.may("data.manage", project=one.project),
                today=parts.clock.today(),
                accepted=parts.terms.accepted_by(person, one.id) if person else None,
                nodes=parts.places.nodes,
            )
            if refusal := may(one, parts.agreements.of_dataset(one.id), asker, wanted, parts.labels):
                return refusal
            if person and parts.trained and (refusal := untrained(one.label, person, parts.labels, parts.trained)):
                return refusal
        return None

    def _made_of(self, datasets: Iterable[Dataset]) -> Iterator[Dataset]:
        """These and everything that they were made of, through all jobs between, each once; what is behind them as `_labelled` says it is."""
        seen, open_questions = set[str](), list(datasets)
        while open_questions:
            one = open_questions.pop()
            if one.id not in seen:
                seen.add(one.id)
                yield one
                open_questions += [self._labelled(self._parts.datasets.get(source)) for source in one.sources]

    def _labelled(self, dataset: Dataset, facts: Facts | None = None) -> Dataset:
        """The dataset under the label that was signed, if that is higher than the one that stands; by default its newest version's.

        Raises Damaged when that record does not hold.
        """
        if facts is None:
            try:
                facts = self._believed(self._parts.versions.numbered(dataset.id, 0))
            except NotFound:
                return dataset
        return replace(dataset, label=self._effective_label(dataset, facts))

    def _check_label(self, label: str, project: ProjectFacts) -> None:
        """Raises NotPermitted when data of this label may not be here, or not in this project."""
        parts = self._parts
        refusal = may_hold(label, project.label_ceiling, parts.labels, accredited=parts.accredited)
        if refusal := refusal or may_stand(label, "our store", parts.places.store, parts.labels):
            raise refusal.error()

    def _believed(self, version: Version) -> Facts:
        """The version's record, once signature and sequence hold. Raises Damaged."""
        parts = self._parts
        return check_record(version, parts.signer.public_key_bytes(), self._newest_sequence(version))

    def _newest_sequence(self, version: Version) -> int:
        """What the audit log says is the newest record of this version. Raises Damaged when it knows of none."""
        page = self._parts.audit.events(by=SYSTEM, limit=1, subject=version.id)
        for event in page.items:
            sequence = facts_of(event).get("sequence")
            if event.action == "version.recorded" and isinstance(sequence, int):
                return sequence
        raise Damaged(
            "the audit log does not know of a version", fix="fabriek audit verify", where=f"{version.id} record"
        )

    def _effective_label(self, dataset: Dataset, facts: Facts) -> str:
        """The higher of what was signed and what stands: lowering either behind the service's back does not help."""
        return self._parts.labels.highest([dataset.label, facts.label])

    def _current_epoch(self, dataset_id: str) -> Epoch:
        """The epoch that new keys are wrapped under, made when this is its first use. Not inside a transaction: it may ask for
        the master key.
        """
        parts = self._parts
        number = parts.datasets.get(dataset_id).epoch
        try:
            return parts.epoch_keys.get(dataset_id, number)
        except NotFound:
            made = parts.cipher.make(dataset_id, number, self._refuse_erased(parts.datasets.get(dataset_id)).home)
        with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            self._refuse_erased(parts.datasets.get(dataset_id))
            parts.epoch_keys.add(made)
        return parts.epoch_keys.get(dataset_id, number)

    def _epoch_of(self, version: Version) -> Epoch:
        """The epoch that a version's key is wrapped under. Raises WrongState when the dataset was erased."""
        self._refuse_erased(self._parts.datasets.get(version.dataset))
        return self._parts.epoch_keys.get(version.dataset, version.epoch)

    def _refuse_erased(self, dataset: Dataset) -> Dataset:
        """The dataset, unless its keys are destroyed. Raises WrongState."""
        if dataset.erased_at is not None:
            raise WrongState(
                f"this dataset was erased on {dataset.erased_at:%Y-%m-%d}", fix=f"fabriek data certificate {dataset.id}"
            )
        return dataset

    def _begin_epoch(self, dataset_id: str) -> Dataset:
        """Moves the dataset to its next epoch, in the open transaction; the key is made when it is first needed."""
        parts = self._parts
        dataset = parts.datasets.get(dataset_id)
        moved = replace(dataset, epoch=dataset.epoch + 1)
        parts.datasets.save(moved)
        return moved

    def _delete(self, names: Iterable[str]) -> bool:
        """Takes objects out of the store that no record names any more. Outside any transaction. False while a backup is being taken, whose
        copy of the records may name them: none is touched then, and whoever asked leaves them to a later turn instead of waiting.
        """
        blobs = self._parts.blobs
        with ExitStack() as standing:
            if isinstance(blobs, StandsStill):
                try:
                    standing.enter_context(blobs.deleting())
                except Unavailable:
                    return False
            for name in names:
                blobs.delete(name)
        return True

    def _first_room(self, acting: str, dataset: Dataset, by: Caller) -> Sequence[str]:
        """The projects to try for a caller: the one named, else home and those with an agreement that they work in."""
        if acting:
            return [acting]
        agreed = [agreement.project for agreement in self._parts.agreements.of_dataset(dataset.id)]
        return [one for one in dict.fromkeys([dataset.project, *agreed]) if by.is_member_of(one)]
