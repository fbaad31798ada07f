"""The SQL of what shares were given and awarded, as sums."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Integer, String, Table, func, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.funding.resources import Resource

award_totals = Table(
    "funding_award_totals",
    metadata,
    Column("owner", String, primary_key=True),
    Column("word", String, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
)


class SqlAwardTotals:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, owner: str, word: str, year: int, resource: Resource, amount_micro: int) -> None:
        key = {"owner": owner, "word": word, "year": year, "resource": str(resource)}
        same = [award_totals.c[name] == value for name, value in key.items()]
        more = {"amount_micro": award_totals.c.amount_micro + amount_micro}
        if not self._db.execute(update(award_totals).where(*same).values(more)):
            self._db.execute(insert(award_totals).values(**key, amount_micro=amount_micro))

    def sum(self, owner: str, words: Sequence[str], resource: Resource, year: int | None) -> int:
        wanted = select(func.sum(award_totals.c.amount_micro)).where(
            award_totals.c.owner == owner, award_totals.c.word.in_(words), award_totals.c.resource == str(resource)
        )
        if year is not None:
            wanted = wanted.where(award_totals.c.year == year)
        return int(self._db.scalar(wanted) or 0)
