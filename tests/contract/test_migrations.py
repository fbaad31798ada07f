"""The chain of migrations makes the very schema that the code works with, on both databases, and takes nobody backwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.bootstrap import building
from fabriek.kernel.errors import WrongState
from fabriek.ops.migrate import known_schemas, migrate_database
from tests.factories.threads import at_once
from tests.servers import postgres

assert building, "importing it registers every area's tables"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/fabriek.db"
    else:
        url = postgres.fresh_database(request.getfixturevalue("postgres_url"), f"migrate_{tmp_path.name}".lower())
    database = open_database(url)
    yield database
    database.close()


def test_the_chain_makes_the_schema_of_the_code(empty: Database) -> None:
    assert migrate_database(empty) == known_schemas()[-1]
    with empty.engine.connect() as connection:
        differing = compare_metadata(MigrationContext.configure(connection), metadata)
    search = "knowledge_index"  # the engines' own full-text tables, which the metadata makes by statements
    assert [one for one in differing if search not in str(one)] == []


def test_indexes_are_those_of_the_code(empty: Database) -> None:
    migrate_database(empty)
    found = inspect(empty.engine)
    for table in metadata.sorted_tables:
        there = {(one["name"], bool(one["unique"])) for one in found.get_indexes(table.name)}
        for index in table.indexes:
            assert (index.name, bool(index.unique)) in there, f"{table.name}: {index.name}"


def test_migrating_again_changes_nothing(empty: Database) -> None:
    migrate_database(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("insert into knowledge_experts (person, fields) values ('per_1', 'trees')"))
    migrate_database(empty)
    with empty.engine.connect() as connection:
        assert connection.execute(text("select count(*) from knowledge_experts")).scalar() == 1


def test_of_four_servers_that_start_at_once_each_finds_it_done(empty: Database) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    servers = [open_database(url) for _ in range(4)]
    assert at_once(lambda number: migrate_database(servers[number]), times=4) == [known_schemas()[-1]] * 4
    for server in servers:
        server.close()


def test_a_database_of_a_newer_release_is_left_alone(empty: Database) -> None:
    migrate_database(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(WrongState, match="newer release"):
        migrate_database(empty)
    with empty.engine.connect() as connection:
        assert connection.execute(text("select version_num from alembic_version")).scalar() == "9999"
