"""What a job costs, at worst and in the end. Rates are dated data; amounts are rounded up to a millionth of a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import micro

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Rate:
    """What one hour of one `per` (gpu, cpu, tib, expert) costs, in micro-units of the resource."""

    resource: Resource
    per: str
    amount_micro: int
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Cost:
    resource: Resource
    amount_micro: int


def rates_of(text: str) -> tuple[Rate, ...]:
    """The rates of a TOML text such as data/rates.toml. Raises InvalidInput."""
    return read_rows(text, "rate", _rate)


def rate_on(resource: Resource, rates: Sequence[Rate], on: date) -> Rate:
    """Raises InvalidInput on a day before the first rate: nothing is free because a row is missing."""
    found = in_force((rate for rate in rates if rate.resource is resource), on)
    if found is None:
        raise InvalidInput(f"there is no rate for {resource} on {on}", fix="add a row to the rates file")
    return found


def worst_case(rates: Sequence[Rate], on: date, *, gpus: int, cpus: int, wall_seconds_max: int) -> Cost:
    """What is held before the job starts. A job with GPUs pays in GPU-hours, another in CPU-hours; never in both.

    on: the civil day of submission, at the end too: a rate that changes while a job waits is not the job's doing.
    """
    resource, count = (Resource.GPU_HOUR, gpus) if gpus > 0 else (Resource.CPU_HOUR, cpus)
    return Cost(resource, _rounded_up(rate_on(resource, rates, on), count, Fraction(wall_seconds_max)))


def measured(rates: Sequence[Rate], on: date, *, gpus: int, cpus: int, ran_seconds: float) -> Cost:
    """What real use costs where nothing was held for it: elsewhere, by the accounts of another site."""
    resource, count = (Resource.GPU_HOUR, gpus) if gpus > 0 else (Resource.CPU_HOUR, cpus)
    return Cost(resource, _rounded_up(rate_on(resource, rates, on), count, Fraction(max(0.0, ran_seconds))))


def actual(rates: Sequence[Rate], on: date, *, gpus: int, cpus: int, wall_seconds_max: int, ran_seconds: float) -> Cost:
    """What is settled. Never more than was held: seconds past the limit are the factory's, and so is a clock that jumped."""
    worst = worst_case(rates, on, gpus=gpus, cpus=cpus, wall_seconds_max=wall_seconds_max)
    used = measured(rates, on, gpus=gpus, cpus=cpus, ran_seconds=ran_seconds)
    return Cost(worst.resource, min(used.amount_micro, worst.amount_micro))


def _rounded_up(rate: Rate, count: int, seconds: Fraction) -> int:
    assert count > 0, "a job has at least one CPU"
    exact = rate.amount_micro * count * seconds / SECONDS_PER_HOUR
    return -(-exact.numerator // exact.denominator)


def _rate(row: dict[str, Any]) -> Rate:
    amount_micro = micro(row["amount"])
    if amount_micro < 0:
        raise ValueError("an amount below zero would pay people for computing")
    return Rate(Resource(row["resource"]), str(row["per"]), amount_micro, row["valid_from"], row["source"])
