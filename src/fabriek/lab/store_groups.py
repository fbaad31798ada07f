"""Groups of runs, in SQL."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, delete, func, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import NotFound
from fabriek.lab.groups import Group, Kind

groups = Table(
    "lab_groups",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("person", String, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("source", String, nullable=False),
    Index("lab_groups_of_project", "project", "made_at"),
    Index("lab_groups_of_source", "source"),
)

members = Table(
    "lab_group_runs",
    metadata,
    Column("group_id", String, primary_key=True),
    Column("run", String, primary_key=True),
    Index("lab_group_runs_of_run", "run"),
)


class SqlGroups:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def add(self, group: Group) -> None:
        self._db.execute(insert(groups).values(**asdict(group)))

    def get(self, project: str, group: str) -> Group:
        row = self._db.row(select(groups).where(groups.c.id == group, groups.c.project == project))
        if row is None:
            raise NotFound("there is no such group", fix="look at the project's runs")
        return _group(row)

    def of_source(self, project: str, source: str) -> Group | None:
        row = self._db.row(select(groups).where(groups.c.source == source, groups.c.project == project))
        return None if row is None else _group(row)

    def of_project(self, project: str) -> Sequence[tuple[Group, int]]:
        counted = select(func.count()).where(members.c.group_id == groups.c.id).scalar_subquery()
        wanted = (
            select(groups, counted.label("runs"))
            .where(groups.c.project == project)
            .order_by(groups.c.made_at.desc(), groups.c.id)
        )
        return [(_group(row), row.runs) for row in self._db.rows(wanted)]

    def of_run(self, run: str) -> Sequence[Group]:
        within = select(members.c.group_id).where(members.c.run == run)
        wanted = select(groups).where(groups.c.id.in_(within)).order_by(groups.c.made_at, groups.c.id)
        return [_group(row) for row in self._db.rows(wanted)]

    def runs(self, group: str) -> Sequence[str]:
        wanted = select(members.c.run).where(members.c.group_id == group).order_by(members.c.run)
        return [row.run for row in self._db.rows(wanted)]

    def put(self, group: str, runs: Sequence[str]) -> None:
        wanted = select(members.c.run).where(members.c.group_id == group, members.c.run.in_(runs))
        known = {row.run for row in self._db.rows(wanted)}
        fresh = [{"group_id": group, "run": run} for run in dict.fromkeys(runs) if run not in known]
        if fresh:
            self._db.execute(insert(members), fresh)

    def take_out(self, group: str, runs: Sequence[str]) -> None:
        self._db.execute(delete(members).where(members.c.group_id == group, members.c.run.in_(runs)))

    def remove(self, group: str) -> None:
        self._db.execute(delete(members).where(members.c.group_id == group))
        self._db.execute(delete(groups).where(groups.c.id == group))


def _group(row: Row[Any]) -> Group:
    return Group(row.id, row.project, row.name, Kind(row.kind), row.person, row.made_at, row.source)
