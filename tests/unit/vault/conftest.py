"""A world on SQLite: what differs between databases is the contract suite's business."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from tests.factories.tables import a_database
from tests.factories.vault import World, a_world


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Database]:
    opened = a_database(tmp_path / "vault.db")
    yield opened
    opened.close()


@pytest.fixture
def world(lite: Database) -> World:
    return a_world(lite)
