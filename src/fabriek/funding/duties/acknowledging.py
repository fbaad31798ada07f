"""Thanks: funders set their words, and a project reads them with what each share really paid for it."""

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from fabriek.access.service import Access
from fabriek.audit.service import Audit
from fabriek.funding.allocations import Allocation
from fabriek.funding.duties.acknowledgements import Acknowledgement, Paid, Thanks, check_text, filled, spoken
from fabriek.funding.duties.ports import DutyAllocations, Thanked
from fabriek.funding.duties.rules import DutyRules
from fabriek.funding.giving.quarters import Quarter, quarter_of
from fabriek.funding.ports import Funds, Ledger
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import NotFound, NotPermitted


class Acknowledging:
    """Texts of thanks."""

    def __init__(
        self, books: Ledger, funds: Funds, allocations: DutyAllocations, thanked: Thanked, rules: DutyRules, *, access: Access, audit: Audit,
        clock: Clock, zone: ZoneInfo,
    ) -> None:  # fmt: skip
        self._books, self._funds, self._allocations, self._thanked = books, funds, allocations, thanked
        self._rules, self._access, self._audit, self._clock, self._zone = rules, access, audit, clock, zone

    def set(self, share: str, *, nl: str, en: str, by: Caller) -> Acknowledgement:
        """The funder's own words, for its share by name or id. Raises NotFound, NotPermitted for another funder's, InvalidInput."""
        require(by, "funding.contribute")
        found = next((one for one in self._funds.shares() if share in {one.id, one.name}), None)
        if found is None:
            raise NotFound(f"there is no share {share}", fix="fabriek funding shares")
        if found.funder != by.organisation and not by.may("project.oversee"):
            raise NotPermitted(
                "a funder sets the words for its own share", rule="acknowledgement.funder", fix="ask that funder"
            )
        for text in (nl, en):
            check_text(text)
        made = Acknowledgement(found.id, nl.strip(), en.strip())
        with self._books.transaction(alone=f"thanks:{found.id}"):
            self._thanked.put_text(made)
            self._audit.record("funding.acknowledgement_set", found.id, by)
        return made

    def of_project(self, project: str, language: str, *, by: Caller) -> Sequence[Thanks]:
        """One for each share that has paid something, by name; none before the first job was settled."""
        found = self._access.project(project)
        require(by, "project.view", project=found.id)
        owned, made = self._allocations.of_project(found.id), list[Thanks]()
        for share in self._funds.shares():
            paid = self._paid(share.id, [one for one in owned if one.share == share.id])
            if not paid.hours:
                continue
            rule = self._thanked.text_of(share.id) or self._rules.thanks_of(share.kind, self._clock.today())
            funder = self._access.organisation(share.funder).name
            words = {
                "hours": paid.hours if language == "en" else paid.hours.replace(" and ", " en "), "project": found.title, "funder": funder,
                "quarters": spoken(paid.quarters, language),
            }  # fmt: skip
            made.append(Thanks(share.name, funder, filled(rule.nl if language == "nl" else rule.en, words), paid))
        return made

    def _paid(self, share: str, owned: Sequence[Allocation]) -> Paid:
        sums, quarters = dict[Resource, int](), list[Quarter]()
        if not owned:
            return Paid(share, sums, quarters)
        ids, last = [one.id for one in owned], quarter_of(self._clock.today())
        quarter = quarter_of(min(one.starts_on for one in owned))
        while quarter <= last:
            since, until = (datetime.combine(day, time(), self._zone) for day in (quarter.first, quarter.next.first))
            used = {resource: amount for resource, amount in self._thanked.used(ids, since, until).items() if amount}
            for resource, amount in used.items():
                sums[resource] = sums.get(resource, 0) + amount
            if used:
                quarters.append(quarter)
            quarter = quarter.next
        return Paid(share, sums, quarters)
