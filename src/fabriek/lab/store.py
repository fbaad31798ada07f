"""The SQL of experiments and runs."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Index, Row, String, Table, and_, bindparam, false, insert, select, update
from sqlalchemy.exc import IntegrityError

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import AlreadyExists, NotFound
from fabriek.lab.experiments import Experiment
from fabriek.lab.runs import Run, RunStatus

experiments = Table(
    "lab_experiments",
    metadata,
    Column("project", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("is_deleted", Boolean, nullable=False, server_default=false()),
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
)

Index("lab_runs_label", runs.c.project, runs.c.label, runs.c.job)
Index("lab_runs_latest", runs.c.project, runs.c.experiment, runs.c.is_deleted, runs.c.started_at.desc(), runs.c.id)


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

    def save(self, experiment: Experiment) -> None:
        here = and_(experiments.c.project == experiment.project, experiments.c.id == experiment.id)
        try:
            self._db.execute(update(experiments).where(here).values(**asdict(experiment)))
        except IntegrityError:
            raise AlreadyExists(f"Experiment(name={experiment.name}) already exists.") from None

    def get(self, project: str, experiment: str) -> Experiment:
        row = self._db.row(select(experiments).where(experiments.c.project == project, experiments.c.id == experiment))
        if row is None:
            raise NotFound(f"No Experiment with id={experiment} exists")
        return experiment_of(row)

    def named(self, project: str, name: str) -> Experiment | None:
        row = self._db.row(select(experiments).where(experiments.c.project == project, experiments.c.name == name))
        return None if row is None else experiment_of(row)

    def of_project(self, project: str) -> Sequence[Experiment]:
        rows = self._db.rows(select(experiments).where(experiments.c.project == project))
        return sorted((experiment_of(row) for row in rows), key=lambda one: int(one.id))


class SqlRuns:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, run: Run) -> None:
        self._db.execute(insert(runs).values(**asdict(run)))

    def get(self, project: str, run_id: str) -> Run:
        row = self._db.row(select(runs).where(runs.c.id == run_id, runs.c.project == project))
        if row is None:
            raise NotFound(f"Run with id={run_id} not found")
        return run_of(row)

    def anywhere(self, run_id: str) -> Run:
        row = self._db.row(select(runs).where(runs.c.id == run_id))
        if row is None:
            raise NotFound(f"Run with id={run_id} not found")
        return run_of(row)

    def save(self, run: Run) -> None:
        # Not its label: that rises meanwhile, and what was read before would put the old one back.
        kept = {name: value for name, value in asdict(run).items() if name != "label"}
        self._db.execute(update(runs).where(runs.c.id == run.id).values(**kept))

    def relabel(self, run: str, label: str) -> None:
        self._db.execute(update(runs).where(runs.c.id == run).values(label=label))

    def of_job(self, job: str) -> Sequence[Run]:
        wanted = select(runs).where(runs.c.job == job, runs.c.job != "").order_by(runs.c.started_at, runs.c.id)
        return [run_of(row) for row in self._db.rows(wanted)]

    def save_all(self, project: str, experiment: str, *, is_deleted: bool) -> None:
        here = and_(runs.c.project == project, runs.c.experiment == experiment)
        self._db.execute(update(runs).where(here).values(is_deleted=is_deleted))

    def some(self, wanted: Collection[str]) -> Mapping[str, Run]:
        return {row.id: run_of(row) for row in self._db.rows(_SOME, {"ids": list(wanted)})}

    def of_experiments(self, project: str, wanted: Sequence[str]) -> Sequence[Run]:
        found = select(runs).where(runs.c.project == project).order_by(runs.c.started_at.desc(), runs.c.id)
        if wanted:
            found = found.where(runs.c.experiment.in_(wanted))
        return [run_of(row) for row in self._db.rows(found)]


_SOME = select(runs).where(runs.c.id.in_(bindparam("ids", expanding=True)))


def experiment_of(row: Row[Any]) -> Experiment:
    return Experiment(row.project, row.id, row.name, row.created_at, row.changed_at, dict(row.tags), row.is_deleted)


def run_of(row: Row[Any]) -> Run:
    return Run(
        row.id, row.project, row.experiment, row.name, row.person, RunStatus(row.status), row.started_at, row.label, row.ended_at,
        row.job, row.is_deleted,
    )  # fmt: skip
