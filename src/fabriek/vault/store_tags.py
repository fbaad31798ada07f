"""Tags of versions, kept."""

from collections.abc import Sequence

from sqlalchemy import Column, String, Table, delete, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.vault.tags import Tag

tags = Table(
    "vault_tags",
    metadata,
    Column("dataset", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", String, nullable=False, index=True),
    Column("set_at", Instant, nullable=False),
    Column("set_by", String, nullable=False),
)


class SqlTags:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, tag: Tag) -> None:
        self.remove(tag.dataset, tag.name)
        self._db.execute(insert(tags).values({column.name: getattr(tag, column.name) for column in tags.columns}))

    def get(self, dataset: str, name: str) -> Tag | None:
        row = self._db.row(select(tags).where(tags.c.dataset == dataset, tags.c.name == name))
        return None if row is None else Tag(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it

    def of_dataset(self, dataset: str) -> Sequence[Tag]:
        rows = self._db.rows(select(tags).where(tags.c.dataset == dataset).order_by(tags.c.name))
        return [Tag(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name for it

    def remove(self, dataset: str, name: str) -> None:
        self._db.execute(delete(tags).where(tags.c.dataset == dataset, tags.c.name == name))
