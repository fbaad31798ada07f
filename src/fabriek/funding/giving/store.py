"""The SQL of entitlements."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, func, insert, select, tuple_

from fabriek.adapters.database import Database, metadata
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.resources import Resource
from fabriek.funding.store import KEYS_AT_ONCE, entries

entitlements = Table(
    "funding_entitlements",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("contribution", String, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
)

closed = Table(
    "funding_closed_quarters",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
)


class SqlEntitlements:
    def __init__(self, db: Database) -> None:
        self._db = db

    def brought(self, quarter: Quarter, resource: Resource) -> Mapping[str, int]:
        rows = self._db.rows(
            select(entitlements.c.contribution, entitlements.c.amount_micro).where(
                entitlements.c.year == quarter.year,
                entitlements.c.number == quarter.number,
                entitlements.c.resource == str(resource),
            )
        )
        return {row.contribution: row.amount_micro for row in rows}

    def bring(self, quarter: Quarter, contribution: str, resource: Resource, amount_micro: int) -> None:
        key = {"year": quarter.year, "number": quarter.number, "contribution": contribution, "resource": str(resource)}
        self._db.execute(delete(entitlements).where(*(entitlements.c[name] == value for name, value in key.items())))
        self._db.execute(insert(entitlements).values(**key, amount_micro=amount_micro))

    def open_before(self, quarter: Quarter) -> Sequence[Quarter]:
        where = tuple_(entitlements.c.year, entitlements.c.number)
        wanted = (
            select(entitlements.c.year, entitlements.c.number)
            .where(where < (quarter.year, quarter.number), where.not_in(select(closed.c.year, closed.c.number)))
            .distinct()
            .order_by(entitlements.c.year, entitlements.c.number)
        )
        return [Quarter(row.year, row.number) for row in self._db.rows(wanted)]

    def is_closed(self, quarter: Quarter) -> bool:
        same = (closed.c.year == quarter.year, closed.c.number == quarter.number)
        return self._db.row(select(closed).where(*same)) is not None

    def close(self, quarter: Quarter) -> None:
        self._db.execute(insert(closed).values(year=quarter.year, number=quarter.number))


class SqlFlows:
    def __init__(self, db: Database) -> None:
        self._db = db

    def sums_before(self, accounts: Sequence[str], before: datetime | None) -> Mapping[tuple[str, Resource, str], int]:
        columns = (entries.c.account, entries.c.resource, entries.c.memo)
        found: dict[tuple[str, Resource, str], int] = {}
        for start in range(0, len(accounts), KEYS_AT_ONCE):
            wanted = select(*columns, func.sum(entries.c.amount_micro)).where(
                entries.c.account.in_(accounts[start : start + KEYS_AT_ONCE])
            )
            if before is not None:
                wanted = wanted.where(entries.c.at < before)
            for name, resource, memo, total in map(tuple, self._db.rows(wanted.group_by(*columns))):
                found[name, Resource(resource), memo] = int(total)
        return found
