"""The SQL of how organisations are described."""

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

    def put(self, description: Description) -> None:
        self._db.execute(delete(descriptions).where(descriptions.c.organisation == description.organisation))
        self._db.execute(insert(descriptions).values(**asdict(description)))
