"""Verbs of closing: who has data open now, taking a grant back, and ending what no rule allows any more."""

from collections.abc import Sequence
from dataclasses import replace

from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound, NotPermitted, Unavailable, nothing_here
from fabriek.vault.agreeing import agreements
from fabriek.vault.agreeing.asking import Asking
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import Grant, is_alive

PAGE = 500


class Closing(Asking):
    """What was open, and is no longer."""

    def grants_on(self, reference: str, *, project: str = "", by: Caller) -> Sequence[Grant]:
        """What is open now, newest first: all of it for the owner, their own for others."""
        parts = self._parts
        dataset, _ = self._find(reference, project, by)
        found = parts.grants.open_ones(parts.clock.now(), dataset=dataset.id)
        return found if self._owns(dataset, by) else [grant for grant in found if grant.person == by.person]

    def revoke(self, grant_id: str, *, by: Caller) -> Grant:
        """The owner or its holder ends a grant. Who still has the right may open anew: end the agreement to end that.

        Raises NotFound for who is neither. Idempotent.
        """
        parts = self._parts
        grant = parts.grants.get(grant_id)
        if by.job or not (grant.person == by.person or self._owns(parts.datasets.get(grant.dataset), by)):
            raise nothing_here()
        now = parts.clock.now()
        with parts.datasets.transaction():
            if parts.grants.end(now, grant=grant_id):
                parts.audit.record("grant.revoked", grant_id, by, version=grant.version)
        return parts.grants.get(grant_id)

    def remove_member(self, project_ref: str, person: str, *, by: Caller) -> None:
        """Takes somebody out of a project. What they and their jobs have open there ends, their pushes too, and what is written from now
        on, in the project and in what it used of others, is under a new key.
        """
        parts, project = self._parts, self._project(project_ref).id
        with parts.datasets.transaction(alone=f"project:{project}"):
            parts.projects.remove_member(project, person, by=by)
            self._close_in(project, person, by)

    def close_person(self, person: str, projects: Sequence[str], *, by: Caller) -> None:
        """As `remove_member` does, for somebody who is a member of these no more: they left, and nobody need have taken over. Idempotent.

        Whoever calls has checked the right. Raises Unavailable where a key cannot be replaced now; what was open is closed by then.
        """
        parts = self._parts
        with parts.datasets.transaction():
            parts.grants.end(parts.clock.now(), person=person)
        for project in sorted(projects):
            with parts.datasets.transaction(alone=f"project:{project}"):
                self._close_in(project, person, by)

    def close_member(self, project: str, person: str, *, by: Caller) -> None:
        """Of one project, for somebody whose membership there stands still. Whoever calls has checked the right."""
        with self._parts.datasets.transaction(alone=f"project:{project}"):
            self._close_in(project, person, by)

    def _close_in(self, project: str, person: str, by: Caller) -> None:
        """Ends what they and their jobs have open in a project, and begins an epoch of all that they could have the key of."""
        parts, now = self._parts, self._parts.clock.now()
        parts.grants.end(now, project=project, person=person)
        # Each push would hand them the key of the version that it builds on.
        pushes = parts.uploads.open_of(person, project, now)
        concerned = parts.grants.opened_by(person, project) | self._held_by(project)
        # In order, since all of them stay taken until the end: two removals at once would wait for each other.
        for dataset_id in sorted(concerned | {one.dataset for one in pushes}):
            with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
                for push in pushes:
                    if push.dataset == dataset_id:
                        self._end_upload(push.id)
                if parts.datasets.get(dataset_id).kind is Kind.DATA:
                    self._move_epoch(dataset_id, by)

    def close_what_ended(self) -> int:
        """Ends every grant that would not be given today: its agreement ended or ran out, its holder left, its label or place does not
        hold. Each dataset concerned moves to its next epoch, once: an agreement ends in one step with what was open under it. For the
        worker, several times a minute; how many grants.

        Raises Unavailable when somebody could not be asked about a grant, which stays open until they can; the others are closed by then.
        """
        parts = self._parts
        concerned: dict[str, list[tuple[Grant, str]]] = {
            agreement.dataset: [] for agreement in parts.agreements.run_out(parts.clock.today())
        }
        refused: dict[tuple[object, ...], str] = {}
        unasked: dict[str, Unavailable] = {}
        for grant in parts.grants.open_ones(parts.clock.now()):
            asked = (grant.version, grant.project, grant.person, bool(grant.job), grant.purpose)
            try:
                if asked not in refused:
                    refused[asked] = self._why_not_today(grant)
            except Unavailable as error:
                unasked[grant.dataset] = error
                continue
            if refused[asked]:
                concerned.setdefault(grant.dataset, []).append((grant, refused[asked]))
        # The end of an agreement alone waits with the grants that may be under it: it holds already, and its epoch would begin twice.
        closed = sum(self._close(one, those) for one, those in concerned.items() if those or one not in unasked)
        if unasked:
            raise next(iter(unasked.values()))
        return closed

    def _why_not_today(self, grant: Grant) -> str:
        """The rule that would refuse this grant today; empty when it would be given. Raises Unavailable when that cannot be said now."""
        parts = self._parts
        try:
            version = parts.versions.get(grant.version)
            dataset = self._labelled(parts.datasets.get(grant.dataset), self._believed(version))
            if grant.job:
                self._check_label(dataset.label, self._project(grant.project))
                refusal = self._job_refusal(dataset, project=grant.project, purpose=grant.purpose, person=grant.person)
            else:
                holder = parts.people.caller_for(grant.person)
                if grant.project and not holder.is_member_of(grant.project):
                    return "project.member"
                self._check_paid(dataset.project)
                refusal = self._refusal(dataset, grant.right, project=grant.project, purpose=grant.purpose, by=holder)
        except (NotFound, NotAuthenticated):
            return "person.gone"
        except NotPermitted as error:
            return str(error.fields["rule"])
        except Unavailable:
            raise
        except FabriekError as error:
            # The record does not hold, or the label is no longer known: what cannot be believed is not open.
            return str(error.code)
        return refusal.rule if refusal else ""

    def _close(self, dataset_id: str, those: Sequence[tuple[Grant, str]]) -> int:
        """Ends the agreements on a dataset that ran out, and these grants, each with the rule that refuses it; how many grants."""
        parts, over, closed = self._parts, 0, 0
        with parts.datasets.transaction(alone=f"dataset:{dataset_id}"):
            now, today = parts.clock.now(), parts.clock.today()
            for agreement in parts.agreements.of_dataset(dataset_id):
                if agreements.has_run_out(agreement, today):
                    parts.agreements.save(replace(agreement, ended_at=now))
                    parts.audit.record("agreement.expired", agreement.id, SYSTEM, dataset=dataset_id)
                    over += 1
            for grant, rule in those:
                if is_alive(parts.grants.get(grant.id), now):
                    parts.grants.end(now, grant=grant.id)
                    parts.audit.record("grant.closed", grant.id, SYSTEM, version=grant.version, rule=rule)
                    closed += 1
            # Another worker may have done all of it since.
            if (over or closed) and parts.datasets.get(dataset_id).kind is Kind.DATA:
                self._move_epoch(dataset_id, SYSTEM)
        return closed

    def _move_epoch(self, dataset_id: str, by: Caller) -> None:
        moved = self._begin_epoch(dataset_id)
        self._parts.audit.record("epoch.begun", dataset_id, by, epoch=moved.epoch)

    def _held_by(self, project: str) -> frozenset[str]:
        """Every dataset of which the project is the home."""
        found: list[Dataset] = []
        while page := self._parts.datasets.of_project(
            project, Kind.DATA, limit=PAGE, after=found[-1].name if found else ""
        ):
            found += page
        return frozenset(one.id for one in found)
