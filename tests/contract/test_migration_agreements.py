"""Requests and open grants of an earlier release are what they were after the migration: nothing that runs is closed by it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Column, MetaData, Table

from fabriek.adapters.database import Database
from fabriek.ops.migrate import migrate_database
from fabriek.vault.agreeing.requests import RequestState
from fabriek.vault.store_sharing import SqlGrants, SqlRequests
from tests.factories.earlier import left_at

BEFORE, AT = "0009", datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the release before."""
    with left_at(BEFORE, request, tmp_path) as database:
        yield database


def put(database: Database, table: str, **said: object) -> None:
    """A row with something in every column that must have it."""
    with database.engine.begin() as connection:
        there = Table(table, MetaData(), autoload_with=connection)
        needed = [one for one in there.columns if not one.nullable and one.server_default is None]
        values = {one.name: _anything(one) for one in needed}
        connection.execute(there.insert().values(values | said))


def _anything(column: Column[Any]) -> object:
    kind = column.type.python_type
    return AT if kind is datetime else [] if isinstance(column.type, JSON) else kind()


def test_requests_keep_their_state_and_open_grants_know_what_they_are_for(old: Database) -> None:
    put(old, "access_projects", id="prj_1", slug="lab", purpose="civilian")
    put(old, "compute_jobs", id="job_1", project="prj_1", person="per_stef", purpose="dual_use")
    for name, job, person in (("grt_job", "job_1", ""), ("grt_person", "", "per_stef"), ("grt_pack", "pck_1", "")):
        put(old, "vault_grants", id=name, job=job, person=person, project="prj_1", dataset="ds_1", right="compute")
    for answer in ("waiting", "agreed"):
        put(old, "vault_requests", id=answer, dataset="ds_1", person="per_stef", right="compute", answer=answer)
    migrate_database(old)
    grants, requests = SqlGrants(old), SqlRequests(old)
    found = {one.id: (one.person, one.purpose) for one in map(grants.get, ("grt_job", "grt_person", "grt_pack"))}
    assert found == {
        "grt_job": ("per_stef", "dual_use"),
        "grt_person": ("per_stef", "civilian"),
        "grt_pack": ("", "civilian"),
    }
    assert [requests.get(one).state for one in ("waiting", "agreed")] == [RequestState.SENT, RequestState.APPROVED]
    assert requests.get("waiting").steps == ()
