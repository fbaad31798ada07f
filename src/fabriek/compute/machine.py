"""The machine that this installation schedules: its size, what it draws, what its power contract allows, what its hours cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal
from enum import StrEnum

from fabriek.compute.capacity import Capacity
from fabriek.compute.hosts import NONE_LISTED, Listed
from fabriek.compute.partitions import Partition, nodes_for
from fabriek.compute.power import Contract, Planning, PowerTable, planned, table_on
from fabriek.compute.powering.carbon import Mix
from fabriek.compute.powering.work import Work, works_on
from fabriek.funding.policy.rates import Rate
from fabriek.schemas.node import Capabilities


class GangNetwork(StrEnum):
    """What lies between the members of a job of several nodes. `own`: they share one sandbox, and its network leads nowhere. `host`: each is on a
    host of its own, and has that host's network.
    """

    OWN = "own"
    NONE = "none"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Machine:
    """`able`: what this machine can do for jobs; asked when it is first needed, since finding out takes a moment.
    `unsandboxed`: the operator lets jobs that read nothing above the lowest label run without walls where none can stand.
    `workspaces`: the folder that holds one for each project; empty where there are none. `host_network`: the operator lets jobs at the
    lowest label reach what this machine reaches, `hosts` which of the world a job may name. `gangs`: how members of a job of several
    nodes reach each other. `doors`: the server reaches into jobs that run. `images`: those that the operator lists, name → path.
    `planning`: by what the draw of jobs is planned. `mixes`: how much CO2 the grid brings. `works`: what kinds of work draw.
    """

    capacity: Capacity
    tables: Sequence[PowerTable]
    rates: Sequence[Rate]
    kind: str
    contract: Contract | None
    zone: tzinfo
    able: Callable[[], Capabilities]
    unsandboxed: bool = False
    workspaces: str = ""
    host_network: bool = False
    gangs: GangNetwork = GangNetwork.OWN
    doors: bool = True
    hosts: Listed = NONE_LISTED
    images: Mapping[str, str] = field(default_factory=dict)
    partitions: tuple[Partition, ...] = ()
    planning: Planning = Planning.NAMEPLATE
    mixes: Sequence[Mix] = ()
    works: Sequence[Work] = ()

    def among(self, label: str, purpose: str) -> tuple[int, ...]:
        """The nodes on which a job of this label and purpose may stand; empty: on each. Raises NotPermitted where there is none."""
        return nodes_for(self.partitions, self.capacity.nodes, label, purpose)

    def without_walls(self) -> bool:
        """Whether jobs run without walls here."""
        return self.unsandboxed and not self.able().sandbox

    def table(self, on: date) -> PowerTable:
        """That by which jobs are planned."""
        return planned(table_on(self.kind, self.tables, on), self.planning, self.capacity.nodes)

    def works_on(self, on: date) -> dict[str, Work]:
        """Name → what that kind of work draws here, by name."""
        return works_on(self.works, self.kind, on)

    def part_of(self, work: str, on: date) -> Decimal | None:
        """Of the most that a GPU draws, on average. None for no kind, and for one that is no longer known."""
        row = self.works_on(on).get(work) if work else None
        return row.part_mean if row else None
