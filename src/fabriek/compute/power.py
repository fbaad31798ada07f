"""Power: a hard envelope over time, and what jobs draw. The contract always holds, limits hold from one instant to another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any

from fabriek.compute.gpus import MILLI
from fabriek.compute.jobs import Shape
from fabriek.kernel.dated import in_force, read_rows
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO


@dataclass(frozen=True, slots=True)
class Contract:
    """What may be drawn at the meter when no limit says less."""

    watts: int


@dataclass(frozen=True, slots=True)
class Limit:
    """From `starts` until just before `ends`, at most this may be drawn at the meter. `known_from`: where time is played forward, when it
    is announced; None where it is known all along.
    """

    starts: datetime
    ends: datetime
    watts: int
    known_from: datetime | None = None

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
    """What one class of machine draws. `pue` lifts the machine's own draw to what the meter sees, cooling included. `watts_per_gpu` is what is
    planned for a GPU; `nameplate_watts_per_gpu` is the most that it draws, where less is planned; `gpu_watts_mean` and `gpu_watts_sd` were measured
    over many, None where nobody measured.
    """

    machine: str
    idle_watts_per_node: Decimal
    watts_per_cpu: Decimal
    watts_per_gpu: Decimal
    pue: Decimal
    valid_from: date
    source: str
    gpu_watts_mean: Decimal | None = None
    gpu_watts_sd: Decimal | None = None
    nameplate_watts_per_gpu: Decimal | None = None

    @property
    def gpu_watts_full(self) -> Decimal:
        """The most that a GPU draws, whatever is planned for it."""
        return self.nameplate_watts_per_gpu or self.watts_per_gpu


class Planning(StrEnum):
    """By what a job's draw is planned: what its GPUs can draw, or what they were measured to draw together."""

    NAMEPLATE = "nameplate"
    MEASURED = "measured"


SIGMAS = Decimal("3.0902")
"""Of a normal distribution 0.1 % lies above so many standard deviations. The sum over many nodes is close to one."""


def planned(table: PowerTable, planning: Planning, nodes: int) -> PowerTable:
    """The table by which jobs are planned on so many nodes. Measured: mean + 3.09·sd/√(nodes/2) for each GPU, never above what it can draw. Nodes
    are counted and not GPUs, since those of one node mostly work on one job and draw alike; and half of them, since a machine is planned by
    its draw where a limit lets about half of it run. Of a small machine it is nearly nameplate.
    """
    if planning is Planning.NAMEPLATE or table.gpu_watts_mean is None or table.gpu_watts_sd is None:
        return table
    each = table.gpu_watts_mean + SIGMAS * table.gpu_watts_sd / Decimal(max(1, nodes // 2)).sqrt()
    lower = min(each.to_integral_value(ROUND_CEILING), table.watts_per_gpu)
    return replace(table, watts_per_gpu=lower, nameplate_watts_per_gpu=table.gpu_watts_full)


def tables_of(text: str) -> tuple[PowerTable, ...]:
    """The tables of a TOML text such as data/power.toml; a file with kinds of work alone has none. Raises InvalidInput."""
    return read_rows(text, "table", _table, beside=("kind",))


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


def capped_draw(shape: Shape, table: PowerTable, part_micro: int) -> int:
    """The same where its GPUs are bounded to so many millionths of the most that they draw."""
    bound = table.gpu_watts_full * part_micro / MICRO
    return draw(shape, replace(table, watts_per_gpu=min(table.watts_per_gpu, bound)))


def idle_watts(table: PowerTable, nodes: int) -> int:
    """Watts that the nodes draw at the meter with nothing to do."""
    return _at_meter(nodes * table.idle_watts_per_node, table)


def expected_draw(shape: Shape, table: PowerTable, part: Decimal | None = None) -> int:
    """What it is expected to draw by what was measured; what is planned for it where nobody measured. part: of the most that a GPU draws, by the
    kind of its work; None where that is not known.
    """
    mean = table.gpu_watts_mean if part is None else part * table.gpu_watts_full
    return draw(shape, table if mean is None else replace(table, watts_per_gpu=min(mean, table.gpu_watts_full)))


def energy_joules(shape: Shape, table: PowerTable, seconds: float, part: Decimal | None = None) -> float:
    """What a job took beyond the idle machine: an estimate from the table, not a measurement."""
    return expected_draw(shape, table, part) * max(0.0, seconds)


def _at_meter(watts: Decimal, table: PowerTable) -> int:
    return int((watts * table.pue).to_integral_value(ROUND_CEILING))


def _table(row: dict[str, Any]) -> PowerTable:
    figures = {name: Decimal(row[name]) for name in ("idle_watts_per_node", "watts_per_cpu", "watts_per_gpu", "pue")}
    if min(figures.values()) < 0 or figures["pue"] < 1:
        raise ValueError("watts are 0 or more, and a PUE is 1 or more")
    measured = {name: Decimal(row[name]) for name in ("gpu_watts_mean", "gpu_watts_sd") if name in row}
    if len(measured) == 1 or min(measured.values(), default=Decimal(0)) < 0:
        raise ValueError("what was measured is a mean and a standard deviation, both 0 W or more")
    return PowerTable(
        machine=str(row["machine"]), valid_from=row["valid_from"], source=row["source"], **figures, **measured
    )  # fmt: skip
