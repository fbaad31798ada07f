"""Cards of an earlier release are entries that everybody finds after the migration."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.adapters.database import Database
from fabriek.knowledge.catalogue.entries import Reach
from fabriek.knowledge.catalogue.store import SqlEntries
from fabriek.knowledge.search.plan import planned
from fabriek.knowledge.search.query import read_query
from fabriek.knowledge.search.store import index_of
from fabriek.knowledge.search.vocabulary import Vocabulary
from fabriek.ops.migrate import migrate_database
from tests.factories.earlier import left_at

BEFORE = "0045"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the release before."""
    with left_at(BEFORE, request, tmp_path) as database:
        yield database


def test_cards_of_before_are_entries_that_are_found(old: Database) -> None:
    row = {
        "id": "crd_1", "kind": "dataset", "subject": "dst_1", "project": "prj_1", "organisation": "org_1", "label": "personal",
        "title": "Longscans", "summary": "Beelden.", "licence": "", "terms": "", "keywords": '["long", "patiënt"]', "language": "nl",
        "text": "Metingen.", "published_at": "2026-01-01 00:00:00.000000",
    }  # fmt: skip
    with old.engine.begin() as connection:
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"insert into knowledge_cards ({', '.join(row)}) values ({values})"), row)  # noqa: S608  # ours
        put = "insert into knowledge_index (card, title, words) values ('crd_1', 'longscans', 'beelden. long patient metingen.')"
        connection.execute(text(put))
    migrate_database(old)
    found = SqlEntries(old).get("crd_1")
    assert (found.keywords, found.reach, found.title) == (("long", "patiënt"), Reach.EVERYONE, "Longscans")
    for asked in ("longscans", "metingen", "beelden"):
        plan = planned(read_query(asked), Vocabulary({}))
        assert [number for number, *_ in index_of(old).find(plan, {}, ["all"]).rows] == [1], asked
