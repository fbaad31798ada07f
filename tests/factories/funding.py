"""Contributions, shares, allocations and postings for tests."""

from datetime import UTC, date, datetime

from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.contributions import Contribution, FunderKind
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import Hold
from fabriek.funding.policy.purposes import Rule, rules_of
from fabriek.funding.policy.rates import Rate, rates_of
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import shipped

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def a_contribution(
    funder: str = "org_eu", amount_euro: int = 1_000_000, *, granted_on: date | None = date(2026, 1, 2)
) -> Contribution:
    return Contribution(f"con_{funder}", funder, FunderKind.EU, amount_euro, date(2026, 1, 1), granted_on)


def a_share(share: str = "shr_1", kind: FunderKind = FunderKind.NATIONAL) -> Share:
    return Share(share, f"org_{kind}", kind, kind.value)


def an_allocation(allocation: str = "alc_1", share: str = "shr_1", *, ends_on: date = date(2026, 12, 31)) -> Allocation:
    return Allocation(allocation, "prj_1", share, "app_1", date(2026, 1, 1), ends_on)


def a_hold(job: str = "job_1", amount_micro: int = 2_000_000, *, allocation: str = "alc_1") -> Hold:
    return Hold(job, allocation, "shr_1", Resource.GPU_HOUR, amount_micro)


def shipped_rules() -> tuple[Rule, ...]:
    return rules_of(shipped("fabriek.funding", "purposes.toml"))


def shipped_rates() -> tuple[Rate, ...]:
    return rates_of(shipped("fabriek.funding", "rates.toml"))
