"""Reports: filled in and filed by a project's lead, accepted or returned by whoever paid; and whom an overdue one keeps from an award."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fabriek.access.applying.answers import check_answers, cleaned
from fabriek.access.applying.applications import Application
from fabriek.access.applying.calls import Form
from fabriek.access.applying.editing import merged
from fabriek.access.applying.faults import Fault
from fabriek.access.ports import Projects
from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding.allocations import Allocation, is_place
from fabriek.funding.duties.ports import DutyAllocations, Reports
from fabriek.funding.duties.reports import OPEN, Duty, Report, ReportState, move
from fabriek.funding.duties.rules import DutyRules
from fabriek.funding.giving.shares import Share
from fabriek.funding.ports import Funds
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, Stale, WrongState, nothing_here

LEAD = "lead"
NOTE_MAX = 2_000


@dataclass(frozen=True, slots=True)
class KeptReport:
    """What became of an edit, and what is wrong with what was typed."""

    duty: Duty
    faults: Sequence[Fault]


class Reporting:
    """What an award asks to be told, and what becomes of it."""

    def __init__(
        self, reports: Reports, allocations: DutyAllocations, funds: Funds, projects: Projects, rules: DutyRules, *, access: Access, audit: Audit,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._reports, self._allocations, self._funds, self._projects = reports, allocations, funds, projects
        self.rules, self._access, self._audit, self._clock = rules, access, audit, clock

    def form_of(self, duty: Duty) -> Form:
        return self.rules.form(duty.rule.form)

    def of_project(self, project: str, *, by: Caller) -> Sequence[Duty]:
        """By the day they are due."""
        found = self._access.project(project)
        require(by, "project.view", project=found.id)
        return self._duties(self._allocations.of_project(found.id))

    def mine(self, *, by: Caller) -> Sequence[Duty]:
        """Those of the caller's projects, by the day they are due."""
        owned = [one for project in self._access.projects_of(by) for one in self._allocations.of_project(project.id)]
        return self._duties(owned)

    def to_decide(self, *, by: Caller) -> Sequence[Duty]:
        """Filed, and for the caller to accept or return; the longest filed first."""
        shares = {one.id: one for one in self._funds.shares()}
        filed = [self._duty(self._allocations.get(one.allocation), one.kind) for one in self._reports.filed()]
        return [one for one in filed if one is not None and self.decides(one, by, shares)]

    def show(self, duty: str, *, by: Caller) -> Duty:
        """Whoever decides on it sees the answers once it was filed. Raises NotFound for those who may not know of it."""
        found = self._named(duty)
        if by.may("project.view", project=found.allocation.project):
            return found
        if self.decides(found, by):
            return found if found.report.filed_at else replace(found, report=replace(found.report, answers={}))
        raise nothing_here()

    def keep(
        self, duty: str, answers: Mapping[str, Any], *, revision: int | None = None, strict: bool = True, by: Caller
    ) -> KeptReport:
        """Changes these answers; an empty one takes one out. Not `strict`: for somebody who still types, keeps whatever can be kept.

        Raises NotFound, Stale, WrongState once it was filed, InvalidInput.
        """
        given = cleaned(dict(answers))
        with self._reports.transaction(alone=f"report:{duty}"):
            found = self._of_lead(duty, by)
            report = found.report
            if report.state not in OPEN:
                raise WrongState(
                    f"the report {duty} is {report.state}: it cannot be changed", fix=f"fabriek report show {duty}"
                )
            if revision is not None and revision != report.revision:
                raise Stale(
                    f"somebody changed this report since you opened it: it is at edit {report.revision}, yours began at {revision}",
                    fix="open it again, and make your change there", revision=report.revision,
                )  # fmt: skip
            after, faults = merged(self.form_of(found), report.answers, given, strict=strict)
            if after != dict(report.answers):
                report = replace(report, answers=after, revision=report.revision + 1, edited_at=self._clock.now())
                self._reports.put(report)
                self._audit.record("report.edited", duty, by, revision=str(report.revision))
        return KeptReport(replace(found, report=report), faults)

    def file(self, duty: str, *, by: Caller) -> Duty:
        """Hands it in. Raises InvalidInput naming all that is missing, WrongState where it was filed before."""
        with self._reports.transaction(alone=f"report:{duty}"):
            found = self._of_lead(duty, by)
            now = self._clock.now()
            moved = move(found.report, ReportState.FILED, duty, filed_at=now, filed_by=by.person)
            check_answers(self.form_of(found), found.report.answers, complete=True)
            late = found.days_overdue(self._clock.today())
            self._reports.put(moved)
            self._audit.record("report.filed", duty, by, project=found.allocation.project, late=str(late))
        return replace(found, report=moved)

    def accept(self, duty: str, *, by: Caller) -> Duty:
        return self._decide(duty, ReportState.ACCEPTED, "", by)

    def give_back(self, duty: str, note: str, *, by: Caller) -> Duty:
        """Back to its lead, with what is to be mended; due again after some days. Raises InvalidInput without a word of why."""
        if not note.strip() or len(note) > NOTE_MAX:
            raise InvalidInput(f"say in 1 to {NOTE_MAX} characters what is to be mended", fix="--note '…'")
        return self._decide(duty, ReportState.RETURNED, note.strip(), by)

    def decides(self, duty: Duty, by: Caller, shares: Mapping[str, Share] | None = None) -> bool:
        """Whether the caller accepts and returns it: the funder whose share paid, or an operator, and nobody of the project itself."""
        known = shares if shares is not None else {one.id: one for one in self._funds.shares()}
        paid = known[duty.allocation.share].funder
        return (
            by.may("funding.award")
            and (by.organisation == paid or by.may("project.oversee"))
            and not by.is_member_of(duty.allocation.project)
            and by.person != duty.report.filed_by
        )

    def check_award(self, application: Application) -> None:
        """Raises NotPermitted where an overdue report keeps this application from an award: one of its own applicant, of a project that this
        person leads, or of the project that it continues.
        """
        today = self._clock.today()
        led = [one.project for one in self._projects.of_person(application.person) if one.role == LEAD]
        continued = self._continued(application)
        owned = self._reports.begun_before(today, applicant=application.person, projects={*led, *continued})
        overdue = [one for one in self._duties(owned) if one.days_overdue(today)]
        if not overdue:
            return
        first, days = overdue[0], overdue[0].days_overdue(today)
        project = self._access.project(first.allocation.project)
        whose = "the project that it continues" if project.id in continued else "its applicant"
        more = f", and {len(overdue) - 1} more are overdue" if len(overdue) > 1 else ""
        raise NotPermitted(
            f"the {first.rule.kind} report of {project.slug} is {days} day{'' if days == 1 else 's'} overdue (it was due on {first.due_on}){more}: "
            f"until it is filed, {whose} gets no new award",
            rule="award.report_overdue", fix=f"fabriek report file {first.id}", report=first.id, overdue_days=days,
        )  # fmt: skip

    def open_duties(self) -> Sequence[Duty]:
        """All that wait for a project. For reminders."""
        return [one for one in self._duties(self._allocations.all()) if one.is_open]

    def leads(self, project: str) -> Sequence[str]:
        return [one.person for one in self._projects.members(project) if one.role == LEAD]

    def _continued(self, application: Application) -> frozenset[str]:
        """The project that the answers name as the one that it goes on from, where it is one of ours."""
        named = application.answers.get("earlier_project")
        try:
            return frozenset({self._access.project(named.strip()).id}) if isinstance(named, str) else frozenset()
        except NotFound:
            return frozenset()

    def _decide(self, duty: str, to: ReportState, note: str, by: Caller) -> Duty:
        with self._reports.transaction(alone=f"report:{duty}"):
            found = self.show(duty, by=by)
            require(by, "funding.award")
            if not self.decides(found, by):
                raise NotPermitted(
                    "a report is accepted by the funder whose share paid, or by an operator, and by nobody of its own project",
                    rule="report.decide", fix="fabriek report due lists those that you decide on",
                )  # fmt: skip
            today, again = self._clock.today(), None
            if to is ReportState.RETURNED:
                again = today + timedelta(days=found.rule.again_days)
            moved = move(
                found.report, to, duty, decided_at=self._clock.now(), decided_by=by.person, note=note, again_on=again
            )
            self._reports.put(moved)
            self._audit.record(f"report.{to}", duty, by, project=found.allocation.project)
        return replace(found, report=moved)

    def _duties(self, owned: Iterable[Allocation]) -> list[Duty]:
        # A seat of a class has no reports of its own: the class reports.
        asked = [(one, rule) for one in owned if not is_place(one) for rule in self.rules.of(one)]
        begun = self._reports.among({one.id for one, _ in asked})
        made = [Duty(rule, one, begun.get((one.id, rule.kind)) or Report(one.id, rule.kind)) for one, rule in asked]
        return sorted(made, key=lambda one: (one.due_on, one.id))

    def _duty(self, allocation: Allocation, kind: str) -> Duty | None:
        rule = (
            None if is_place(allocation) else next((one for one in self.rules.of(allocation) if one.kind == kind), None)
        )
        return None if rule is None else Duty(rule, allocation, self._reports.get(allocation.id, kind))

    def _named(self, duty: str) -> Duty:
        allocation, _, kind = duty.rpartition(".")
        try:
            found = self._duty(self._allocations.get(allocation), kind)
        except NotFound:
            raise nothing_here() from None
        if found is None:
            raise nothing_here()
        return found

    def _of_lead(self, duty: str, by: Caller) -> Duty:
        found = self._named(duty)
        if not by.may("project.view", project=found.allocation.project):
            raise nothing_here()
        require(by, "project.manage", project=found.allocation.project)
        return found
