"""Power: a hard envelope over time, and what jobs draw. The contract always holds, limits hold from one instant to another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from fabriek.compute.gpus import MILLI
from fabriek.compute.jobs import Shape
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Contract:
    """What may be drawn at the meter when no limit says less."""

    watts: int


@dataclass(frozen=True, slots=True)
class Limit:
    """From `starts` until just before `ends`, at most this may be drawn at the meter."""

    starts: datetime
    ends: datetime
    watts: int

    def __post_init__(self) -> None:
        if self.ends <= self.starts or self.watts < 0:
            raise InvalidInput("a limit ends after it starts, and is 0 W or more", fix="give --from before --to")


def envelope(contract: Contract | None, limits: Iterable[Limit], at: datetime) -> int | None:
    """Watts that may be drawn at this instant; None where neither a contract nor a limit says anything."""
    watts = [limit.watts for limit in limits if limit.starts <= at < limit.ends]
    if contract is not None:
        watts.append(contract.watts)
    return min(watts, default=None)


def lowest(contract: Contract | None, limits: Iterable[Limit], since: datetime, until: datetime) -> int | None:
    """The least that may be drawn at any instant from `since` until just before `until`."""
    watts = [limit.watts for limit in limits if limit.starts < until and since < limit.ends]
    if contract is not None:
        watts.append(contract.watts)
    return min(watts, default=None)


def next_rise(contract: Contract | None, limits: Sequence[Limit], at: datetime) -> datetime | None:
    """The first instant after this one at which more may be drawn than now; None if that never comes."""
    now = envelope(contract, limits, at)
    if now is None:
        return None
    for end in sorted({limit.ends for limit in limits if limit.ends > at}):
        then = envelope(contract, limits, end)
        if then is None or then > now:
            return end
    return None


@dataclass(frozen=True, slots=True)
class PowerTable:
    """What one class of machine draws. `pue` lifts the machine's own draw to what the meter sees, cooling included."""

    machine: str
    idle_watts_per_node: Decimal
    watts_per_cpu: Decimal
    watts_per_gpu: Decimal
    pue: Decimal
    valid_from: date
    source: str


def tables_of(text: str) -> tuple[PowerTable, ...]:
    """The tables of a TOML text such as data/power.toml. Raises InvalidInput."""
    return read_rows(text, "table", _table)


def table_on(machine: str, tables: Iterable[PowerTable], on: date) -> PowerTable:
    """Raises InvalidInput where none is in force: a machine that draws nothing would be planned above any envelope."""
    found = in_force((table for table in tables if table.machine == machine), on)
    if found is None:
        raise InvalidInput(f"there is no power table for {machine} on {on}", fix="add a row to the power file")
    return found


def draw(shape: Shape, table: PowerTable) -> int:
    """Watts that a busy job of this shape adds at the meter, rounded up: planning errs on the safe side."""
    gpus = Decimal(shape.gpus_milli_in_all) / MILLI
    return _at_meter(shape.cpus_in_all * table.watts_per_cpu + gpus * table.watts_per_gpu, table)


def idle_watts(table: PowerTable, nodes: int) -> int:
    """Watts that the nodes draw at the meter with nothing to do."""
    return _at_meter(nodes * table.idle_watts_per_node, table)


def energy_joules(shape: Shape, table: PowerTable, seconds: float) -> float:
    """What a job took beyond the idle machine: an estimate from the table, not a measurement."""
    return draw(shape, table) * max(0.0, seconds)


def _at_meter(watts: Decimal, table: PowerTable) -> int:
    return int((watts * table.pue).to_integral_value(ROUND_CEILING))


def _table(row: dict[str, Any]) -> PowerTable:
    figures = {name: Decimal(row[name]) for name in ("idle_watts_per_node", "watts_per_cpu", "watts_per_gpu", "pue")}
    if min(figures.values()) < 0 or figures["pue"] < 1:
        raise ValueError("watts are 0 or more, and a PUE is 1 or more")
    return PowerTable(machine=str(row["machine"]), valid_from=row["valid_from"], source=row["source"], **figures)
