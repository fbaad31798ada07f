"""Verbs of closing: who has data open now, taking a grant back, and ending what no rule allows any more."""

from collections.abc import Sequence
from dataclasses import replace

from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound, NotPermitted, nothing_here
from fabriek.vault import agreements
from fabriek.vault.asking import Asking
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
            now = parts.clock.now()
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
        hold. Each dataset concerned moves to its next epoch, once. For the worker, several times a minute; how many grants.
        """
        parts, closed = self._parts, 0
        for agreement in parts.agreements.run_out(parts.clock.today()):
            with parts.datasets.transaction(alone=f"dataset:{agreement.dataset}"):
                if not agreements.has_run_out(parts.agreements.get(agreement.id), parts.clock.today()):
                    continue
                now = parts.clock.now()
                parts.agreements.save(replace(agreement, ended_at=now))
                parts.audit.record("agreement.expired", agreement.id, SYSTEM, dataset=agreement.dataset)
                self._move_epoch(agreement.dataset, SYSTEM)
        refused: dict[tuple[object, ...], str] = {}
        moved: set[str] = set()
        for grant in parts.grants.open_ones(parts.clock.now()):
            asked = (grant.version, grant.project, grant.person, bool(grant.job), grant.purpose)
            if asked not in refused:
                refused[asked] = self._why_not_today(grant)
            if refused[asked] and self._close(grant, refused[asked], moved):
                closed += 1
        return closed

    def _why_not_today(self, grant: Grant) -> str:
        """The rule that would refuse this grant today; empty when it would be given."""
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
                refusal = self._refusal(dataset, grant.right, project=grant.project, purpose=grant.purpose, by=holder)
        except (NotFound, NotAuthenticated):
            return "person.gone"
        except NotPermitted as error:
            return str(error.fields["rule"])
        except FabriekError as error:
            # The record does not hold, or the label is no longer known: what cannot be believed is not open.
            return str(error.code)
        return refusal.rule if refusal else ""

    def _close(self, grant: Grant, rule: str, moved: set[str]) -> bool:
        parts = self._parts
        with parts.datasets.transaction(alone=f"dataset:{grant.dataset}"):
            if not is_alive(parts.grants.get(grant.id), parts.clock.now()):
                return False
            parts.grants.end(parts.clock.now(), grant=grant.id)
            parts.audit.record("grant.closed", grant.id, SYSTEM, version=grant.version, rule=rule)
            if grant.dataset not in moved and parts.datasets.get(grant.dataset).kind is Kind.DATA:
                self._move_epoch(grant.dataset, SYSTEM)
                moved.add(grant.dataset)
        return True

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
