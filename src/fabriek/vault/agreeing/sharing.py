"""Verbs of sharing: agreements, new epochs, and the log of who opened what."""

from collections.abc import Iterable, Sequence
from datetime import date

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, nothing_here
from fabriek.vault.addressing import Addressing
from fabriek.vault.agreeing import agreements
from fabriek.vault.agreeing.agreements import Agreement, DataRight
from fabriek.vault.agreeing.requests import WAITING, AccessRequest, RequestState, move, not_yours
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import Grant
from fabriek.vault.labelling.places import read_bound


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
        places: Iterable[str] = (),
        by: Caller,
    ) -> Agreement:
        """The owner lets a project use the data for these purposes, to the end of the day `until`. Answers what that project asked.

        Whoever then uses it accepts the dataset's terms first, where there are any. `places`: where jobs may run; none for anywhere.

        Raises NotPermitted (`data.owner`, the label above that project's ceiling, or `request.side` where that would answer a request about
        which others decide), InvalidInput on a day that has passed.
        """
        dataset = self._labelled(self._owned(reference, home, by))
        given, allowed = agreements.read_right(right), agreements.read_purposes(purposes)
        with self._parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            answered = self._answered_by(dataset, self._project(project).id, allowed, given)
            if not all(self._decides(dataset, by, request) for request in answered):
                raise not_yours()
            return self._sign_agreement(
                dataset, project, purposes=allowed, right=given, until=until, places=places, by=by
            )

    def end_agreement(self, agreement_id: str, *, by: Caller) -> Agreement:
        """The owner takes it back, or the project leaves: grants under it end, nothing new opens, and what is pushed from now on is under
        a new key.

        Jobs go on with what was copied for them; what they mounted closes within a minute. Raises WrongState on one that was ended before.
        """
        parts = self._parts
        known = parts.agreements.get(agreement_id)
        leaves = by.may("project.manage", project=known.project)
        dataset = parts.datasets.get(known.dataset) if leaves else self._owned(known.dataset, "", by)
        now = parts.clock.now()
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            ended = agreements.end(parts.agreements.get(agreement_id), now)
            parts.agreements.save(ended)
            parts.grants.end(now, dataset=dataset.id, project=ended.project)
            moved = self._begin_epoch(dataset.id)
            parts.audit.record("agreement.ended", ended.id, by, dataset=dataset.id, epoch=moved.epoch)
        return ended

    def _sign_agreement(
        self,
        dataset: Dataset,
        project: str,
        *,
        purposes: frozenset[str],
        right: DataRight,
        until: date,
        places: Iterable[str],
        by: Caller,
    ) -> Agreement:
        """Joins the open transaction, if there is one. Whoever calls has asked whether the caller decides about this data."""
        parts, grantee = self._parts, self._project(project)
        self._check_label(dataset.label, grantee)
        bound = read_bound(places)
        if until < parts.clock.today():
            raise InvalidInput(f"{until} has passed", fix="name a last day that is still to come")
        with parts.datasets.transaction(alone=f"dataset:{dataset.id}"):
            terms = parts.terms.numbered(dataset.id, 0)
            now, number = parts.clock.now(), terms.number if terms else 0
            agreement = Agreement(
                parts.ids.new("agr"),
                dataset.id,
                grantee.id,
                purposes,
                right,
                until,
                by.person,
                now,
                terms=number,
                places=bound,
            )
            parts.agreements.add(agreement)
            for request in self._answered_by(dataset, grantee.id, purposes, right):
                # What its approver asked for themselves goes on waiting for another of the committee.
                if self._decides(dataset, by, request):
                    parts.requests.save(move(request, RequestState.APPROVED, by.person, now))
            parts.audit.record(
                "agreement.signed", agreement.id, by, dataset=dataset.id, project=grantee.id, right=right.value, until=str(until),
                purposes=",".join(sorted(purposes)), terms=number,
            )  # fmt: skip
        return agreement

    def _answered_by(
        self, dataset: Dataset, project: str, purposes: frozenset[str], right: DataRight
    ) -> Sequence[AccessRequest]:
        """The requests that such an agreement gives what was asked; those that want more go on waiting."""
        return [
            one
            for one in self._parts.requests.of_dataset(dataset.id)
            if one.project == project and one.state in WAITING and one.purpose in purposes and right.includes(one.right)
        ]

    def _decides(self, dataset: Dataset, by: Caller, request: AccessRequest | None = None) -> bool:
        """The committee, where there is one, and never a member about what they asked for themselves; else the owner's people."""
        newest = self._parts.terms.numbered(dataset.id, 0)
        if newest and newest.committee:
            return by.person in newest.committee and not (request and request.person == by.person)
        return self._owns(dataset, by)

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
