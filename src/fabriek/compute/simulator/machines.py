"""The machine on which a trace is replayed, and the limits of its meter, from files."""

import csv
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from fabriek.compute.capacity import UNLIMITED_WATTS, Capacity
from fabriek.compute.power import Contract, Limit, PowerTable, table_on, tables_of
from fabriek.compute.powering.work import parts_of, works_of, works_on
from fabriek.compute.simulator.recorded import BEGIN, pool
from fabriek.compute.simulator.replay import Machine
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput, NotFound

FIGURES = frozenset({"nodes", "cpus", "gpus", "memory_gib", "table", "contract_kw"})
USUAL_TABLE = "gpu_node"
WATTS_PER_KW = 1_000
PLAYED_ON = date(2026, 6, 1)
"""The day whose rows hold where a trace is played."""


def table_named(name: str) -> PowerTable:
    """Of those that are shipped, as they hold where the trace is played. Raises InvalidInput."""
    return table_on(name, tables_of(shipped("fabriek.compute", "power.toml")), PLAYED_ON)


def parts_for(name: str) -> dict[str, Decimal]:
    """Kind of work → the part of a GPU that it draws on that class of node, by the rows that are shipped."""
    return parts_of(works_on(works_of(shipped("fabriek.compute", "power.toml")), name, PLAYED_ON))


def machine_of_procs(procs: int, limits: Sequence[Limit] = ()) -> Machine:
    """One pool of processors. Raises InvalidInput."""
    if procs < 1:
        raise InvalidInput(
            "a machine has one processor at least", fix="--procs 100, or a trace whose head says MaxProcs"
        )
    return Machine(pool(procs), table_named(USUAL_TABLE), limits=tuple(limits), parts=parts_for(USUAL_TABLE))


def machine_from(path: Path, limits: Sequence[Limit] = ()) -> Machine:
    """A file of TOML: nodes that are alike, with cpus, gpus and memory_gib each; table, contract_kw. Raises NotFound, InvalidInput."""
    if not path.is_file():
        raise NotFound(
            f"there is no file {path}", fix="name a machine in TOML: nodes = 252, cpus = 64, gpus = 4, memory_gib = 512"
        )
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as slip:
        raise InvalidInput(f"{path.name} is not TOML: {slip}", fix="mend the file at that line") from None
    if unknown := sorted(set(said) - FIGURES):
        raise InvalidInput(f"a machine has no {unknown[0]!r}", fix=f"it has {', '.join(sorted(FIGURES))}")
    nodes, cpus, gpus = (_count(said, name, usual) for name, usual in (("nodes", 1), ("cpus", None), ("gpus", 0)))
    memory = _count(said, "memory_gib", None) * 2**30
    contract = Contract(_count(said, "contract_kw", 1) * WATTS_PER_KW) if "contract_kw" in said else None
    name = str(said.get("table", USUAL_TABLE))
    capacity = Capacity(nodes * cpus, nodes * gpus, nodes * memory, nodes)
    return Machine(capacity, table_named(name), contract, tuple(limits), parts_for(name))


def limits_from(path: Path) -> list[Limit]:
    """A table with the columns from, to and kw, and `announced` where it became known while jobs ran; instants as ISO 8601, or seconds of the trace.
    Raises NotFound, InvalidInput naming the line.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", fix="name a table with the columns from, to, kw")
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if not {"from", "to", "kw"} <= set(rows.fieldnames or ()):
                raise InvalidInput(f"{path.name} has not the columns from, to, kw", fix="from,to,kw\n0,3600,400")
            return [_limit(row, rows.line_num, path.name) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path.name} is no table: {error}", fix="from,to,kw\n0,3600,400") from None


def _limit(row: dict[str, str], line: int, name: str) -> Limit:
    try:
        announced = row.get("announced") or ""
        return Limit(
            _instant(row["from"]),
            _instant(row["to"]),
            _watts(row["kw"]),
            _instant(announced) if announced.strip() else None,
        )
    except (ValueError, TypeError, OverflowError, InvalidOperation):
        raise InvalidInput(
            f"line {line} of {name} is no limit", fix="from,to,kw\n2026-01-05T17:00Z,2026-01-05T20:00Z,400"
        ) from None
    except InvalidInput as error:
        raise InvalidInput(f"line {line} of {name}: {error.detail}", fix=error.fix) from None


def _watts(kilowatts: str) -> int:
    watts = Decimal(kilowatts) * WATTS_PER_KW
    if watts > UNLIMITED_WATTS:
        raise InvalidInput("that is more than any machine draws", fix="leave the limit out")
    return int(watts)


def _instant(text: str) -> datetime:
    try:
        return BEGIN + timedelta(seconds=float(text))
    except ValueError:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def _count(said: dict[str, Any], name: str, usual: int | None) -> int:
    value = said.get(name, usual)
    least = 0 if name == "gpus" else 1
    if type(value) is not int or not least <= value <= 10**7:
        raise InvalidInput(f"a machine names {name} as a whole number from {least} on", fix=f"{name} = 64")
    return value
