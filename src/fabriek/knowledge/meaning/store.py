"""The SQL of meanings: a row of numbers for each entry that was read."""

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, func, insert, select

from fabriek.adapters.database import Database, metadata
from fabriek.knowledge.catalogue.store import entries

meanings = Table(
    "knowledge_meanings",
    metadata,
    # It goes with its entry; one that is changed is read anew, as another reading.
    Column("reading", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column(
        "number", BigInteger, ForeignKey("knowledge_entries.number", ondelete="CASCADE"), nullable=False, unique=True
    ),
    Column("row", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # a reading that was forgotten lends its place to no other
)


class SqlMeanings:
    def __init__(self, db: Database) -> None:
        self._db = db

    def unread(self, limit: int) -> Sequence[tuple[int, str]]:
        left = entries.outerjoin(meanings, meanings.c.number == entries.c.number)
        wanted = (
            select(entries.c.number, entries.c.title, entries.c.summary, entries.c.keywords)
            .select_from(left)
            .where(meanings.c.number.is_(None))
            .order_by(entries.c.number.desc())
            .limit(limit)
        )
        return [
            (row.number, f"{row.title}. {row.summary} {row.keywords}".replace("\n", ", "))
            for row in self._db.rows(wanted)
        ]

    def keep(self, rows: Mapping[int, bytes]) -> None:
        with self._db.transaction(alone="knowledge:entries"):
            there = select(entries.c.number).where(entries.c.number.in_(list(rows)))
            read = select(meanings.c.number).where(meanings.c.number.in_(list(rows)))
            known = {row.number for row in self._db.rows(there)} - {row.number for row in self._db.rows(read)}
            if values := [{"number": number, "row": rows[number]} for number in sorted(known)]:
                self._db.execute(insert(meanings), values)

    def all(self) -> Sequence[tuple[int, str, bytes]]:
        of = meanings.join(entries, meanings.c.number == entries.c.number)
        wanted = select(entries.c.number, entries.c.known_to, meanings.c.row).select_from(of)
        return [(row.number, row.known_to, bytes(row.row)) for row in self._db.rows(wanted)]

    def mark(self) -> tuple[int, int]:
        row = self._db.row(select(func.count().label("many"), func.max(meanings.c.reading).label("newest")))
        return (row.many, row.newest or 0) if row is not None else (0, 0)
