"""The SQL of searches that are kept."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict

from sqlalchemy import JSON, Column, String, Table, Text, UniqueConstraint, delete, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.knowledge.saved_searches.searches import SavedSearch

searches = Table(
    "knowledge_saved_searches",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("name", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("filters", JSON, nullable=False),
    Column("looked_at", Instant, nullable=False),
    UniqueConstraint("person", "name"),
)


class SqlSearches:
    def __init__(self, db: Database) -> None:
        self._db = db

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone)

    def put(self, search: SavedSearch) -> None:
        self._db.put(searches, asdict(search) | {"filters": dict(search.filters)}, ["id"])

    def remove(self, search_id: str) -> None:
        self._db.execute(delete(searches).where(searches.c.id == search_id))

    def of(self, person: str) -> Sequence[SavedSearch]:
        wanted = select(searches).where(searches.c.person == person).order_by(searches.c.name)
        return [
            SavedSearch(row.id, row.person, row.name, row.text, row.filters, row.looked_at)
            for row in self._db.rows(wanted)
        ]
