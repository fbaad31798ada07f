"""What a project may spend, from which share, for a period. How much is left stands in the ledger, and only there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.purposes import Rule, forbidden_by, refuse
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotPermitted
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO, shown

DAYS_PER_MONTH = 31
"""An allocation of so many months ends after this many days each: nobody loses a day to February."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """Awarded on an application (its id). Both days count.

    What stood fast at the award stays beside it, for caps and reports: the `call`, the `purpose`, and of the organisation (the head of its
    group) its `sector`, `region` and `size`. `commercial`: for a firm that pays. `director`: out of the director's part.
    """

    id: str
    project: str
    share: str
    application: str
    starts_on: date
    ends_on: date
    call: str = ""
    purpose: str = ""
    organisation: str = ""
    sector: str = ""
    region: str = ""
    size: str = ""
    commercial: bool = False
    director: bool = False

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise InvalidInput("an allocation ends before it starts", fix="give a last day after the first")


def is_place(allocation: Allocation) -> bool:
    """Whether it is a place in a class: it was split off the class's, of whose application it carries the number."""
    return "/" in allocation.application


def is_in_force(allocation: Allocation, today: date) -> bool:
    return allocation.starts_on <= today <= allocation.ends_on


def of_director(allocations: Sequence[Allocation], today: date) -> list[Allocation]:
    """Those out of the director's part, which alone pay for urgent jobs. Raises NotPermitted where none of them is in force."""
    found = [one for one in allocations if one.director]
    if not any(is_in_force(one, today) for one in found):
        raise NotPermitted(
            "urgent jobs are paid out of the director's part of a share, and this project has no award out of it", rule="job.urgent",
            fix="submit it without --priority urgent, or ask the director for an award: fabriek funding award APPLICATION --director",
        )  # fmt: skip
    return found


def choose(
    allocations: Sequence[Allocation],
    shares: Mapping[str, Share],
    purpose: Purpose,
    rules: Sequence[Rule],
    today: date,
    *,
    left_micro: Mapping[str, int],
    resource: Resource,
    asked_micro: int,
) -> Allocation:
    """The allocation that pays: in force, from a share that may, with room; the one that lapses first.

    left_micro: allocation id → balance in that resource. Raises NotPermitted naming the rule when money is there that may
    not pay for this purpose, CreditsExhausted with what is left otherwise.
    """
    paying = payers(allocations, shares, purpose, rules, today)
    for allocation in paying:
        if left_micro.get(allocation.id, 0) >= asked_micro:
            return allocation
    raise _exhausted(paying, left_micro, resource, asked_micro)


def payers(
    allocations: Sequence[Allocation],
    shares: Mapping[str, Share],
    purpose: Purpose,
    rules: Sequence[Rule],
    on: date,
) -> list[Allocation]:
    """Those in force on that day that may pay for this purpose, the one that lapses first in front; empty when none is in force.

    Raises NotPermitted naming the rule when there are some in force and none may pay.
    """
    current = sorted((a for a in allocations if is_in_force(a, on)), key=lambda a: (a.ends_on, a.id))
    paying: list[Allocation] = []
    refusal: NotPermitted | None = None
    for allocation in current:
        rule = forbidden_by(shares[allocation.share], purpose, rules, on)
        if rule is None:
            paying.append(allocation)
        else:
            refusal = refusal or refuse(shares[allocation.share], purpose, rule)
    if refusal is not None and not paying:
        raise refusal
    return paying


def _exhausted(
    paying: Sequence[Allocation], left_micro: Mapping[str, int], resource: Resource, asked_micro: int
) -> CreditsExhausted:
    roomiest = max(paying, key=lambda a: left_micro.get(a.id, 0), default=None)
    left = left_micro.get(roomiest.id, 0) if roomiest else 0
    has = f"{shown(left)} are left" if roomiest else "the project has no allocation in force"
    return CreditsExhausted(
        f"this takes up to {resource.counted(asked_micro)}, and {has}",
        fix="ask for less time or fewer devices, or apply for more: fabriek apply new",
        left=left / MICRO,
        asked=asked_micro / MICRO,
        unit=resource.value,
        share=roomiest.share if roomiest else "",
    )
