"""What was promised of the machine, against what it can give until then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from fabriek.funding.resources import Resource


@dataclass(frozen=True, slots=True)
class Due:
    """Until `on` projects may still spend `sold` of it, and the machine gives `there`."""

    on: date
    sold: int
    there: int

    @property
    def percent(self) -> int | None:
        """Of what is there; None where there is nothing."""
        return -(-self.sold * 100 // self.there) if self.there else None

    @property
    def is_over(self) -> bool:
        return self.sold > self.there


@dataclass(frozen=True, slots=True)
class Sold:
    """One resource. `dues` by day, each with all that ends before it too. is_known: whether anything says what the machine gives."""

    resource: Resource
    dues: Sequence[Due]
    is_known: bool

    @property
    def tightest(self) -> Due | None:
        """Where most of what is there was sold."""
        if not self.is_known:
            return None
        return max(self.dues, key=lambda one: (one.sold * 10_000 // max(1, one.there), one.sold), default=None)


def sold_of(
    resource: Resource, open_amounts: Sequence[tuple[date, int]], each_day: Callable[[date], int], today: date
) -> Sold:
    """open_amounts: (last day, what may still be spent until then) of each allocation; each_day: what the machine gives on that day.

    Whoever ends first is served first: up to each last day the machine must give all that ends by then, and in no other order it could
    give more of it.
    """
    dues: list[Due] = []
    sold = there = 0
    day = today
    for on, group in groupby(sorted(open_amounts), key=lambda one: one[0]):
        sold += sum(amount for _, amount in group)
        while day <= on:
            there += each_day(day)
            day += timedelta(days=1)
        dues.append(Due(on, sold, there))
    return Sold(resource, dues, any(one.there for one in dues))


def per_day(supplies: Mapping[Resource, int], resource: Resource, said: int) -> int:
    """What the policy says of a day; where it says nothing what the machine could give at most."""
    return said or supplies.get(resource, 0)
