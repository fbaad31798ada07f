"""Reports: what became of the credits."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from fabriek.access.service import Access
from fabriek.adapters.database import Database
from fabriek.funding.policy.book import PolicyBook
from fabriek.funding.reporting.service import Reporting
from fabriek.funding.reporting.store import SqlFigures
from fabriek.funding.reporting.values import shipped_values
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlAllocations, SqlFunds, SqlLedger
from fabriek.kernel.clock import Clock
from fabriek.kernel.units import MICRO

HOURS_PER_DAY = 24


def reporting_of(
    database: Database, policy: PolicyBook, *, access: Access, clock: Clock, zone: str, capacity: Callable[[], tuple[int, int]]
) -> Reporting:  # fmt: skip
    """capacity: the machine's GPUs and CPUs."""

    def gives() -> Mapping[Resource, int]:
        gpus, cpus = capacity()
        return {Resource.GPU_HOUR: gpus * HOURS_PER_DAY * MICRO, Resource.CPU_HOUR: cpus * HOURS_PER_DAY * MICRO}

    return Reporting(
        SqlFigures(database), SqlLedger(database), SqlFunds(database), SqlAllocations(database), policy, access=access, clock=clock,
        zone=ZoneInfo(zone), values=shipped_values(), gives=gives,
    )  # fmt: skip
