"""The SQL of tracking: experiments, runs, and what runs logged."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from fabriek.adapters.database import Database, Instant, metadata
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound
from fabriek.lab.experiments import Experiment
from fabriek.lab.runs import Metric, Run, RunStatus, is_newer

experiments = Table(
    "lab_experiments",
    metadata,
    Column("project", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("tags", JSON, nullable=False),
    Index("lab_experiments_name", "project", "name", unique=True),
)

runs = Table(
    "lab_runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("experiment", String, nullable=False),
    Column("name", String, nullable=False),
    Column("person", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("label", String, nullable=False),
    Column("ended_at", Instant),
    Column("job", String, nullable=False, index=True),
    Column("is_deleted", Boolean, nullable=False),
    Index("lab_runs_project", "project", "experiment", "started_at"),
)

# A NaN is stored as no value: SQLite has none. Row numbers give the order in which points came.
metrics = Table(
    "lab_metrics",
    metadata,
    Column("row", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run", String, nullable=False),
    Column("key", String, nullable=False),
    Column("value", Float),
    Column("at_ms", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Index("lab_metrics_point", "run", "key", "step", "at_ms"),
)

latest = Table(
    "lab_latest",
    metadata,
    Column("run", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Float),
    Column("at_ms", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
)

params = Table(
    "lab_params",
    metadata,
    Column("run", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

tags = Table(
    "lab_tags",
    metadata,
    Column("run", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)


class SqlExperiments:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, experiment: Experiment) -> None:
        try:
            self._db.execute(insert(experiments).values(**asdict(experiment)))
        except IntegrityError:
            raise AlreadyExists(f"Experiment(name={experiment.name}) already exists.") from None

    def get(self, project: str, experiment: str) -> Experiment:
        row = self._db.row(select(experiments).where(experiments.c.project == project, experiments.c.id == experiment))
        if row is None:
            raise NotFound(f"No Experiment with id={experiment} exists")
        return _experiment(row)

    def named(self, project: str, name: str) -> Experiment | None:
        row = self._db.row(select(experiments).where(experiments.c.project == project, experiments.c.name == name))
        return None if row is None else _experiment(row)

    def of_project(self, project: str) -> Sequence[Experiment]:
        rows = self._db.rows(select(experiments).where(experiments.c.project == project))
        return sorted((_experiment(row) for row in rows), key=lambda one: int(one.id))


class SqlRuns:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, run: Run) -> None:
        self._db.execute(insert(runs).values(**asdict(run)))

    def get(self, project: str, run_id: str) -> Run:
        row = self._db.row(select(runs).where(runs.c.id == run_id, runs.c.project == project))
        if row is None:
            raise NotFound(f"Run with id={run_id} not found")
        return _run(row)

    def anywhere(self, run_id: str) -> Run:
        row = self._db.row(select(runs).where(runs.c.id == run_id))
        if row is None:
            raise NotFound(f"Run with id={run_id} not found")
        return _run(row)

    def save(self, run: Run) -> None:
        self._db.execute(update(runs).where(runs.c.id == run.id).values(**asdict(run)))

    def of_job(self, job: str) -> Sequence[Run]:
        wanted = select(runs).where(runs.c.job == job, runs.c.job != "").order_by(runs.c.started_at, runs.c.id)
        return [_run(row) for row in self._db.rows(wanted)]

    def of_experiments(self, project: str, wanted: Sequence[str]) -> Sequence[Run]:
        found = select(runs).where(runs.c.project == project).order_by(runs.c.started_at.desc(), runs.c.id)
        if wanted:
            found = found.where(runs.c.experiment.in_(wanted))
        return [_run(row) for row in self._db.rows(found)]


class SqlTracks:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add_metrics(self, run: str, points: Sequence[Metric]) -> None:
        fresh = self._unknown(run, points)
        if not fresh:
            return
        rows = [
            {"run": run, "key": one.key, "value": _stored(one.value), "at_ms": one.at_ms, "step": one.step}
            for one in fresh
        ]
        self._db.execute(insert(metrics), rows)
        newest: dict[str, Metric] = {one.key: one for one in self.latest([run]).get(run, ())}
        known = set(newest)
        changed: set[str] = set()
        for one in fresh:
            if one.key not in newest or is_newer(one, newest[one.key]):
                newest[one.key] = one
                changed.add(one.key)
        added = [newest[key] for key in sorted(changed - known)]
        if added:
            self._db.execute(insert(latest), [_latest_row(run, one) for one in added])
        for key in sorted(changed & known):
            row = _latest_row(run, newest[key])
            self._db.execute(update(latest).where(latest.c.run == run, latest.c.key == key).values(**row))

    def _unknown(self, run: str, points: Sequence[Metric]) -> list[Metric]:
        """Points that are not stored yet: a client that retries sends the same ones again, and they arrive once."""
        unique = list({(one.key, one.step, one.at_ms, _stored(one.value)): one for one in points}.values())
        steps = [one.step for one in unique]
        keys = {one.key for one in unique}
        near = select(metrics.c.key, metrics.c.step, metrics.c.at_ms, metrics.c.value).where(
            and_(
                metrics.c.run == run,
                metrics.c.key.in_(keys),
                metrics.c.step >= min(steps),
                metrics.c.step <= max(steps),
            )
        )
        known = {(row.key, row.step, row.at_ms, row.value) for row in self._db.rows(near)} if unique else set()
        return [one for one in unique if (one.key, one.step, one.at_ms, _stored(one.value)) not in known]

    def latest(self, wanted: Sequence[str]) -> Mapping[str, Sequence[Metric]]:
        found: dict[str, list[Metric]] = defaultdict(list)
        for row in self._db.rows(select(latest).where(latest.c.run.in_(wanted)).order_by(latest.c.key)):
            found[row.run].append(_metric(row))
        return found

    def history(self, run: str, key: str, *, limit: int, after: int) -> Sequence[tuple[int, Metric]]:
        wanted = (
            select(metrics)
            .where(metrics.c.run == run, metrics.c.key == key, metrics.c.row > after)
            .order_by(metrics.c.row)
            .limit(limit)
        )
        return [(row.row, _metric(row)) for row in self._db.rows(wanted)]

    def put_params(self, run: str, given: Mapping[str, str]) -> None:
        known = self.params([run]).get(run, {})
        for key, value in given.items():
            if key in known and known[key] != value:
                raise InvalidInput(
                    f"Changing param values is not allowed. Param with key='{key}' was already logged with value='{known[key]}' "
                    f"for run ID='{run}'. Attempted logging new value '{value}'."
                )
        fresh = [{"run": run, "key": key, "value": value} for key, value in given.items() if key not in known]
        if fresh:
            self._db.execute(insert(params), fresh)

    def put_tags(self, run: str, given: Mapping[str, str]) -> None:
        known = self.tags([run]).get(run, {})
        for key, value in given.items():
            if key in known:
                self._db.execute(update(tags).where(tags.c.run == run, tags.c.key == key).values(value=value))
        fresh = [{"run": run, "key": key, "value": value} for key, value in given.items() if key not in known]
        if fresh:
            self._db.execute(insert(tags), fresh)

    def params(self, wanted: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return self._pairs(params, wanted)

    def tags(self, wanted: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return self._pairs(tags, wanted)

    def _pairs(self, table: Table, wanted: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._db.rows(select(table).where(table.c.run.in_(wanted)).order_by(table.c.key)):
            found[row.run][row.key] = row.value
        return found


def _stored(value: float) -> float | None:
    return None if math.isnan(value) else value


def _metric(row: Row[Any]) -> Metric:
    return Metric(row.key, math.nan if row.value is None else row.value, row.at_ms, row.step)


def _latest_row(run: str, one: Metric) -> dict[str, object]:
    return {"run": run, "key": one.key, "value": _stored(one.value), "at_ms": one.at_ms, "step": one.step}


def _experiment(row: Row[Any]) -> Experiment:
    return Experiment(row.project, row.id, row.name, row.created_at, row.changed_at, dict(row.tags))


def _run(row: Row[Any]) -> Run:
    return Run(
        row.id, row.project, row.experiment, row.name, row.person, RunStatus(row.status), row.started_at, row.label, row.ended_at,
        row.job, row.is_deleted,
    )  # fmt: skip
