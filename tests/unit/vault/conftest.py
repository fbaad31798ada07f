"""A world on SQLite: what differs between databases is the contract suite's business."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.adapters.database import Database, metadata, open_database
from tests.factories.vault import World, a_world


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/vault.db")
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def world(lite: Database) -> World:
    return a_world(lite)
