"""The SQL of forecasting."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Integer, Row, String, Table, bindparam, delete, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.compute.forecasting.forecasts import Basis, Features, Forecast
from fabriek.compute.forecasting.past import Owner, Ran
from fabriek.compute.forecasting.ports import Kept
from fabriek.compute.gpus import MILLI, Gpus
from fabriek.compute.jobs import ENDED, ON_THE_MACHINE, Priority, Shape, State
from fabriek.compute.store import IDS_AT_ONCE, jobs

forecasts = Table(
    "compute_forecasts",
    metadata,
    Column("job", String, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("basis", String, nullable=False),
    Column("earliest", Instant),
    Column("median", Instant),
    Column("latest", Instant),
    Column("futures", Integer, nullable=False),
    Column("features", JSON(none_as_null=True)),
    Column("started_at", Instant, index=True),
    Column("last_made_at", Instant, nullable=False),
    Column("last_basis", String, nullable=False),
    Column("last_earliest", Instant),
    Column("last_median", Instant),
    Column("last_latest", Instant),
    Column("last_futures", Integer, nullable=False),
)

_AGAIN = update(forecasts).where(forecasts.c.job == bindparam("kept"))


class SqlForecasts:
    """Forecasts, in either database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def keep(self, told: Sequence[Kept]) -> None:
        there = set[str]()
        names = [one.job for one in told]
        for start in range(0, len(names), IDS_AT_ONCE):
            some = select(forecasts.c.job).where(forecasts.c.job.in_(names[start : start + IDS_AT_ONCE]))
            there |= {row.job for row in self._db.rows(some)}
        if new := [_values(one) for one in told if one.job not in there]:
            self._db.execute(insert(forecasts), new)
        if again := [_said(one.last, "last_") | {"kept": one.job} for one in told if one.job in there]:
            self._db.execute(_AGAIN, again)

    def of(self, job: str) -> Kept | None:
        row = self._db.row(select(forecasts).where(forecasts.c.job == job))
        return None if row is None else _kept(row)

    def open(self) -> Sequence[Kept]:
        rows = self._db.rows(select(forecasts).where(forecasts.c.started_at.is_(None)).order_by(forecasts.c.job))
        return [_kept(row) for row in rows]

    def close(self, *, keeping: int) -> int:
        both = forecasts.join(jobs, forecasts.c.job == jobs.c.id)
        moved = jobs.c.started_at.is_not(None) | jobs.c.state.in_(ENDED)
        wanted = select(forecasts.c.job, jobs.c.started_at).select_from(both)
        rows = self._db.rows(wanted.where(forecasts.c.started_at.is_(None), moved))
        if began := [{"kept": row.job, "started_at": row.started_at} for row in rows if row.started_at is not None]:
            self._db.execute(_AGAIN, began)
        never = [row.job for row in rows if row.started_at is None]
        for start in range(0, len(never), IDS_AT_ONCE):
            self._db.execute(delete(forecasts).where(forecasts.c.job.in_(never[start : start + IDS_AT_ONCE])))
        newest = select(forecasts.c.started_at).where(forecasts.c.started_at.is_not(None))
        if edge := self._db.row(newest.order_by(forecasts.c.started_at.desc()).offset(keeping).limit(1)):
            self._db.execute(delete(forecasts).where(forecasts.c.started_at <= edge.started_at))
        return len(rows)

    def outcomes(self, *, limit: int) -> Sequence[Kept]:
        known = select(forecasts).where(forecasts.c.started_at.is_not(None))
        newest_first = known.order_by(forecasts.c.started_at.desc(), forecasts.c.job.desc()).limit(limit)
        return [_kept(row) for row in reversed(self._db.rows(newest_first))]


class SqlPast:
    """Jobs as forecasts look at them: few columns of many rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def since(self, then: datetime, *, limit: int) -> Sequence[Ran]:
        c = jobs.c
        wanted = (
            select(
                c.id, c.person, c.project, c.share, c.cpus, c.gpus, c.memory_bytes, c.wall_seconds_max, c.nodes, c.gpu_kind, c.gpus_milli,
                c.submitted_at, c.ran_seconds, c.state, c.priority,
            )
            .where(c.submitted_at >= then, c.started_at.is_not(None), c.state.in_(ENDED | ON_THE_MACHINE))
            .order_by(c.id.desc())
            .limit(limit)
        )  # fmt: skip
        return [_ran(row) for row in reversed(self._db.rows(wanted))]

    def owners(self) -> Mapping[str, Owner]:
        there = jobs.c.state.in_({State.QUEUED, *ON_THE_MACHINE})
        rows = self._db.rows(select(jobs.c.id, jobs.c.person, jobs.c.project).where(there))
        return {row.id: Owner(row.person, row.project) for row in rows}


def _ran(row: Row[Any]) -> Ran:
    gpus = Gpus(row.gpus * MILLI if row.gpus_milli is None else row.gpus_milli, row.gpu_kind)
    shape = Shape(row.cpus, gpus, row.memory_bytes, row.wall_seconds_max, row.nodes)
    ran = row.ran_seconds if row.state in ENDED and row.state != State.LOST else None
    return Ran(row.id, Owner(row.person, row.project), row.share, shape, row.submitted_at, ran, Priority(row.priority))


def _said(one: Forecast, prefix: str = "") -> dict[str, Any]:
    said = {
        "made_at": one.made_at, "basis": str(one.basis), "earliest": one.earliest, "median": one.median, "latest": one.latest,
        "futures": one.futures,
    }  # fmt: skip
    return {f"{prefix}{name}": value for name, value in said.items()}


def _values(one: Kept) -> dict[str, Any]:
    features = None if one.features is None else list(astuple(one.features))
    known = {"job": one.job, "features": features, "started_at": one.started_at}
    return known | _said(one.first) | _said(one.last, "last_")


def _kept(row: Row[Any]) -> Kept:
    first = Forecast(row.made_at, Basis(row.basis), row.earliest, row.median, row.latest, row.futures)
    last = Forecast(
        row.last_made_at, Basis(row.last_basis), row.last_earliest, row.last_median, row.last_latest, row.last_futures
    )
    return Kept(row.job, first, None if row.features is None else Features(*row.features), last, row.started_at)
