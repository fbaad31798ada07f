"""What one may do with credits that were awarded: hold, settle, and look at the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.access.service import Access
from fabriek.funding import ledger
from fabriek.funding.allocations import Allocation, choose, is_in_force, of_director, payers
from fabriek.funding.giving.service import Giving
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Entry, Hold, Kind, account
from fabriek.funding.policy.comparing import View
from fabriek.funding.policy.purposes import Rule, forbidden_by, refuse
from fabriek.funding.ports import Allocations, Funds, Ledger
from fabriek.funding.reporting.seeing import sees_all
from fabriek.funding.reporting.uses import Facts, Use, Uses
from fabriek.funding.reports import ShareTotal, totals
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import (
    CreditsExhausted,
    NotFound,
    nothing_here,
)
from fabriek.kernel.ids import Ids
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO


@dataclass(frozen=True, slots=True)
class Left:
    """What one project may still spend of one resource, in micro-units."""

    resource: Resource
    granted: int
    held: int
    left: int
    owed: int = 0
    used: int = 0


class Funding:
    """What jobs hold of awards, and the ledger beneath."""

    def __init__(
        self, books: Ledger, funds: Funds, allocations: Allocations, *, giving: Giving, access: Access, clock: Clock, ids: Ids,
        rules: Sequence[Rule], uses: Uses,
    ) -> None:  # fmt: skip
        self._books, self._funds, self._allocations, self._giving = books, funds, allocations, giving
        self._access, self._clock, self._ids, self._rules, self._uses = access, clock, ids, rules, uses

    def check_purpose(self, project: str, purpose: Purpose) -> None:
        """Raises NotPermitted, naming the rule, where a share that pays for the project, now or later, may not pay for this."""
        today, shares = self._clock.today(), self._shares()
        for one in self._allocations.of_project(project):
            if one.ends_on >= today and (rule := forbidden_by(shares[one.share], purpose, self._rules, today)):
                raise refuse(shares[one.share], purpose, rule)

    def hold(
        self, project: str, purpose: Purpose, resource: Resource, amount_micro: int, job: str, *, urgent: bool = False
    ) -> Hold:
        """Sets a job's worst case aside; the same hold when it was set before. urgent: out of the director's part of a share alone. Raises
        CreditsExhausted, NotPermitted.
        """
        with self._books.transaction(alone=f"credits:{project}"):
            known = self._allocations.hold_of(job)
            if known is not None:
                return known
            owned = self._allocations.of_project(project)
            if urgent:
                owned = of_director(owned, self._clock.today())
            own = self._access.project(project).purpose
            if own is not purpose:
                # Whatever a job says that it is for, the project's own purpose keeps a share from paying: it may have changed since the award.
                owned = payers(owned, self._shares(), own, self._rules, self._clock.today())
            left = {one.id: self._books.balance(account(Kind.ALLOCATION, one.id), resource) for one in owned}
            chosen = choose(
                owned,
                self._shares(),
                purpose,
                self._rules,
                self._clock.today(),
                left_micro=left,
                resource=resource,
                asked_micro=amount_micro,
            )
            held = Hold(job, chosen.id, chosen.share, resource, amount_micro)
            self._books.post(ledger.hold(self._ids.new("led"), held, self._clock.now(), left_micro=left[chosen.id]))
            self._allocations.add_hold(held)
        return held

    def raise_hold(self, job: str, amount_micro: int) -> Hold:
        """What is set aside for a job becomes this much in all. Raises CreditsExhausted, NotFound for a job that holds nothing."""
        with self._books.transaction(alone=f"hold:{job}"):
            held = self._allocations.hold_of(job)
            if held is None:
                raise NotFound("this job holds no credits", fix=f"fabriek job show {job}")
            more = amount_micro - held.amount_micro
            if more > 0:
                paying = self._allocations.get(held.allocation)
                if not is_in_force(paying, self._clock.today()):
                    raise CreditsExhausted(
                        f"the allocation that pays for it ended on {paying.ends_on}", fix="apply for more: fabriek apply new", left=0.0,
                        asked=more / MICRO, unit=held.resource.value, share=held.share,
                    )  # fmt: skip
                project = self._access.project(paying.project)
                share = self._shares()[held.share]
                if rule := forbidden_by(share, project.purpose, self._rules, self._clock.today()):
                    raise refuse(share, project.purpose, rule)
                left = self._books.balance(account(Kind.ALLOCATION, held.allocation), held.resource)
                now = self._clock.now()
                self._books.post(ledger.raise_hold(self._ids.new("led"), held, more, now, left_micro=left))
                held = replace(held, amount_micro=amount_micro)
                self._allocations.save_hold(held)
        return held

    def settle(self, job: str, used_micro: int, facts: Facts | None = None) -> None:
        """Charges real use and gives the rest back; once, however often it is called. A job that held nothing owes nothing. facts: for reports,
        of a job that began.
        """
        with self._books.transaction(single=facts is None):
            held = self._allocations.hold_of(job)
            if held is not None:
                at, posting = self._clock.now(), self._ids.new("led")
                new = self._books.post(ledger.settle(posting, held, used_micro, at))
                if new and facts is not None:
                    self._uses.add(
                        Use(job, held.allocation, held.resource, posting, facts.waited_seconds, facts.energy_joules, facts.ended_at, at,
                            facts.co2_grams)
                    )  # fmt: skip

    def release(self, job: str) -> None:
        """Gives the whole hold back."""
        self.settle(job, 0)

    def view(self) -> View:
        """The policy, today, and each share's part of the machine under it."""
        return self._giving.view()

    def shares(self) -> Sequence[Share]:
        """By name."""
        return self._funds.shares()

    def left(self, project: str) -> Sequence[Left]:
        """What a project may still spend, per resource, over its allocations in force or to come; what ended ones owe is owed still."""
        owned, today = self._allocations.of_project(project), self._clock.today()
        current = {one.id for one in owned if one.ends_on >= today}
        found: dict[Resource, dict[Kind, int]] = {}
        for (name, resource), amount in self._books.balances_of(one.id for one in owned).items():
            kind, owner = ledger.kind_of(name), name.partition(":")[2]
            if owner in current or (kind is Kind.DEBT and amount):
                sums = found.setdefault(resource, dict.fromkeys(Kind, 0))
                sums[kind] += amount
                if owner not in current:  # use that is owed; nothing else of an ended allocation counts
                    sums[Kind.USAGE] -= amount
        return [
            Left(resource, sum(of.values()), of[Kind.HOLD], of[Kind.ALLOCATION], -of[Kind.DEBT], of[Kind.USAGE])
            for resource, of in sorted(found.items())
        ]

    def table(self, *, by: Caller) -> Sequence[ShareTotal]:
        """Granted, awarded, held and used, per share and resource."""
        require(by, "funding.view")
        return totals(self._books.balances(), {one.id: one.share for one in self._allocations.all()})

    def balanced(self) -> bool:
        """Whether all entries of each resource sum to zero, read from the entries and not from the balances."""
        return not any(self._books.sums().values())

    def entries(self, *, account_name: str, limit: int, by: Caller) -> Sequence[Entry]:
        """Newest first; for a funder of their own share's account. What lies behind it they see in their report, where no line tells of one
        organisation. Raises NotFound on another's account.
        """
        require(by, "funding.view")
        if not sees_all(by):
            own = [account(Kind.SHARE, one.id) for one in self._funds.shares() if one.funder == by.organisation]
            account_name = account_name or next(iter(own), "")
            if account_name not in own:
                raise nothing_here()
        return self._books.entries(account=account_name, limit=limit)

    def allocations(self, *, by: Caller) -> Sequence[Allocation]:
        """All of them; for a funder those that their own share pays for."""
        require(by, "funding.view")
        own = None if sees_all(by) else {one.id for one in self._funds.shares() if one.funder == by.organisation}
        return [one for one in self._allocations.all() if own is None or one.share in own]

    def _shares(self) -> Mapping[str, Share]:
        return {one.id: one for one in self._funds.shares()}
