"""What a unit of each resource is worth in euros: an estimate of the operator, dated, for what a funder gives in kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from typing import Any

from fabriek.funding.resources import Resource
from fabriek.kernel.dated import in_force, read_rows, shipped
from fabriek.kernel.units import MICRO

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Value:
    """Euros for one unit."""

    resource: Resource
    euro: Decimal
    valid_from: date
    source: str


def values_of(text: str) -> tuple[Value, ...]:
    """The rows of a TOML text such as data/values.toml. Raises InvalidInput."""
    return read_rows(text, "value", _value)


@cache
def shipped_values() -> tuple[Value, ...]:
    return values_of(shipped("fabriek.funding.reporting", "values.toml"))


def value_on(values: Sequence[Value], resource: Resource, on: date) -> Value | None:
    """None where no row is in force: then nothing is said in euros."""
    return in_force((one for one in values if one.resource is resource), on)


def worth(value: Value, amount_micro: int) -> Decimal:
    """In euros, to the cent."""
    return (Decimal(amount_micro) * value.euro / MICRO).quantize(CENT, ROUND_HALF_EVEN)


def _value(row: dict[str, Any]) -> Value:
    euro = Decimal(str(row["euro"]))
    if not euro.is_finite() or euro < 0:
        raise ValueError("a unit is worth nothing below zero")
    return Value(Resource(row["resource"]), euro, row["valid_from"], row["source"])
