"""What contributions are entitled to in a quarter: for each day their part of what the machine gives that day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fabriek.funding.giving.contributions import COUNTING, Contribution, FunderKind, state_on
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.giving.shares import apportion, shares_of


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one day. `each_day`: micro-units that all share; `most` and `fixed` as in `shares_of`."""

    each_day: int
    most: Mapping[FunderKind, int]
    fixed: Mapping[str, int]


def entitled(contributions: Sequence[Contribution], quarter: Quarter, terms: Mapping[date, Terms]) -> dict[str, int]:
    """Contribution → micro-units in that quarter. terms: those of each of its days; a day without any gives nothing.

    A day's parts hang on how far money was on that day and on nothing later, so that a contribution that comes or goes changes no day before.
    """
    sums: dict[str, int] = {}
    for day in quarter.days:
        if (now := terms.get(day)) is None or not now.each_day:
            continue
        parts = shares_of(contributions, day, most=now.most, fixed=now.fixed)
        for funder, amount in apportion_parts(now.each_day, parts).items():
            mine = {
                one.id: one.amount_euro
                for one in contributions
                if one.funder == funder and state_on(one, day) in COUNTING
            }
            for contribution, part in apportion(amount, mine).items():
                sums[contribution] = sums.get(contribution, 0) + part
    return sums


def apportion_parts(total: int, parts: Mapping[str, int]) -> dict[str, int]:
    """`total` by parts in millionths; what the parts leave is nobody's."""
    whole = sum(parts.values())
    return apportion(total * whole // 1_000_000, parts)


def lapsing(unawarded: int, entitlement: int, carried: int) -> int:
    """What lapses of a share at a quarter's end: of the quarter's own entitlement what was not awarded, beyond the part that is carried over.

    unawarded: what the share holds; older credits are spent first, so that at most the quarter's own can be left of it. carried: millionths.
    """
    left = min(unawarded, entitlement)
    return max(0, left - entitlement * carried // 1_000_000)
