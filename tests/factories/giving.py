"""A town whose machine gives so much a day, so that money brings hours by quarter."""

from fabriek.funding.giving.contributions import Contribution
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.policy.policy import policy_of
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.units import MICRO
from tests.factories.services import Town

GPU = Resource.GPU_HOUR


def agree_on(town: Town, rows: str) -> None:
    """Rows in force as if the funders had signed them."""
    policy = policy_of(rows)
    book = town.services.policy
    before = book._agreed()  # how rows are agreed on is another matter
    book._agreed = lambda: [*before, policy]


def supply(each_day: int = 1_000, valid_from: str = "2026-01-01") -> str:
    """GPU-hours a day; of what is awarded beside them there is plenty."""
    rows = {"gpu_hour": each_day, "cpu_hour": 1_000_000, "expert_hour": 1_000}
    return "".join(
        f'[[supply]]\nresource = "{resource}"\neach_day = {amount}\nvalid_from = {valid_from}\nsource = "of a test"\n'
        for resource, amount in rows.items()
    )


def carry(most: float, valid_from: str = "2026-01-02") -> str:
    return f'[[carry]]\nmost = {most}\nvalid_from = {valid_from}\nsource = "of a test"\n'


def a_funder(town: Town, slug: str) -> Caller:
    return town.person(slug, "funder", kind="funder")


def gives(town: Town, slug: str, kind: str, euro: int, *, by: Caller | None = None) -> Contribution:
    """Money that is granted today, of a funder who is made where it is not there."""
    funder = by or a_funder(town, slug)
    made, _ = town.services.giving.apply(slug, kind, euro, name=slug, by=funder)
    return town.services.giving.step(made.id, "granted", by=funder)


def parts(town: Town) -> dict[str, int]:
    """Share's name → its part of today, in millionths."""
    return {share.name: part for share, part in town.services.giving.shares_on(by=town.operator)}


def held(town: Town, name: str) -> int:
    """GPU-hours of a share that nobody was awarded, in micro-units."""
    share = next(one for one in town.services.funding.shares() if one.name == name)
    rows = town.services.funding.table(by=town.operator)
    return sum(one.unawarded for one in rows if one.share == share.id and one.resource is GPU)


def brought(town: Town, name: str, quarter: str = "") -> int:
    share = next(one for one in town.services.funding.shares() if one.name == name)
    _, rows = town.services.standings.quarter(quarter, by=town.operator)
    return sum(one.brought for one in rows if one.share.id == share.id and one.resource is GPU)


def days_left(quarter: Quarter, town: Town) -> int:
    """Of this quarter, today with them."""
    return (quarter.last - town.clock.today()).days + 1


def hours(amount_micro: int) -> float:
    return amount_micro / MICRO
