"""CO2 that a job's energy brought with it, by dated figures of the grid's mix."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.units import JOULES_PER_KWH


@dataclass(frozen=True, slots=True)
class Mix:
    """grams_per_kwh: of CO2 and what counts like it, at the meter."""

    name: str
    grams_per_kwh: Decimal
    valid_from: date
    source: str


def mixes_of(text: str) -> tuple[Mix, ...]:
    """The rows of a TOML text such as data/carbon.toml. Raises InvalidInput."""
    return read_rows(text, "mix", _mix)


def co2_grams(energy_joules: float, mixes: Sequence[Mix], on: date) -> float:
    """By the mix in force on that day; 0 before the first."""
    mix = in_force(mixes, on)
    return energy_joules / JOULES_PER_KWH * float(mix.grams_per_kwh) if mix else 0.0


def _mix(row: dict[str, Any]) -> Mix:
    grams = Decimal(row["grams_per_kwh"])
    if not 0 <= grams <= 5_000:
        raise ValueError("grams_per_kwh is from 0 to 5,000")
    return Mix(str(row["name"]), grams, row["valid_from"], row["source"])


def in_words(energy_joules: float, co2_grams: float) -> str:
    """`1.250 kWh, 468 g CO2`; what is too little to be told apart is said so."""
    kwh = energy_joules / JOULES_PER_KWH
    energy = f"{kwh:,.3f} kWh" if kwh >= 0.001 else "less than 0.001 kWh"
    return f"{energy}, " + (f"{co2_grams:,.0f} g CO2" if co2_grams >= 1 else "less than 1 g CO2")
