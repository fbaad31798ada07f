"""How shares stand: what a quarter brought each, what was awarded of it, what lapsed and what is carried on; and what each cap leaves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from fabriek.funding.giving.quarters import Quarter, quarter_named, quarter_of
from fabriek.funding.giving.service import LAPSED, Giving
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Kind, account
from fabriek.funding.policy.capping import Capping, Standing
from fabriek.funding.ports import Funds
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock


class Flows(Protocol):
    """Sums over the ledger."""

    def sums_before(self, accounts: Sequence[str], before: datetime | None) -> Mapping[tuple[str, Resource, str], int]:
        """(account, resource, memo) → micro-units, over entries before then; over all where it is None."""


@dataclass(frozen=True, slots=True)
class QuarterRow:
    """Of one share and resource, in micro-units: began + brought - awarded - lapsed = carried, at every moment.

    `entitled`: what the whole quarter owes it, as things stand; `brought`: what came within the quarter, with hours that came with money at
    once and less what was taken back; `awarded`: less what came back; `carried`: what it holds at the quarter's end, or now.
    """

    share: Share
    resource: Resource
    entitled: int = 0
    began: int = 0
    brought: int = 0
    awarded: int = 0
    lapsed: int = 0
    carried: int = 0


class Standings:
    """Looks at shares; changes nothing."""

    def __init__(
        self, flows: Flows, funds: Funds, giving: Giving, capping: Capping, *, clock: Clock, zone: ZoneInfo
    ) -> None:
        self._flows, self._funds, self._giving, self._capping = flows, funds, giving, capping
        self._clock, self._zone = clock, zone

    def quarter(self, name: str = "", *, by: Caller) -> tuple[Quarter, Sequence[QuarterRow]]:
        """That quarter, or the one of today; its shares by name. Raises InvalidInput on what names no quarter."""
        require(by, "funding.view")
        quarter = quarter_named(name) if name else quarter_of(self._clock.today())
        return quarter, self._rows(quarter)

    def caps(self, *, by: Caller) -> Sequence[Standing]:
        """Each cap in force, and what is left of it in each share."""
        require(by, "funding.view")
        return self._capping.standing(self._funds.shares(), self._clock.today())

    def midnight(self, day: date) -> datetime:
        """When that day begins in the installation's zone."""
        return datetime.combine(day, time(), self._zone)

    def _rows(self, quarter: Quarter) -> list[QuarterRow]:
        first, end = self.midnight(quarter.first), self.midnight(quarter.next.first)
        lapses = self._lapses()
        began, left = (self._held(before) for before in (first, end))
        came, had = self._came(end), self._came(first)
        owed = {resource: self._giving.entitlement(quarter, resource) for resource in Resource}
        rows = []
        for share in self._funds.shares():
            for resource in Resource:
                key = (share.id, resource)
                gone = lapses.get(key, {})
                older = sum(amount for one, amount in gone.items() if one < quarter)
                lapsed = gone.get(quarter, 0)
                row = QuarterRow(share, resource, owed[resource].get(share.id, 0))
                row = replace(
                    row, began=began[key] - older, brought=came[key] - had[key], lapsed=lapsed,
                    carried=left[key] - older - lapsed,
                )  # fmt: skip
                row = replace(row, awarded=row.began + row.brought - row.lapsed - row.carried)
                if any((row.entitled, row.began, row.brought, row.awarded, row.lapsed, row.carried)):
                    rows.append(row)
        return rows

    def _held(self, before: datetime) -> Mapping[tuple[str, Resource], int]:
        """What shares held then, lapses left out, which are posted when their quarter is over."""
        sums: dict[tuple[str, Resource], int] = defaultdict(int)
        for (name, resource, memo), amount in self._flows.sums_before(self._accounts(), before).items():
            if not memo.startswith(LAPSED):
                sums[name.partition(":")[2], resource] += amount
        return sums

    def _came(self, before: datetime) -> Mapping[tuple[str, Resource], int]:
        """What came from contributions until then, lapses left out."""
        shares = {one.funder: one.id for one in self._funds.shares()}
        owners = {account(Kind.CONTRIBUTION, one.id): shares[one.funder] for one in self._funds.contributions()}
        sums: dict[tuple[str, Resource], int] = defaultdict(int)
        for (name, resource, memo), amount in self._flows.sums_before(list(owners), before).items():
            if not memo.startswith(LAPSED):
                sums[owners[name], resource] -= amount
        return sums

    def _lapses(self) -> Mapping[tuple[str, Resource], Mapping[Quarter, int]]:
        found: dict[tuple[str, Resource], dict[Quarter, int]] = {}
        for (name, resource, memo), amount in self._flows.sums_before(self._accounts(), None).items():
            if memo.startswith(LAPSED):
                of = found.setdefault((name.partition(":")[2], resource), {})
                quarter = quarter_named(memo.removeprefix(LAPSED))
                of[quarter] = of.get(quarter, 0) - amount
        return found

    def _accounts(self) -> list[str]:
        return [account(Kind.SHARE, one.id) for one in self._funds.shares()]
