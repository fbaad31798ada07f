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
MILLI = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What one hour of one `per` (gpu, cpu, tib, expert) costs, in micro-units of the resource. `kind`: of GPUs, where those weigh
    otherwise than others.
    """

    resource: Resource
    per: str
    amount_micro: int
    valid_from: date
    source: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    resource: Resource
    amount_micro: int


def rates_of(text: str) -> tuple[Rate, ...]:
    """The rates of a TOML text such as data/rates.toml. Raises InvalidInput."""
    return read_rows(text, "rate", _rate)


def rate_on(resource: Resource, rates: Sequence[Rate], on: date, kind: str = "") -> Rate:
    """That of the kind where it has one, else that of all. Raises InvalidInput on a day before the first rate: nothing is free because a
    row is missing.
    """
    alike = [rate for rate in rates if rate.resource is resource]
    found = in_force((rate for rate in alike if kind and rate.kind == kind), on) or in_force(
        (rate for rate in alike if not rate.kind), on
    )
    if found is None:
        raise InvalidInput(f"there is no rate for {resource} on {on}", fix="add a row to the rates file")
    return found


def worst_case(
    rates: Sequence[Rate], on: date, *, gpus_milli: int, cpus: int, wall_seconds_max: int, kinds: Sequence[str] = ("",)
) -> Cost:
    """What is held before the job starts. A job with GPUs pays in GPU-hours, another in CPU-hours; never in both. kinds: those that it
    may be given, of which the dearest counts.

    on: the civil day of submission, at the end too: a rate that changes while a job waits is not the job's doing.
    """
    resource, milli = _paid_in(gpus_milli, cpus)
    dearest = max((rate_on(resource, rates, on, kind) for kind in kinds), key=lambda rate: rate.amount_micro)
    return Cost(resource, _rounded_up(dearest, milli, Fraction(wall_seconds_max)))


def measured(rates: Sequence[Rate], on: date, *, gpus: int, cpus: int, ran_seconds: float) -> Cost:
    """What real use costs where nothing was held for it: elsewhere, by the accounts of another site."""
    resource, milli = _paid_in(gpus * MILLI, cpus)
    return Cost(resource, _rounded_up(rate_on(resource, rates, on), milli, Fraction(max(0.0, ran_seconds))))


def actual(
    rates: Sequence[Rate], on: date, *, gpus_milli: int, cpus: int, ran_seconds: float, held: Cost, kind: str = ""
) -> Cost:
    """What is settled. Never more than was held: seconds past the limit are the factory's, and so is a clock that jumped."""
    resource, milli = _paid_in(gpus_milli, cpus)
    used = _rounded_up(rate_on(resource, rates, on, kind), milli, Fraction(max(0.0, ran_seconds)))
    return Cost(resource, min(used, held.amount_micro))


def _paid_in(gpus_milli: int, cpus: int) -> tuple[Resource, int]:
    """The currency, and how much of it an hour takes, in thousandths of a device."""
    return (Resource.GPU_HOUR, gpus_milli) if gpus_milli > 0 else (Resource.CPU_HOUR, cpus * MILLI)


def _rounded_up(rate: Rate, milli: int, seconds: Fraction) -> int:
    assert milli > 0, "a job has at least one CPU"
    exact = rate.amount_micro * milli * seconds / (SECONDS_PER_HOUR * MILLI)
    return -(-exact.numerator // exact.denominator)


def _rate(row: dict[str, Any]) -> Rate:
    amount_micro = micro(row["amount"])
    if amount_micro < 0:
        raise ValueError("an amount below zero would pay people for computing")
    kind = str(row.get("kind", "")).lower()
    return Rate(Resource(row["resource"]), str(row["per"]), amount_micro, row["valid_from"], row["source"], kind)
