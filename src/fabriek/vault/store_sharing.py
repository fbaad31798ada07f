"""Agreements, requests for access, and grants, kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Date, Index, Integer, Row, String, Table, Text, func, insert, select, text, update

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.kernel.errors import nothing_here
from fabriek.vault.agreeing.agreements import Agreement, DataRight
from fabriek.vault.agreeing.requests import AccessRequest, RequestState, Step
from fabriek.vault.grants import Grant
from fabriek.vault.store import in_parts

IS_OPEN = text("ended_at IS NULL")

agreements = Table(
    "vault_agreements",
    metadata,
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("purposes", String, nullable=False),
    Column("right", String, nullable=False),
    Column("until", Date, nullable=False),
    Column("signed_by", String, nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("terms", Integer, nullable=False, server_default="0"),
    Column("places", JSON, nullable=False, server_default="[]"),
)

requests = Table(
    "vault_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False, index=True),
    Column("project", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("person", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("right", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("answers", JSON, nullable=False, server_default="{}"),
    Column("steps", JSON, nullable=False, server_default="[]"),
    Index("vault_requests_of_person", "person"),
)

grants = Table(
    "vault_grants",
    metadata,
    Column("id", String, primary_key=True),
    Column("version", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("project", String, nullable=False),
    Column("person", String, nullable=False),
    Column("job", String, nullable=False, index=True),
    Column("right", String, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("purpose", String, nullable=False, server_default=""),
    Index("vault_grants_of_dataset", "dataset", "opened_at"),
    # Grants are kept for good, and the worker asks for the few open ones three times a minute.
    Index("vault_grants_open", "dataset", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
)


class SqlAgreements:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, agreement: Agreement) -> None:
        self._db.execute(insert(agreements).values(_agreement_values(agreement)))

    def get(self, agreement_id: str) -> Agreement:
        row = self._db.row(select(agreements).where(agreements.c.id == agreement_id))
        if row is None:
            raise nothing_here()
        return _agreement(row)

    def of_dataset(self, dataset: str) -> Sequence[Agreement]:
        asked = select(agreements).where(agreements.c.dataset == dataset)
        return [_agreement(row) for row in self._db.rows(asked.order_by(agreements.c.signed_at, agreements.c.id))]

    def run_out(self, today: date) -> Sequence[Agreement]:
        over = (agreements.c.until < today, agreements.c.ended_at.is_(None))
        return [_agreement(row) for row in self._db.rows(select(agreements).where(*over))]

    def save(self, agreement: Agreement) -> None:
        changed = update(agreements).where(agreements.c.id == agreement.id)
        self._db.execute(changed.values(_agreement_values(agreement)))


class SqlRequests:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, request: AccessRequest) -> None:
        self._db.execute(insert(requests).values(_request_values(request)))

    def get(self, request_id: str) -> AccessRequest:
        row = self._db.row(select(requests).where(requests.c.id == request_id))
        if row is None:
            raise nothing_here()
        return _request(row)

    def of_person(self, person: str) -> Sequence[AccessRequest]:
        asked = select(requests).where(requests.c.person == person)
        return [_request(row) for row in self._db.rows(asked.order_by(requests.c.asked_at.desc(), requests.c.id))]

    def of_dataset(self, dataset: str) -> Sequence[AccessRequest]:
        asked = select(requests).where(requests.c.dataset == dataset).order_by(requests.c.asked_at, requests.c.id)
        return [_request(row) for row in self._db.rows(asked)]

    def save(self, request: AccessRequest) -> None:
        self._db.execute(update(requests).where(requests.c.id == request.id).values(_request_values(request)))


class SqlGrants:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, grant: Grant) -> None:
        values = {column.name: getattr(grant, column.name) for column in grants.columns}
        self._db.execute(insert(grants).values(values | {"right": grant.right.value}))

    def get(self, grant_id: str) -> Grant:
        row = self._db.row(select(grants).where(grants.c.id == grant_id))
        if row is None:
            raise nothing_here()
        return _grant(row)

    def of_job(self, job: str) -> Sequence[Grant]:
        asked = select(grants).where(grants.c.job == job, grants.c.job != "").order_by(grants.c.opened_at)
        return [_grant(row) for row in self._db.rows(asked)]

    def people_of(self, jobs: Collection[str]) -> Mapping[str, frozenset[str]]:
        found = dict[str, frozenset[str]]()
        for some in in_parts(jobs):
            theirs = select(grants.c.job, grants.c.person).where(grants.c.job.in_(some), grants.c.person != "")
            for row in self._db.rows(theirs.distinct()):
                found[row.job] = found.get(row.job, frozenset()) | {row.person}
        return found

    def of_dataset(self, dataset: str, *, limit: int) -> Sequence[Grant]:
        asked = (
            select(grants).where(grants.c.dataset == dataset).order_by(grants.c.opened_at.desc(), grants.c.id.desc())
        )
        return [_grant(row) for row in self._db.rows(asked.limit(limit))]

    def projects_of(self, dataset: str) -> int:
        asked = select(func.count(grants.c.project.distinct())).where(
            grants.c.dataset == dataset, grants.c.project != ""
        )
        return self._db.scalar(asked) or 0

    def open_ones(self, now: datetime, *, dataset: str = "") -> Sequence[Grant]:
        asked = select(grants).where(grants.c.ended_at.is_(None), grants.c.expires_at > now)
        if dataset:
            asked = asked.where(grants.c.dataset == dataset)
        return [_grant(row) for row in self._db.rows(asked.order_by(grants.c.opened_at.desc(), grants.c.id.desc()))]

    def opened_by(self, person: str, project: str) -> frozenset[str]:
        theirs = select(grants.c.dataset).where(grants.c.person == person, grants.c.project == project).distinct()
        return frozenset(row.dataset for row in self._db.rows(theirs))

    def end(
        self, at: datetime, *, grant: str = "", job: str = "", dataset: str = "", project: str = "", person: str = ""
    ) -> int:
        named = {"id": grant, "job": job, "dataset": dataset, "project": project, "person": person}
        assert any(named.values()), "this would end every grant"
        ended = update(grants).where(grants.c.ended_at.is_(None)).values(ended_at=at)
        for column, value in named.items():
            if value:
                ended = ended.where(grants.c[column] == value)
        return self._db.execute(ended)

    def end_stale(self, now: datetime) -> int:
        stale = grants.c.ended_at.is_(None) & (grants.c.expires_at <= now)
        return self._db.execute(update(grants).where(stale).values(ended_at=now))


def _agreement_values(agreement: Agreement) -> dict[str, Any]:
    values = {column.name: getattr(agreement, column.name) for column in agreements.columns}
    return values | {
        "purposes": " ".join(sorted(agreement.purposes)),
        "right": agreement.right.value,
        "places": list(agreement.places),
    }


def _agreement(row: Row[Any]) -> Agreement:
    values = {"purposes": frozenset(row.purposes.split()), "right": DataRight(row.right), "places": tuple(row.places)}
    return Agreement(**dict(row._mapping) | values)  # noqa: SLF001  # SQLAlchemy's public name for it


def _request_values(request: AccessRequest) -> dict[str, Any]:
    values = {column.name: getattr(request, column.name) for column in requests.columns}
    steps = [[str(step.state), step.person, step.at.isoformat(), step.words] for step in request.steps]
    changed = {
        "right": request.right.value,
        "state": str(request.state),
        "answers": dict(request.answers),
        "steps": steps,
    }
    return values | changed


def _request(row: Row[Any]) -> AccessRequest:
    steps = tuple(
        Step(RequestState(state), person, datetime.fromisoformat(at), words) for state, person, at, words in row.steps
    )
    values = {"right": DataRight(row.right), "state": RequestState(row.state), "steps": steps}
    return AccessRequest(**dict(row._mapping) | values)  # noqa: SLF001  # SQLAlchemy's public name for it


def _grant(row: Row[Any]) -> Grant:
    return Grant(**dict(row._mapping) | {"right": DataRight(row.right)})  # noqa: SLF001  # SQLAlchemy's public name for it
