"""What keeps the draw below the envelope."""

from collections.abc import Callable
from typing import TypedDict

from fabriek.adapters.database import Database
from fabriek.audit.service import Audit
from fabriek.bootstrap.machinery import caps_of
from fabriek.compute.executors.contract import Executor
from fabriek.compute.machine import Machine
from fabriek.compute.ports import Jobs, PowerLimits
from fabriek.compute.powering.desk import GridDesk
from fabriek.compute.powering.guard import PowerGuard
from fabriek.compute.powering.recording import Recorder
from fabriek.compute.powering.store import SqlPowerActs, SqlPowerMessages, SqlPowerQuarters, SqlPowerReadings
from fabriek.funding.policy.book import PolicyBook
from fabriek.kernel.clock import Clock
from fabriek.kernel.ids import Ids
from fabriek.settings import Settings


class Powering(TypedDict):
    """By the names that `Services` has for them."""

    power_guard: PowerGuard
    grid_desk: GridDesk
    power_record: Recorder


def powering_of(
    settings: Settings, database: Database, policy: PolicyBook, *, jobs: Jobs, limits: PowerLimits, machine: Machine, executor: Executor,
    audit: Audit, clock: Clock, ids: Ids, wake: Callable[[], None],
) -> Powering:  # fmt: skip
    readings = SqlPowerReadings(database)
    return Powering(
        power_guard=PowerGuard(
            jobs, limits, SqlPowerActs(database), readings, machine=machine, ladder=lambda: policy.now().ladder_on(clock.today()),
            caps=caps_of(settings, executor), audit=audit, clock=clock, ids=ids,
        ),
        grid_desk=GridDesk(SqlPowerMessages(database), limits, jobs, audit, clock, ids, wake),
        power_record=Recorder(SqlPowerQuarters(database), readings, jobs, limits, machine, audit, clock),
    )  # fmt: skip
