"""Verbs of sharing: agreements, requests for access, new epochs, and the log of who opened what."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import AlreadyExists, InvalidInput, nothing_here
from fabriek.vault import agreements
from fabriek.vault.addressing import Addressing
from fabriek.vault.agreements import Agreement, DataRight
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import Grant
from fabriek.vault.requests import REASON_CHARACTERS_MAX, AccessRequest, Answer


class Sharing(Addressing):
    """What the owner lets others do."""

    def agree(
        self,
        reference: str,
        *,
        home: str = "",
        project: str,
        purposes: Iterable[str],
        right: str,
        until: date,
        by: Caller,
    ) -> Agreement:
        """The owner lets a project use the data for these purposes, to the end of the day `until`. Answers what that project asked.

        Raises NotPermitted (`data.owner`, or the label above that project's ceiling), InvalidInput on a day that has passed.
        """
        parts = self._parts
        dataset = self._labelled(self._owned(reference, home, by))
        grantee = self._project(project)
        self._check_label(dataset.label, grantee)
        if until < parts.clock.today():
            raise InvalidInput(f"{until} has passed", fix="name a last day that is still to come")
        agreement = Agreement(
            id=parts.ids.new("agr"),
            dataset=dataset.id,
            project=grantee.id,
            purposes=agreements.read_purposes(purposes),
            right=agreements.read_right(right),
            until=until,
            signed_by=by.person,
            signed_at=parts.clock.now(),
        )
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            parts.agreements.add(agreement)
            for request in parts.requests.of_dataset(dataset.id):
                if request.project == grantee.id and request.answer is Answer.WAITING:
                    parts.requests.save(replace(request, answer=Answer.AGREED))
            parts.audit.record(
                "agreement.signed", agreement.id, by, dataset=dataset.id, project=grantee.id, right=agreement.right.value,
                until=str(until), purposes=",".join(sorted(agreement.purposes)),
            )  # fmt: skip
        return agreement

    def end_agreement(self, agreement_id: str, *, by: Caller) -> Agreement:
        """The owner takes it back: grants under it end, nothing new opens, and what is pushed from now on is under a new key.

        Running jobs go on with what they have opened. Raises WrongState on one that was ended before.
        """
        parts = self._parts
        known = parts.agreements.get(agreement_id)
        dataset = self._owned(known.dataset, "", by)
        now = parts.clock.now()
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            ended = agreements.end(parts.agreements.get(agreement_id), now)
            parts.agreements.save(ended)
            parts.grants.end(now, dataset=dataset.id, project=ended.project)
            moved = self._begin_epoch(dataset.id)
            parts.audit.record("agreement.ended", ended.id, by, dataset=dataset.id, epoch=moved.epoch)
        return ended

    def new_epoch(self, dataset_id: str, *, by: Caller) -> int:
        """A new wrapping key for what is pushed from now on; its number. For when a person was removed from the home project."""
        parts = self._parts
        with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            self._owned(dataset_id, "", by)
            moved = self._begin_epoch(dataset_id)
            parts.audit.record("epoch.begun", dataset_id, by, epoch=moved.epoch)
        return moved.epoch

    def agreements_on(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Agreement]:
        """The owner and its home project see all; others those of projects they work in."""
        dataset, _ = self._find(reference, project, by)
        found = self._parts.agreements.of_dataset(dataset.id)
        if by.may("data.view", project=dataset.project):
            return found
        return [agreement for agreement in found if by.is_member_of(agreement.project)]

    def request_access(
        self, reference: str, *, project: str = "", purpose: str, right: str = "compute", reason: str = "", by: Caller
    ) -> AccessRequest:
        """Asks the owner. `project`: where it would be used; empty when the asker has none yet. Raises AlreadyExists on a repeat."""
        parts = self._parts
        require(by, "access.request")
        dataset, _ = self._find(reference, project, by)
        if dataset.kind is not Kind.DATA:
            raise nothing_here()
        acting = self._project(project) if project else None
        if acting and not by.is_member_of(acting.id):
            raise nothing_here()
        if len(reason) > REASON_CHARACTERS_MAX:
            raise InvalidInput(f"the reason is longer than {REASON_CHARACTERS_MAX} characters", fix="shorten it")
        request = AccessRequest(
            id=parts.ids.new("req"),
            dataset=dataset.id,
            project=acting.id if acting else "",
            organisation=by.organisation,
            person=by.person,
            purpose=next(iter(agreements.read_purposes([purpose]))),
            right=agreements.read_right(right),
            reason=reason,
            asked_at=parts.clock.now(),
        )
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            for known in parts.requests.of_dataset(dataset.id):
                same = (known.person, known.project, known.right) == (request.person, request.project, request.right)
                if same and known.answer is Answer.WAITING:
                    raise AlreadyExists(
                        "you have asked for this, and it waits for the owner", fix="wait for the answer"
                    )
            parts.requests.add(request)
            parts.audit.record("access.requested", request.id, by, dataset=dataset.id, right=request.right.value)
        return request

    def requests_on(self, reference: str, *, project: str = "", by: Caller) -> Sequence[AccessRequest]:
        """What was asked of the owner, oldest first. Raises NotPermitted (`data.owner`)."""
        return self._parts.requests.of_dataset(self._owned(reference, project, by).id)

    def opened(self, reference: str, *, project: str = "", limit: int, by: Caller) -> Sequence[Grant]:
        """Who opened the data, newest first. For its owner: raises NotPermitted (`data.owner`)."""
        return self._parts.grants.of_dataset(self._owned(reference, project, by).id, limit=limit)

    def owns(self, reference: str, *, project: str = "", by: Caller) -> bool:
        """Whether the caller decides about this data; for pages that show more to its owner."""
        return self._owns(self._find(reference, project, by)[0], by)

    def _owned(self, reference: str, project: str, by: Caller) -> Dataset:
        dataset, _ = self._find(reference, project, by)
        self._require_owner(dataset, by)
        if dataset.kind is not Kind.DATA:
            raise nothing_here()
        return dataset

    def may(self, reference: str, right: DataRight, *, project: str = "", by: Caller) -> bool:
        """Whether the caller holds this right on the data, acting in a project; for pages that show a button or leave it out."""
        dataset = self._labelled(self._find(reference, project, by)[0])
        purpose = self._project(project).purpose if project else ""
        acting = self._project(project).id if project else ""
        return self._refusal(dataset, right, project=acting, purpose=purpose, by=by) is None
