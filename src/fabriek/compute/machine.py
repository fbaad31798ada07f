"""The machine that this installation schedules: its size, what it draws, what its power contract allows, what its hours cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from fabriek.compute.capacity import Capacity
from fabriek.compute.power import Contract, PowerTable, table_on
from fabriek.funding.rates import Rate


@dataclass(frozen=True, slots=True)
class Machine:
    """`sandboxed`: whether jobs can be kept from each other here; where not, `unsandboxed_fix` is the command that mends it."""

    capacity: Capacity
    tables: Sequence[PowerTable]
    rates: Sequence[Rate]
    kind: str
    contract: Contract | None
    zone: tzinfo
    sandboxed: bool = True
    unsandboxed_fix: str = ""

    def table(self, on: date) -> PowerTable:
        return table_on(self.kind, self.tables, on)
