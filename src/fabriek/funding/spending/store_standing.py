"""The SQL of running out: standings, looks at grants, and what was told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    Row,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.resources import Resource
from fabriek.funding.spending.ports import Lapsed
from fabriek.funding.spending.standing import Standing, State
from fabriek.funding.spending.tellings import Telling

SHOWN = 50
AT_ONCE = 250
"""In one question: a statement takes so many values and no more."""

standings = Table(
    "funding_standings",
    metadata,
    Column("project", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("since", Date, nullable=False),
    Column("empty", JSON, nullable=False),
    Column("owing", JSON, nullable=False),
)

lapses = Table(
    "funding_lapses",
    metadata,
    Column("allocation", String, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("looked_on", Date, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("cut", BigInteger, nullable=False),
)

tellings = Table(
    "funding_tellings",
    metadata,
    Column("id", String, primary_key=True),
    Column("about", String, nullable=False),
    Column("project", String, nullable=False, index=True),
    Column("person", String, nullable=False),
    Column("says", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("given_up", Boolean, nullable=False),
)


class SqlStandings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, project: str) -> Standing | None:
        row = self._db.row(select(standings).where(standings.c.project == project))
        return None if row is None else _standing(row)

    def all(self) -> Mapping[str, Standing]:
        return {row.project: _standing(row) for row in self._db.rows(select(standings))}

    def among(self, projects: Collection[str]) -> Mapping[str, Standing]:
        asked, found = sorted(projects), dict[str, Standing]()
        for start in range(0, len(asked), AT_ONCE):
            wanted = select(standings).where(standings.c.project.in_(asked[start : start + AT_ONCE]))
            found |= {row.project: _standing(row) for row in self._db.rows(wanted)}
        return found

    def put(self, standing: Standing) -> None:
        values = {
            "project": standing.project, "state": str(standing.state), "since": standing.since, "empty": _plain(standing.empty),
            "owing": _plain(standing.owing),
        }  # fmt: skip
        if not self._db.execute(update(standings).where(standings.c.project == standing.project).values(**values)):
            self._db.execute(insert(standings).values(**values))


class SqlLapses:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, lapsed: Lapsed) -> None:
        self._db.execute(insert(lapses).values(**asdict(lapsed) | {"resource": str(lapsed.resource)}))

    def looked_at(self) -> Collection[str]:
        return {row.allocation for row in self._db.rows(select(lapses.c.allocation).distinct())}

    def of_project(self, project: str) -> Sequence[Lapsed]:
        wanted = (
            select(lapses).where(lapses.c.project == project).order_by(lapses.c.looked_on.desc(), lapses.c.resource)
        )
        return [Lapsed(**_named(row) | {"resource": Resource(row.resource)}) for row in self._db.rows(wanted)]


class SqlTellings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, telling: Telling) -> bool:
        if self._db.row(select(tellings.c.id).where(tellings.c.id == telling.id)) is not None:
            return False
        self._db.execute(insert(tellings).values(**asdict(telling)))
        return True

    def abouts(self, projects: Collection[str]) -> Collection[str]:
        asked, found = sorted(projects), set[str]()
        for start in range(0, len(asked), AT_ONCE):
            wanted = select(tellings.c.about).where(tellings.c.project.in_(asked[start : start + AT_ONCE]))
            found |= {row.about for row in self._db.rows(wanted.distinct())}
        return found

    def of_project(self, project: str, person: str) -> Sequence[Telling]:
        wanted = select(tellings).where(tellings.c.project == project, tellings.c.person == person)
        newest = wanted.order_by(tellings.c.made_at.desc(), tellings.c.id).limit(SHOWN)
        return [Telling(**_named(row)) for row in self._db.rows(newest)]

    def unsent(self, now: datetime, *, limit: int) -> Sequence[Telling]:
        waits = (tellings.c.sent_at.is_(None), tellings.c.given_up.is_(False), tellings.c.next_at <= now)
        wanted = select(tellings).where(*waits).order_by(tellings.c.next_at, tellings.c.id).limit(limit)
        return [Telling(**_named(row)) for row in self._db.rows(wanted)]

    def save(self, telling: Telling) -> None:
        self._db.execute(update(tellings).where(tellings.c.id == telling.id).values(**asdict(telling)))


def _standing(row: Row[Any]) -> Standing:
    return Standing(row.project, row.since, State(row.state), _days(row.empty), _days(row.owing))


def _plain(since: Mapping[Resource, date]) -> dict[str, str]:
    return {str(resource): day.isoformat() for resource, day in since.items()}


def _days(plain: Mapping[str, str]) -> dict[Resource, date]:
    return {Resource(resource): date.fromisoformat(day) for resource, day in plain.items()}


def _named(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  # the documented way to a row's names
