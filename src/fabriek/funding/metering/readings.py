"""A reading: use that somebody measured, and what became of it in the ledger. And the dated rules by which is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from fabriek.funding.ledger import AMOUNT_MAX
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO, micro, shown

TIB = 2**40
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Reading:
    """Booked once by its `key`. amount = charged + owed + over, in micro-units: what allocations had, what one of them owes, and what nobody is
    charged for since nothing was ever awarded that may pay for it.
    """

    key: str
    project: str
    purpose: Purpose
    resource: Resource
    amount_micro: int
    owed_micro: int
    over_micro: int
    transaction: str
    at: datetime
    booked_at: datetime

    @property
    def charged_micro(self) -> int:
        return self.amount_micro - self.owed_micro - self.over_micro


EVERY_SECONDS_MAX = 86_400


@dataclass(frozen=True, slots=True)
class MeterRule:
    """How a resource is read: each so many seconds; `free_micro` of its unit costs nothing where none of it was ever awarded."""

    resource: Resource
    every_seconds: int
    free_micro: int
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Storage:
    """How far a project's sealed bytes are booked. `level_bytes`: what it held at `read_at`; `rest`: what of a micro-unit is left over from
    the last division, so that nothing is rounded away in a year of hours.
    """

    project: str
    level_bytes: int
    rest: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of an interval that lies within one civil day."""

    begins: datetime
    ends: datetime
    day: date

    @property
    def seconds(self) -> int:
        return int((self.ends - self.begins).total_seconds())


def meter_rule(row: dict[str, Any]) -> MeterRule:
    every, free = int(row["every_seconds"]), micro(row.get("free", 0))
    if not 1 <= every <= EVERY_SECONDS_MAX or free < 0:
        raise ValueError("a meter is read each second at most and each day at least, and gives nothing below zero away")
    return MeterRule(Resource(row["resource"]), every, free, row["valid_from"], row["source"])


def meter_on(resource: Resource, rules: Sequence[MeterRule], on: date) -> MeterRule | None:
    """None before the first rule: then it is not read."""
    return in_force((one for one in rules if one.resource is resource), on)


def slices(begins: datetime, ends: datetime, zone: tzinfo) -> Iterator[Slice]:
    """The interval cut at each civil midnight: rates, free amounts and who pays are those of a day."""
    while begins < ends:
        day = begins.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(begins.tzinfo)
        until = min(midnight, ends)
        yield Slice(begins, until, day)
        begins = until


def tib_hours(level_bytes: int, seconds: int, each_micro: int, rest: int) -> tuple[int, int]:
    """Micro-units that so many bytes cost for so many seconds, and the rest of the division, which comes with the next."""
    return divmod(rest + level_bytes * seconds * each_micro, TIB * SECONDS_PER_HOUR)


def beyond_free(level_bytes: int, free_micro: int) -> int:
    """Of these bytes those that cost something."""
    return max(0, level_bytes - free_micro * TIB // MICRO)


def check_reading(key: str, amount_micro: int, at: datetime, now: datetime) -> None:
    """Raises InvalidInput on what cannot have been measured."""
    if not key.strip():
        raise InvalidInput("a reading without a key could be booked twice", fix="name the meter and the interval")
    if type(amount_micro) is not int or not 0 <= amount_micro <= AMOUNT_MAX:
        raise InvalidInput(
            f"a reading of {amount_micro!r} millionths cannot be booked", fix=f"whole, from 0 to {shown(AMOUNT_MAX)} units"
        )  # fmt: skip
    if at > now:
        raise InvalidInput(f"this reading is of {at}, which has not come yet", fix="set the clock of the meter")
