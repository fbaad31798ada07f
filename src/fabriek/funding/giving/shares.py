"""A funder's part of the machine's capacity. The parts of all funders sum to exactly one."""

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


def shares_of(contributions: Iterable[Contribution], on: date) -> dict[str, int]:
    """Funder → part of the machine on that day, in millionths that sum to exactly one million; empty while nobody pays."""
    sums: dict[str, int] = {}
    for contribution in contributions:
        if state_on(contribution, on) in COUNTING:
            sums[contribution.funder] = sums.get(contribution.funder, 0) + contribution.amount_euro
    return apportion(MICRO, sums)


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
