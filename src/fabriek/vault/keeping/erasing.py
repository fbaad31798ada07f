"""Verbs of keeping and erasing: holds, dates, and the destruction of a dataset's keys with its certificate."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from hashlib import sha256

from fabriek.kernel.callers import SYSTEM, Caller, require, require_confirmed
from fabriek.kernel.dsse import envelope
from fabriek.kernel.errors import NotFound, WrongState, nothing_here
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.keeping.erasures import PAYLOAD_TYPE, Erasure, certificate, check_confirmation
from fabriek.vault.keeping.holds import Hold, Retention, changed, check_reason, lift, refuse_removal
from fabriek.vault.keeping.ports import KeyStores


class Erasing(Desk):
    """How long data stays, and how it goes for ever."""

    def __init__(self, parts: Parts, keeping: KeyStores) -> None:
        super().__init__(parts)
        self._keeping = keeping

    def hold(self, reference: str, reason: str, *, project: str = "", by: Caller) -> Hold:
        """Nothing of the dataset is erased, removed or collected until this is lifted. For security officers."""
        parts = self._parts
        require(by, "data.hold")
        dataset = self._any(reference, project)
        hold = Hold(parts.ids.new("hold"), dataset.id, check_reason(reason), by.person, parts.clock.now())
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            self._refuse_erased(parts.datasets.get(dataset.id))
            self._keeping.holds.add(hold)
            parts.audit.record("hold.set", hold.id, by, dataset=dataset.id)
        return hold

    def unhold(self, reference: str, reason: str, *, project: str = "", by: Caller) -> Sequence[Hold]:
        """Lifts every hold on the dataset. Raises WrongState where there is none."""
        parts = self._parts
        require(by, "data.hold")
        dataset, because = self._any(reference, project), check_reason(reason)
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            standing = [hold for hold in self._keeping.holds.of_dataset(dataset.id) if hold.lifted_at is None]
            if not standing:
                raise WrongState("no hold is on this data", fix="fabriek data holds NAME")
            lifted = [lift(hold, by.person, because, parts.clock.now()) for hold in standing]
            for hold in lifted:
                self._keeping.holds.save(hold)
                parts.audit.record("hold.lifted", hold.id, by, dataset=dataset.id)
        return lifted

    def holds_on(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Hold]:
        """Oldest first, lifted ones too; for whoever may know of the dataset, and for security officers."""
        dataset = self._any(reference, project) if by.may("data.hold") else self._find(reference, project, by)[0]
        return self._keeping.holds.of_dataset(dataset.id)

    def retain(self, reference: str, wanted: Retention, *, project: str = "", by: Caller) -> Dataset:
        """Sets the dates. The owner's decision. Raises WrongState on a promise that would become shorter, InvalidInput."""
        parts = self._parts
        found = self._owned_data(reference, project, by)
        with parts.datasets.transaction(alone=f"dataset:{found.id}"):
            dataset = self._refuse_erased(parts.datasets.get(found.id))
            dates = changed(dataset.retention, wanted, parts.clock.today())
            kept = replace(dataset, keep_until=dates.keep_until, erase_after=dates.erase_after)
            parts.datasets.save(kept)
            parts.audit.record(
                "retention.set",
                dataset.id,
                by,
                keep_until=str(dates.keep_until or ""),
                erase_after=str(dates.erase_after or ""),
            )
        return kept

    def is_held(self, dataset_id: str) -> bool:
        """Whether a legal hold stands, for showing it and for whoever collects."""
        return bool(self.held_among([dataset_id]))

    def held_among(self, dataset_ids: Collection[str]) -> frozenset[str]:
        """Those of the datasets on which a legal hold stands."""
        return self._keeping.holds.standing_on(dataset_ids)

    def check_not_held(self, dataset_id: str) -> None:
        """For what never became a version, which no promise keeps; inside its transaction. Raises WrongState naming the hold."""
        refuse_removal(self._keeping.holds.of_dataset(dataset_id), Retention(), self._parts.clock.today())

    def check_removable(self, dataset_id: str) -> None:
        """For everything that takes data away for ever, inside its transaction. Raises WrongState naming the hold or the day."""
        dataset = self._parts.datasets.get(dataset_id)
        refuse_removal(self._keeping.holds.of_dataset(dataset_id), dataset.retention, self._parts.clock.today())

    def ask(self, reference: str, reason: str, *, project: str = "", by: Caller) -> tuple[Erasure, Dataset]:
        """The first of two steps: nothing happens yet. The owner's decision. Raises WrongState where it may not be erased."""
        parts = self._parts
        dataset = self._owned_data(reference, project, by)
        erasure = Erasure(parts.ids.new("ers"), dataset.id, check_reason(reason), by.person, parts.clock.now())
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            self._refuse_erased(parts.datasets.get(dataset.id))
            self.check_removable(dataset.id)
            self._keeping.erasures.add(erasure)
            parts.audit.record("erasure.asked", erasure.id, by, dataset=dataset.id)
        return erasure, dataset

    def confirm(self, erasure_id: str, name: str, *, of: str = "", by: Caller) -> Erasure:
        """The second: every epoch key is destroyed and the certificate signed, in one transaction; the objects go after it.

        `name` is the dataset's, said once more; `of` its id, where the caller named it too. Asked again, the same. Raises WrongState on a
        hold, a date, or a question of more than a day ago; InvalidInput.
        """
        require_confirmed(by)
        asked = self._keeping.erasures.get(erasure_id)
        dataset = self._owned_data(asked.dataset, "", by)
        if of not in {"", dataset.id}:
            raise nothing_here()
        if asked.erased_at is None:
            self._destroy(erasure_id, name, by)
        self.sweep()
        return self._keeping.erasures.get(erasure_id)

    def certificate_of(self, reference: str, *, project: str = "", by: Caller) -> str:
        """The signed certificate. Raises NotFound where nothing was erased."""
        dataset, _ = self._find(reference, project, by)
        erasure = self._keeping.erasures.of_dataset(dataset.id)
        if erasure is None:
            raise NotFound("this dataset was not erased", fix="fabriek data erase NAME")
        return erasure.certificate

    def erase_overdue(self, *, sweeps: bool = True) -> None:
        """What has outlived its time, holds and promises to keep excepted; then what a server that was killed left to sweep. For the worker,
        which sweeps by itself, beside its rounds.
        """
        parts = self._parts
        for dataset in self._keeping.expiring.to_erase(parts.clock.today()):
            try:
                self.check_removable(dataset.id)
            except WrongState:
                continue
            why = f"its time was over on {dataset.erase_after}"
            erasure = Erasure(parts.ids.new("ers"), dataset.id, why, SYSTEM.person, parts.clock.now())
            with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
                self._keeping.erasures.add(erasure)
                self._destroy(erasure.id, dataset.name, SYSTEM)
        if sweeps:
            self.sweep()

    def sweep(self) -> None:
        """Removes the sealed objects of what is erased: without keys they are noise. Killed anywhere, it is done again; and later, while a
        backup is taken.
        """
        parts = self._parts
        for erasure in self._keeping.erasures.to_sweep():
            names = {
                name for one in parts.versions.of_dataset(erasure.dataset) for name in parts.versions.objects(one.id)
            }
            if not self._delete(sorted(names)):
                return
            with parts.datasets.transaction():
                parts.leftovers.forget(names)
                self._keeping.erasures.save(replace(erasure, swept_at=parts.clock.now()))
                parts.audit.record("erasure.swept", erasure.id, SYSTEM, dataset=erasure.dataset)

    def _destroy(self, erasure_id: str, name: str, by: Caller) -> Erasure:
        parts, now = self._parts, self._parts.clock.now()
        dataset_id = self._keeping.erasures.get(erasure_id).dataset
        with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            asked, dataset = self._keeping.erasures.get(erasure_id), parts.datasets.get(dataset_id)
            check_confirmation(asked, dataset, name, now)
            self.check_removable(dataset_id)
            confirmed = replace(asked, confirmed_by=by.person, erased_at=now)
            versions, epochs = parts.versions.of_dataset(dataset_id), parts.epoch_keys.of_dataset(dataset_id)
            said = certificate(confirmed, dataset, versions, epochs, parts.signer.installation_id, now)
            text = envelope(json.dumps(said, sort_keys=True).encode(), parts.signer, PAYLOAD_TYPE)
            parts.epoch_keys.destroy(dataset_id)
            for damage in parts.damages.of_dataset(dataset_id):
                parts.damages.remove(damage)
            parts.grants.end(now, dataset=dataset_id)
            parts.datasets.save(replace(dataset, erased_at=now, is_published=False))
            erased = replace(confirmed, certificate=text)
            self._keeping.erasures.save(erased)
            parts.audit.record(
                "dataset.erased",
                dataset_id,
                by,
                erasure=asked.id,
                keys=len(epochs),
                sha256=sha256(text.encode()).hexdigest(),
            )
        parts.cipher.forget_dataset(dataset_id)
        return erased

    def _any(self, reference: str, project: str) -> Dataset:
        """For those who hold data that is not theirs to see. Raises NotFound."""
        return self._find(reference, project, SYSTEM)[0]

    def _owned_data(self, reference: str, project: str, by: Caller) -> Dataset:
        dataset, _ = self._find(reference, project, by)
        self._require_owner(dataset, by)
        if dataset.kind is not Kind.DATA:
            raise nothing_here()
        return dataset
