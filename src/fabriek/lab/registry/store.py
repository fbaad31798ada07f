"""The SQL of models: logged, registered, their versions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound
from fabriek.lab.registry.models import LoggedModel, ModelVersion, RegisteredModel
from fabriek.lab.registry.store_facts import cards, promotions
from fabriek.lab.store import runs as lab_runs

RUNS_AT_ONCE = 500
"""In one question: a statement takes so many values and no more."""

logged = Table(
    "lab_logged_models",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("experiment", String, nullable=False),
    Column("run", String, nullable=False),
    Column("name", String, nullable=False),
    Column("model_type", String, nullable=False),
    Column("status", String, nullable=False),
    Column("label", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("params", JSON, nullable=False),
    Column("is_deleted", Boolean, nullable=False, server_default=false()),
    Index("lab_logged_models_of_run", "run"),
    Index("lab_logged_models_newest", "project", "experiment", "created_at"),
)

registered = Table(
    "lab_models",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("aliases", JSON, nullable=False),
)

versions = Table(
    "lab_model_versions",
    metadata,
    Column("project", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run", String, nullable=False, index=True),
    Column("model_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("label", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("place", String, nullable=False, server_default=""),
    Column("person", String, nullable=False, server_default=""),
    Column("run_link", Text, nullable=False, server_default=""),
    Column("is_deleted", Boolean, nullable=False, server_default=false()),
)


class SqlModels:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put_logged(self, model: LoggedModel) -> None:
        self._db.put(logged, asdict(model), ("id",))

    def logged(self, project: str, model_id: str) -> LoggedModel:
        row = self._db.row(_labelled(logged).where(logged.c.id == model_id, logged.c.project == project))
        if row is None:
            raise NotFound(f"Logged model with ID '{model_id}' not found.")
        return LoggedModel(**row._mapping)  # noqa: SLF001  # a row's names

    def logged_of(self, project: str, experiments: Sequence[str], *, runs: Sequence[str] = ()) -> Sequence[LoggedModel]:
        wanted = (
            _labelled(logged)
            .where(logged.c.project == project, logged.c.experiment.in_(experiments))
            .order_by(logged.c.created_at.desc(), logged.c.id)
        )
        if runs:
            wanted = wanted.where(logged.c.run.in_(runs))
        return [LoggedModel(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names

    def newest_logged(
        self, project: str, experiments: Sequence[str], *, runs: Sequence[str] | None, names: Sequence[str] | None, limit: int,
        offset: int,
    ) -> Sequence[LoggedModel]:  # fmt: skip
        wanted = (
            _labelled(logged)
            .where(logged.c.project == project, logged.c.experiment.in_(experiments), logged.c.is_deleted.is_(False))
            .order_by(logged.c.created_at.desc(), logged.c.id)
            .limit(limit)
            .offset(offset)
        )
        for column, values in ((logged.c.run, runs), (logged.c.name, names)):
            if values is not None:
                wanted = wanted.where(column.in_(values))
        return [LoggedModel(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names

    def put_registered(self, model: RegisteredModel) -> None:
        self._db.put(registered, asdict(model), ("project", "name"))

    def registered(self, project: str, name: str) -> RegisteredModel | None:
        row = self._db.row(select(registered).where(registered.c.project == project, registered.c.name == name))
        return None if row is None else RegisteredModel(**row._mapping)  # noqa: SLF001  # a row's names

    def all_registered(self, project: str, *, names: Sequence[str] = ()) -> Sequence[RegisteredModel]:
        wanted = select(registered).where(registered.c.project == project).order_by(registered.c.name)
        if names:
            wanted = wanted.where(registered.c.name.in_(names))
        return [RegisteredModel(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names

    def remove_registered(self, project: str, name: str) -> None:
        self._db.execute(delete(registered).where(registered.c.project == project, registered.c.name == name))


class SqlModelVersions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, version: ModelVersion) -> None:
        self._db.put(versions, asdict(version), ("project", "name", "number"))

    def get(self, project: str, name: str, number: int) -> ModelVersion:
        wanted = _labelled(versions).where(
            versions.c.project == project, versions.c.name == name, versions.c.number == number, _standing
        )
        row = self._db.row(wanted)
        if row is None:
            raise NotFound(f"Model Version (name={name}, version={number}) not found")
        return _version(row)

    def of_model(self, project: str, name: str) -> Sequence[ModelVersion]:
        return self.narrowed(project, names=[name] if name else [])

    def narrowed(self, project: str, *, names: Sequence[str] = (), runs: Sequence[str] = ()) -> Sequence[ModelVersion]:
        wanted = (
            _labelled(versions)
            .where(versions.c.project == project, _standing)
            .order_by(versions.c.name, versions.c.number.desc())
        )
        if names:
            wanted = wanted.where(versions.c.name.in_(names))
        if runs:
            wanted = wanted.where(versions.c.run.in_(runs))
        return [_version(row) for row in self._db.rows(wanted)]

    def of_run(self, run: str) -> Sequence[ModelVersion]:
        wanted = _labelled(versions).where(versions.c.run == run).order_by(versions.c.name, versions.c.number.desc())
        return [_version(row) for row in self._db.rows(wanted)]

    def of_runs(self, runs: Collection[str]) -> Sequence[ModelVersion]:
        asked, found = sorted(set(runs)), list[ModelVersion]()
        for start in range(0, len(asked), RUNS_AT_ONCE):
            wanted = _labelled(versions).where(versions.c.run.in_(asked[start : start + RUNS_AT_ONCE]))
            found += [
                _version(row) for row in self._db.rows(wanted.order_by(versions.c.name, versions.c.number.desc()))
            ]
        return found

    def newest(self, project: str, names: Sequence[str]) -> Mapping[str, ModelVersion]:
        highest = (
            select(versions.c.name, func.max(versions.c.number).label("number"))
            .where(versions.c.project == project, versions.c.name.in_(names), _standing)
            .group_by(versions.c.name)
            .subquery()
        )
        wanted = (
            _labelled(versions)
            .join(highest, and_(versions.c.name == highest.c.name, versions.c.number == highest.c.number))
            .where(versions.c.project == project)
        )
        return {row.name: _version(row) for row in self._db.rows(wanted)}

    def newest_number(self, project: str, name: str) -> int:
        highest = select(func.max(versions.c.number)).where(versions.c.project == project, versions.c.name == name)
        return int(self._db.scalar(highest) or 0)

    def rename(self, project: str, name: str, new_name: str) -> None:
        for table, column in ((versions, versions.c.name), (cards, cards.c.model), (promotions, promotions.c.model)):
            of_model = (table.c.project == project, column == name)
            self._db.execute(update(table).where(*of_model).values({column: new_name}))


def _labelled(table: Table) -> Select[Any]:
    """A row as its noun. Its label is its run's as that stands now: a run's rises while its job reads more, and what was written down
    of it before, or is written at the same moment, would stay behind.
    """
    columns = [column for column in table.c if column.name != "label"]
    label = func.coalesce(lab_runs.c.label, table.c.label).label("label")
    return select(*columns, label).select_from(table.outerjoin(lab_runs, lab_runs.c.id == table.c.run))


_standing = versions.c.is_deleted.is_(False)


def _version(row: Row[Any]) -> ModelVersion:
    return ModelVersion(**row._mapping)  # noqa: SLF001  # a row's names
