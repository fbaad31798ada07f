"""Jobs, machines and power for tests: what does not matter has a default."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fabriek.compute.board import Board
from fabriek.compute.capacity import Capacity
from fabriek.compute.contenders import Running, Waiting
from fabriek.compute.gpus import Gpus, gpus_of
from fabriek.compute.jobs import Job, Shape
from fabriek.compute.power import Limit, PowerTable
from fabriek.compute.simulator.traces import TraceRow
from fabriek.compute.snapshot import Snapshot
from fabriek.kernel.dated import shipped
from fabriek.kernel.purposes import Purpose

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
GIB = 2**30


def a_table(*, idle: int = 28, cpu: int = 10, gpu: int = 100, pue: str = "1") -> PowerTable:
    return PowerTable(
        "test", Decimal(idle), Decimal(cpu), Decimal(gpu), Decimal(pue), date(2026, 1, 1), "made up for tests"
    )


def shipped_tables() -> str:
    return shipped("fabriek.compute", "power.toml")


def a_shape(
    *, cpus: int = 1, gpus: float | str = 0, memory_bytes: int = GIB, seconds: int = 3600, nodes: int = 1
) -> Shape:
    return Shape(cpus, gpus_of(gpus), memory_bytes, seconds, nodes)


def a_job(job: str = "job_1", **changes: Any) -> Job:
    fields: dict[str, Any] = {
        "project": "prj_1",
        "person": "per_1",
        "name": "train",
        "purpose": Purpose.CIVILIAN,
        "argv": ("python", "train.py"),
        "cpus": 1,
        "gpus": Gpus(),
        "memory_bytes": GIB,
        "wall_seconds_max": 3600,
        "share": "shr_1",
        "label": "internal",
        "submitted_at": NOON,
    }
    return Job(id=job, **(fields | changes))


def a_waiting(job: str = "job_1", *, share: str = "shr_1", at: datetime = NOON, **changes: Any) -> Waiting:
    priority = {"priority": changes.pop("priority")} if "priority" in changes else {}
    return Waiting(job, share, a_shape(**changes), at, **priority)


def a_running(
    job: str = "job_0", *, share: str = "shr_1", ends: datetime = NOON + timedelta(hours=1), **changes: Any
) -> Running:
    names = ("placed", "preemptible", "priority", "leaving", "waited_seconds")
    told = {name: changes.pop(name) for name in names if name in changes}
    return Running(job, share, a_shape(**changes), ends, **told)


def a_limit(watts: int, *, starts: datetime = NOON, hours: float = 2) -> Limit:
    return Limit(starts, starts + timedelta(hours=hours), watts)


def a_snapshot(*queued: Waiting, cpus: int = 8, gpus: int = 4, **changes: Any) -> Snapshot:
    fields: dict[str, Any] = {"capacity": Capacity(cpus, gpus, 64 * GIB), "table": a_table(), "queued": tuple(queued)}
    return Snapshot(**(fields | changes))


def kept(snapshot: Snapshot, now: datetime) -> Board:
    """The board of somebody who keeps it, with the snapshot's queue in line."""
    board = Board(snapshot, now)
    for waiting in sorted(snapshot.queued, key=lambda one: (one.submitted_at, one.number, one.job)):
        board.wait(waiting)
    return board


def a_row(
    job: str = "job_1", *, share: str = "shr_1", after_seconds: float = 0, ran_seconds: float = 1800, **shape: Any
) -> TraceRow:
    return TraceRow(job, share, a_shape(**shape), NOON + timedelta(seconds=after_seconds), ran_seconds)
