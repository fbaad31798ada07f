"""Granted, awarded, held and used, per share: the table a funder reads."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fabriek.funding.ledger import Kind, kind_of
from fabriek.funding.resources import Resource


@dataclass(frozen=True, slots=True)
class ShareTotal:
    """One row, in micro-units. granted = unawarded + unspent + held + used - owed, at every moment."""

    share: str
    resource: Resource
    granted: int
    unawarded: int
    unspent: int
    held: int
    used: int
    owed: int = 0


@dataclass(frozen=True, slots=True)
class ForeignTotal:
    """What a project used at another site, in micro-units: used = charged + over; `over` is what no allocation covered."""

    project: str
    site: str
    resource: Resource
    jobs: int
    used: int
    over: int


def totals(balances: Mapping[tuple[str, Resource], int], share_of: Mapping[str, str]) -> list[ShareTotal]:
    """Rows in order of share and resource. balances as the ledger gives them; share_of: allocation id → share id."""
    sums: dict[tuple[str, Resource], dict[Kind, int]] = defaultdict(lambda: dict.fromkeys(Kind, 0))
    for (name, resource), amount in balances.items():
        kind, owner = kind_of(name), name.partition(":")[2]
        if kind is Kind.CONTRIBUTION:
            continue
        share = owner if kind is Kind.SHARE else share_of[owner.partition("/")[0]]
        sums[share, resource][kind] += amount
    return [
        ShareTotal(
            share=share,
            resource=resource,
            granted=sum(of.values()),
            unawarded=of[Kind.SHARE],
            unspent=of[Kind.ALLOCATION],
            held=of[Kind.HOLD],
            used=of[Kind.USAGE],
            owed=-of[Kind.DEBT],
        )
        for (share, resource), of in sorted(sums.items())
    ]
