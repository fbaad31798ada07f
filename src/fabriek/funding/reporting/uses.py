"""What is known of a job when it is settled, beside its price: how long it waited, what energy it took, and when it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fabriek.funding.resources import Resource


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a job that began. energy_joules: beyond the idle machine, by the table of its power; co2_grams: that came with it, by the grid's mix."""

    waited_seconds: int
    energy_joules: int
    ended_at: datetime
    co2_grams: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """The facts beside the posting that settled the job. `at`: when that was booked."""

    job: str
    allocation: str
    resource: Resource
    transaction: str
    waited_seconds: int
    energy_joules: int
    ended_at: datetime
    at: datetime
    co2_grams: int = 0


class Uses(Protocol):
    """Storage of uses, one for each job."""

    def add(self, use: Use) -> None: ...
