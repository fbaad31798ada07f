"""What a job costs, at worst and in the end. Rates are dated data; amounts are rounded up to a millionth of a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from fabriek.funding.policy.tariffs import (
    MILLI,
    TIB,
    Amounts,
    Each,
    Node,
    Per,
    Taken,
    Term,
    check_words,
    node_of,
    of_all_nodes,
    term_of,
)
from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput

SECONDS_PER_HOUR = 3600
PAID_BY_JOBS = frozenset({Resource.GPU_HOUR, Resource.CPU_HOUR})


_TAKEN: Amounts = {Per.CPU: Fraction(1), Per.GIB_MEMORY: Fraction(1)}
"""What every job takes something of; one that pays in GPU-hours of a GPU too."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour costs in a resource, from a day on. `kind`: of GPUs or of storage, where one weighs otherwise than others. `node`: where
    nodes are had whole, or in slices. `wall_hours_max`: how long a job may run; 0 where nothing is said.
    """

    resource: Resource
    term: Term
    valid_from: date
    source: str
    kind: str = ""
    node: Node | None = None
    wall_hours_max: int = 0

    @property
    def amount_micro(self) -> int:
        """What one costs, where that is all there is to it. Raises InvalidInput on a tariff of several terms."""
        if not isinstance(self.term, Each):
            raise InvalidInput(
                f"{self.resource} is charged by {self.term}", fix="give this resource one per and amount"
            )
        return self.term.amount_micro


@dataclass(frozen=True, slots=True)
class Cost:
    resource: Resource
    amount_micro: int


def rates_of(text: str) -> tuple[Rate, ...]:
    """The rates of a TOML text such as data/rates.toml. Raises InvalidInput, also on two rows that would hold at once."""
    rates = read_rows(text, "rate", _rate)
    first: dict[tuple[Resource, str, date], int] = {}
    for number, rate in enumerate(rates, 1):
        earlier = first.setdefault((rate.resource, rate.kind, rate.valid_from), number)
        if earlier != number:
            of = f" of {rate.kind}" if rate.kind else ""
            raise InvalidInput(
                f"[[rate]] number {earlier} and number {number} are both for {rate.resource}{of} from {rate.valid_from} on",
                fix="give one of them a later day, or take it out",
            )
    return rates


def with_own(shipped: Sequence[Rate], own: Sequence[Rate]) -> tuple[Rate, ...]:
    """An operator's rates over those that come with Fabriek: a resource that they price is theirs from their first day on. Before it, and
    for the others, the shipped rates hold: a job of yesterday must find its rate today.
    """
    since: dict[Resource, date] = {}
    for rate in own:
        since[rate.resource] = min(rate.valid_from, since.get(rate.resource, date.max))
    kept = [rate for rate in shipped if rate.valid_from < since.get(rate.resource, date.max)]
    return (*kept, *own)


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


def table_on(rates: Sequence[Rate], on: date) -> list[Rate]:
    """Every rate that is in force on that day, by resource and kind; that of all kinds in front."""
    keys = sorted({(rate.resource, rate.kind) for rate in rates})
    found = (in_force((one for one in rates if (one.resource, one.kind) == key), on) for key in keys)
    return [rate for rate in found if rate is not None]


def worst_case(
    rates: Sequence[Rate], on: date, taken: Taken, *, wall_seconds_max: int, kinds: Sequence[str] = ("",)
) -> Cost:
    """What is held before the job starts. A job with GPUs pays in GPU-hours, another in CPU-hours; never in both. kinds: those that it
    may be given, of which the dearest counts.

    on: the civil day of submission, at the end too: a rate that changes while a job waits is not the job's doing.
    """
    seconds = Fraction(wall_seconds_max)
    return max((_cost(rates, on, taken, seconds, kind) for kind in kinds), key=lambda cost: cost.amount_micro)


def measured(rates: Sequence[Rate], on: date, *, gpus: int, cpus: int, ran_seconds: float) -> Cost:
    """What real use costs where nothing was held for it: elsewhere, by the accounts of another site."""
    return _cost(rates, on, Taken(cpus=cpus, gpus_milli=gpus * MILLI), Fraction(max(0.0, ran_seconds)), "")


def actual(rates: Sequence[Rate], on: date, taken: Taken, *, ran_seconds: float, held: Cost, kind: str = "") -> Cost:
    """What is settled. Never more than was held: seconds past the limit are the factory's, and so is a clock that jumped."""
    used = _cost(rates, on, taken, Fraction(max(0.0, ran_seconds)), kind)
    return Cost(used.resource, min(used.amount_micro, held.amount_micro))


def kept(rates: Sequence[Rate], on: date, *, stored_bytes: int, seconds: Fraction, kind: str = "") -> Cost:
    """What storing so much for so long costs."""
    rate = rate_on(Resource.TIB_HOUR, rates, on, kind)
    return Cost(Resource.TIB_HOUR, _rounded_up(rate, {"tib": Fraction(stored_bytes, TIB)}, seconds))


def wall_hours_max(rates: Sequence[Rate], on: date, taken: Taken, *, kinds: Sequence[str] = ("",)) -> int:
    """The longest that a job may run whichever kind it is given; 0 where nothing is said."""
    said = [rate_on(paid_in(taken), rates, on, kind).wall_hours_max for kind in kinds]
    return min((hours for hours in said if hours), default=0)


def paid_in(taken: Taken) -> Resource:
    """The currency."""
    return Resource.GPU_HOUR if taken.gpus_milli > 0 else Resource.CPU_HOUR


def _cost(rates: Sequence[Rate], on: date, taken: Taken, seconds: Fraction, kind: str) -> Cost:
    assert taken.cpus or taken.gpus_milli, "a job has at least one CPU"
    rate = rate_on(paid_in(taken), rates, on, kind)
    return Cost(rate.resource, _rounded_up(rate, of_all_nodes(taken, rate.node), seconds))


def _rounded_up(rate: Rate, amounts: Amounts, seconds: Fraction) -> int:
    exact = rate.term.hourly(amounts) * seconds / SECONDS_PER_HOUR
    return -(-exact.numerator // exact.denominator)


def _rate(row: dict[str, Any]) -> Rate:
    check_words(row)
    resource = Resource(row["resource"])
    by_jobs = resource in PAID_BY_JOBS
    node, hours = node_of(row), row.get("wall_hours_max", 0)
    if (node or hours) and not by_jobs:
        raise ValueError("nodes and wall time are of jobs, which pay in gpu_hour and cpu_hour")
    if type(hours) is not int or hours < 0:
        raise ValueError("wall_hours_max is a whole number of hours")
    kind = str(row.get("kind", "")).lower()
    term = term_of(row, list(Per) if by_jobs else None)
    gpus: Amounts = {Per.GPU: Fraction(resource is Resource.GPU_HOUR)}
    if by_jobs and not term.hourly({**_TAKEN, **gpus}):
        raise ValueError(
            "a job that costs nothing holds nothing, and the ledger would not know of it: charge for cores, GPUs or memory"
        )
    return Rate(resource, term, row["valid_from"], row["source"], kind, node, hours)
