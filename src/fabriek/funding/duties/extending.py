"""More time, and a part more, for an award whose report was accepted: by the rule alone, once, within the share's room and the caps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fabriek.access.describing import Describing
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding import ledger
from fabriek.funding.allocations import DAYS_PER_MONTH, Allocation
from fabriek.funding.duties.ports import DutyAllocations, Extensions
from fabriek.funding.duties.reporting import Reporting
from fabriek.funding.duties.reports import Duty, ReportState
from fabriek.funding.duties.rules import ExtensionRule
from fabriek.funding.giving.service import AWARDS
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Kind, account
from fabriek.funding.policy.capping import Award, Capping
from fabriek.funding.policy.purposes import Rule, forbidden_by, refuse
from fabriek.funding.ports import Funds, Ledger
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, WrongState
from fabriek.kernel.ids import Ids
from fabriek.kernel.units import MICRO


@dataclass(frozen=True, slots=True)
class Extended:
    """What an award has become: its new end, and what came to it in micro-units."""

    allocation: Allocation
    was_until: date
    rule: ExtensionRule
    amounts: Mapping[Resource, int]


class Extending:
    """Alone with awards: what is left is asked and taken in one."""

    def __init__(
        self, books: Ledger, funds: Funds, allocations: DutyAllocations, extensions: Extensions, reporting: Reporting, capping: Capping, *,
        access: Access, audit: Audit, clock: Clock, ids: Ids, rules: Sequence[Rule], describing: Describing,
    ) -> None:  # fmt: skip
        """rules: which purposes a share may pay for."""
        self._books, self._funds, self._allocations, self._extensions = books, funds, allocations, extensions
        self._reporting, self._capping, self._access = reporting, capping, access
        self._audit, self._clock, self._ids, self._rules, self._describing = audit, clock, ids, rules, describing

    def extend(self, project: str, *, allocation: str = "", by: Caller) -> Extended:
        """allocation: which, where the project has several that can be. Raises WrongState naming what is in the way, CreditsExhausted and
        NotPermitted as an award does; then nothing has changed.
        """
        found = self._access.project(project)
        require(by, "project.manage", project=found.id)
        today = self._clock.today()
        with self._books.transaction(alone=AWARDS):
            chosen, rule = self._chosen(found.id, allocation)
            self._check(chosen, rule, today, by)
            share = next(one for one in self._funds.shares() if one.id == chosen.share)
            if forbidding := forbidden_by(share, found.purpose, self._rules, today):
                raise refuse(share, found.purpose, forbidding)
            amounts = {
                resource: more
                for resource, amount in self._extensions.awarded(chosen.id).items()
                if (more := amount * rule.part // MICRO)
            }
            self._post(chosen, share, rule, amounts, today)
            until = chosen.ends_on + timedelta(days=DAYS_PER_MONTH * rule.months)
            self._allocations.move_end(chosen.id, until)
            self._extensions.add(chosen.id, rule.id, today, by.person, until)
            self._audit.record(
                "allocation.extended", chosen.id, by, project=found.id, rule=rule.id, was=str(chosen.ends_on), until=str(until)
            )  # fmt: skip
        return Extended(replace(chosen, ends_on=until), chosen.ends_on, rule, amounts)

    def offered(self, project: str, *, by: Caller) -> ExtensionRule | None:
        """The rule by which the caller could extend it today, as far as reports and days go: whether there is room is said by extending it."""
        found = self._access.project(project)
        if not by.may("project.manage", project=found.id):
            return None
        try:
            chosen, rule = self._chosen(found.id, "")
            self._check(chosen, rule, self._clock.today(), by)
        except (NotFound, WrongState):
            return None
        return rule

    def _chosen(self, project: str, named: str) -> tuple[Allocation, ExtensionRule]:
        """The named one, or the newest that a rule would extend."""
        owned = [one for one in self._allocations.of_project(project) if not named or one.id == named]
        if not owned:
            raise NotFound("this project has no such allocation", fix="fabriek project credits")
        extendable = [(one, rule) for one in owned if (rule := self._reporting.rules.extension_of(one)) is not None]
        if not extendable:
            calls = " and ".join(sorted({one.call or "none" for one in owned}))
            raise WrongState(
                f"no rule extends an award of the call {calls}", fix="apply for more: fabriek apply new", rule="extension.none"
            )  # fmt: skip
        return max(extendable, key=lambda one: (one[0].ends_on, one[0].id))

    def _check(self, chosen: Allocation, rule: ExtensionRule, today: date, by: Caller) -> None:
        if (on := self._extensions.extended_on(chosen.id, rule.id)) is not None:
            raise WrongState(
                f"this award was extended on {on} and ends on {chosen.ends_on}: {rule.id} extends it once",
                fix="apply for more: fabriek apply new", rule=rule.id,
            )  # fmt: skip
        if today > chosen.ends_on:
            raise WrongState(
                f"this award ended on {chosen.ends_on}, and only one that runs is extended",
                fix="apply for more: fabriek apply new", rule=rule.id,
            )  # fmt: skip
        duty = self._report(chosen, rule, by)
        if duty is None or duty.report.state is not ReportState.ACCEPTED:
            stands = duty.report.state if duty else "not asked"
            named = duty.id if duty else chosen.id
            raise WrongState(
                f"the {rule.after} report {named} is {stands}, and an extension follows one that was accepted",
                fix=f"fabriek report file {named}" if duty and duty.is_open else f"fabriek report show {named}", rule=rule.id,
            )  # fmt: skip

    def _report(self, chosen: Allocation, rule: ExtensionRule, by: Caller) -> Duty | None:
        owed = self._reporting.of_project(chosen.project, by=by)
        return next((one for one in owed if one.allocation.id == chosen.id and one.rule.kind == rule.after), None)

    def _post(
        self, chosen: Allocation, share: Share, rule: ExtensionRule, amounts: Mapping[Resource, int], today: date
    ) -> None:
        if not amounts:
            return
        head = self._describing.head_of(chosen.organisation).id
        group = tuple({chosen.organisation, *self._describing.group_of(head)} - {head})
        award = Award(chosen.call, head, chosen.commercial, chosen.director, group)
        self._capping.check(share, award, amounts, today)
        left = {resource: self._books.balance(account(Kind.SHARE, share.id), resource) for resource in amounts}
        self._books.post(
            ledger.extend(self._ids.new("led"), rule.id, share.id, chosen.id, amounts, self._clock.now(), left=left)
        )
        self._capping.awarded(replace(chosen, starts_on=today, organisation=head), amounts)
