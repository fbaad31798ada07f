"""The SQL of how organisations are described."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Column, String, Table, delete, insert, select

from fabriek.access.describing import Description
from fabriek.adapters.database import Database, metadata

descriptions = Table(
    "access_descriptions",
    metadata,
    Column("organisation", String, primary_key=True),
    Column("sector", String, nullable=False),
    Column("region", String, nullable=False),
    Column("size", String, nullable=False),
    Column("head", String, nullable=False),
)


class SqlDescriptions:
    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, organisation: str) -> Description:
        row = self._db.row(select(descriptions).where(descriptions.c.organisation == organisation))
        return Description(organisation) if row is None else Description(*row)

    def members(self, head: str) -> Sequence[str]:
        found = select(descriptions.c.organisation).where(descriptions.c.head == head)
        return [row.organisation for row in self._db.rows(found.order_by(descriptions.c.organisation))]

    def put(self, description: Description) -> None:
        self._db.execute(delete(descriptions).where(descriptions.c.organisation == description.organisation))
        self._db.execute(insert(descriptions).values(**asdict(description)))
