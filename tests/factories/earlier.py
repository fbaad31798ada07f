"""Databases as an earlier release left them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from fabriek.adapters.database import Database, open_database
from fabriek.ops.migrate import HERE
from tests.servers import postgres


@contextmanager
def left_at(revision: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """Of the kind that the fixture's parameter names, `sqlite` or `postgresql`, with the tables of that revision and no row."""
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/fabriek.db"
    else:
        url = postgres.fresh_database(request.getfixturevalue("postgres_url"), f"at_{revision}_{folder.name}".lower())
    database = open_database(url)
    with database.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    yield database
    database.close()
