"""Verbs of lowering a label: one person proposes it with a reason, another one signs, and only then new records say so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fabriek.audit.log import facts_of
from fabriek.kernel.callers import SYSTEM, Caller, require_confirmed
from fabriek.kernel.errors import AlreadyExists, InvalidInput, Unavailable, WrongState, nothing_here
from fabriek.vault.closing import Closing
from fabriek.vault.datasets import Dataset
from fabriek.vault.labelling import proposals
from fabriek.vault.labelling.proposals import Act, Outcome, Proposal, Signature
from fabriek.vault.pushing import TRIES
from fabriek.vault.rules import may_hold
from fabriek.vault.versions import Record, sign_record

EVENTS_LOOKED_AT = 500
"""The newest of a dataset, among which its lowerings are looked for."""


class Lowering(Closing):
    """Labels go up by themselves, and down by two people."""

    def propose_lowering(self, reference: str, label: str, reason: str, *, project: str = "", by: Caller) -> Proposal:
        """Asks for a lower label on a dataset and the versions that it has now; the proposer's is the first signature.

        Raises NotPermitted (`data.owner`, `label.accreditation`), InvalidInput on a label that is not lower, AlreadyExists.
        """
        parts = self._parts
        dataset = self._labelled(self._refuse_erased(self._owned(reference, project, by)))
        chosen = parts.labels.of(label).name
        if refusal := may_hold(dataset.label, dataset.label, parts.labels, accredited=parts.accredited):
            raise refusal.error()
        if parts.labels.exceeds(chosen, dataset.label) or chosen == dataset.label:
            raise InvalidInput(
                f"{chosen} is not lower than {dataset.label}", fix="a push raises a label: fabriek data push --label"
            )
        now = parts.clock.now()
        proposal = Proposal(
            parts.ids.new("low"), Act.LOWER, dataset.id, dataset.project, chosen, proposals.read_reason(reason), by.person, now,
            signatures=(Signature(by.person, by.organisation, now),),
        )  # fmt: skip
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            if any(one.outcome is Outcome.OPEN for one in parts.proposals.about(dataset.id)):
                raise AlreadyExists(
                    "a lowering of this dataset waits for its second person", fix="sign or refuse that one"
                )
            newest = self.newest(dataset.id)
            proposal = replace(proposal, covers=newest.number if newest else 0)
            parts.proposals.add(proposal)
            parts.audit.record("label.lowering_proposed", proposal.id, by, dataset=dataset.id, label=chosen)
        return proposal

    def sign_lowering(self, proposal_id: str, *, by: Caller) -> Proposal:
        """The second person agrees: the dataset's versions get new signed records under the lower label, all or none.

        Raises NotPermitted (`proposal.second_person`, `data.owner`), WrongState, also where versions came since it was proposed, Damaged when
        a record does not hold.
        """
        require_confirmed(by)
        for _ in range(TRIES):
            if signed := self._try_lowering(proposal_id, by):
                return signed
        raise Unavailable("too many pushes to this dataset at once", fix="sign again", retry_after_seconds=1)

    def refuse_lowering(self, proposal_id: str, words: str, *, by: Caller) -> Proposal:
        """Somebody of the owner refuses, or the proposer takes it back."""
        parts = self._parts
        _, dataset = self._lowering(proposal_id, by)
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            proposal, _ = self._lowering(proposal_id, by)
            refused = proposals.refuse(proposal, by.person, words)
            parts.proposals.save(refused)
            parts.audit.record("label.lowering_refused", proposal_id, by, dataset=dataset.id)
        return refused

    def lowerings_of(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Proposal]:
        """Newest first. For the owner."""
        found = self._parts.proposals.about(self._owned(reference, project, by).id)
        return [one for one in found if one.act is Act.LOWER]

    def lowered_from(self, reference: str, *, project: str = "", by: Caller) -> Mapping[str, str]:
        """The label that each lowering which was agreed went down from, by its id: what the audit log has of it. For the owner."""
        dataset = self._owned(reference, project, by)
        page = self._parts.audit.events(by=SYSTEM, limit=EVENTS_LOOKED_AT, subject=dataset.id)
        found = [facts_of(event) for event in page.items if event.action == "label.lowered"]
        return {str(facts["proposal"]): str(facts["was"]) for facts in found}

    def _lowering(self, proposal_id: str, by: Caller) -> tuple[Proposal, Dataset]:
        proposal = self._parts.proposals.get(proposal_id)
        if proposal.act is not Act.LOWER:
            raise nothing_here()
        return proposal, self._owned(proposal.subject, "", by)

    def _try_lowering(self, proposal_id: str, by: Caller) -> Proposal | None:
        """One attempt; None when the dataset moved on meanwhile. Records are signed outside the transaction."""
        parts = self._parts
        proposal, dataset = self._lowering(proposal_id, by)
        signed = proposals.agree(proposals.sign(proposal, Signature(by.person, by.organisation, parts.clock.now())))
        self._refuse_erased(dataset)
        # The reason speaks of what there was: of what was pushed since, neither of the two has said that it is less sensitive.
        newest = self.newest(dataset.id)
        if newest and newest.number > proposal.covers:
            raise WrongState(
                "versions were pushed since this was proposed",
                fix=f"refuse it and propose anew: fabriek data refuse {proposal_id} --reason …",
            )
        records, sequence = self._under_lower(dataset, proposal.label)
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            now_stands = parts.datasets.get(dataset.id)
            if now_stands.sequence != dataset.sequence or parts.proposals.get(proposal_id) != proposal:
                return None
            # As they stand now: a rotation may have wrapped their keys anew meanwhile, and a version may have been removed.
            standing = {one.id: one for one in parts.versions.of_dataset(dataset.id)}
            for version in (replace(standing[one], record=records[one]) for one in records if one in standing):
                parts.versions.save(version)
                facts = version.facts
                parts.audit.record(
                    "version.recorded", version.id, by, dataset=dataset.id, sequence=facts.sequence, number=facts.number,
                    label=facts.label, manifest_sha256=facts.manifest_sha256,
                )  # fmt: skip
            parts.datasets.save(replace(now_stands, label=proposal.label, sequence=sequence))
            parts.proposals.save(signed)
            parts.audit.record(
                "label.lowered", dataset.id, by, proposal=proposal_id, label=proposal.label, was=dataset.label,
                proposed_by=proposal.proposed_by,
            )  # fmt: skip
        return signed

    def _under_lower(self, dataset: Dataset, label: str) -> tuple[Mapping[str, Record], int]:
        """New records of the versions whose label changes, by id, oldest first; and the dataset's sequence after them."""
        parts, sequence, changed = self._parts, dataset.sequence, dict[str, Record]()
        for version in reversed(parts.versions.of_dataset(dataset.id)):
            facts = self._believed(version)
            lower = parts.labels.meet(facts.label, label)
            if lower == facts.label:
                continue
            sequence += 1
            changed[version.id] = sign_record(replace(facts, label=lower, sequence=sequence), parts.signer)
        return changed, sequence
