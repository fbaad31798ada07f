"""A funder's part of the machine's capacity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from fabriek.funding.giving.contributions import COUNTING, Contribution, FunderKind, state_on
from fabriek.kernel.units import MICRO


@dataclass(frozen=True, slots=True)
class Share:
    """What a funder (an organisation's id) may steer. `kind` decides which purposes it may pay for."""

    id: str
    funder: str
    kind: FunderKind
    name: str


def shares_of(
    contributions: Iterable[Contribution],
    on: date,
    *,
    most: Mapping[FunderKind, int] | None = None,
    fixed: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Funder → part of the machine on that day, in millionths; empty while nobody pays.

    They sum to exactly one million, unless money of a kind that may hold only so much (`most`, in millionths) is alone: then the rest is
    nobody's. `fixed`: funder → the part that was agreed on; the others divide what remains by what they gave.
    """
    sums, kinds = dict[str, int](), dict[str, FunderKind]()
    for one in contributions:
        if state_on(one, on) in COUNTING:
            sums[one.funder] = sums.get(one.funder, 0) + one.amount_euro
            kinds[one.funder] = one.kind
    bounds = dict(most or {})
    agreed = _agreed({funder: part for funder, part in (fixed or {}).items() if funder in sums}, kinds, bounds)
    for funder, part in agreed.items():
        if kinds[funder] in bounds:
            bounds[kinds[funder]] -= part
    others = {funder: amount for funder, amount in sums.items() if funder not in agreed}
    return agreed | _bounded(MICRO - sum(agreed.values()), others, kinds, bounds)


def _agreed(
    parts: Mapping[str, int], kinds: Mapping[str, FunderKind], most: Mapping[FunderKind, int]
) -> dict[str, int]:
    """No agreement is beyond the bound of its kind, nor all together beyond the machine: what is too much is cut in proportion, so that the
    machine goes on while people mend what they agreed on.
    """
    found = dict(parts)
    for kind, bound in most.items():
        theirs = {funder: part for funder, part in found.items() if kinds[funder] is kind}
        if sum(theirs.values()) > bound:
            found |= apportion(bound, theirs)
    return apportion(MICRO, found) if sum(found.values()) > MICRO else found


def _bounded(
    total: int, sums: Mapping[str, int], kinds: Mapping[str, FunderKind], most: Mapping[FunderKind, int]
) -> dict[str, int]:
    """What a kind would have beyond its bound goes to the others, by what they gave."""
    parts = apportion(total, sums)
    for kind, bound in sorted(most.items()):
        theirs = {funder: sums[funder] for funder in parts if kinds[funder] is kind}
        if sum(parts[funder] for funder in theirs) > bound:
            others = {funder: amount for funder, amount in sums.items() if funder not in theirs}
            looser = {one: limit for one, limit in most.items() if one is not kind}
            return apportion(bound, theirs) | _bounded(total - bound, others, kinds, looser)
    return parts


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`total` cut into whole parts by weight, none lost: the largest remainders get what rounding left over.

    Weights are 0 or more; equal remainders go by name, so that the answer never depends on an order of rows. Empty
    when all weights are 0.
    """
    assert total >= 0, total
    assert all(weight >= 0 for weight in weights.values()), weights
    whole = sum(weights.values())
    if whole == 0:
        return {}
    parts = {name: total * weight // whole for name, weight in weights.items()}
    over = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name))
    for name in over[: total - sum(parts.values())]:
        parts[name] += 1
    return parts
