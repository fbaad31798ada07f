"""The SQL of reports: facts of uses, and sums over the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Row,
    String,
    Table,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
)

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.funding.giving.service import LAPSED, WITHDRAWN
from fabriek.funding.ledger import GRANT, Entry, Kind, account
from fabriek.funding.reporting import rows as r
from fabriek.funding.reporting.periods import Period
from fabriek.funding.reporting.ports import Look, Sum
from fabriek.funding.reporting.report import Gathered, Moved, Wait
from fabriek.funding.reporting.uses import Use
from fabriek.funding.resources import Resource
from fabriek.funding.store import KEYS_AT_ONCE, allocations, balances, entries, posted

uses = Table(
    "funding_uses",
    metadata,
    Column("job", String, primary_key=True),
    Column("allocation", String, nullable=False),
    Column("resource", String, nullable=False),
    Column("transaction", String, nullable=False, index=True),
    Column("waited_seconds", BigInteger, nullable=False),
    Column("energy_joules", BigInteger, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("co2_grams", BigInteger, nullable=False, server_default="0"),
    Index("funding_uses_at", "at"),
)

ELSEWHERE = "elsewhere"
"""What the ledger says of use at other sites."""

STAMP = "%Y-%m-%dT%H:%M:%SZ"
"""How the key of a job elsewhere says when it began: its last twenty letters."""

_SUMMED = (entries.c.account, entries.c.resource, entries.c.memo, func.sum(entries.c.amount_micro))
_USE_ACCOUNT = literal(account(Kind.USAGE, "")) + uses.c.allocation


class SqlUses:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, use: Use) -> None:
        self._db.execute(insert(uses).values(**asdict(use)))


class SqlFigures:
    def __init__(self, db: Database) -> None:
        self._db = db

    def gathered(self, period: Period) -> Gathered:
        inside = _within(period)
        by = (entries.c.account, entries.c.resource, entries.c.memo)
        moved = self._moved(select(*_SUMMED).where(inside).group_by(*by))
        corrected = self._moved(select(*_SUMMED).where(inside, _corrects(period)).group_by(*by))
        told = any(
            one.memo == ELSEWHERE for one in moved
        )  # most factories use no other site: then no second look at all lines
        late = select(*_SUMMED).where(inside, _of_use(), _told_late_elsewhere(period)).group_by(*by)
        elsewhere = self._moved(late) if told else []
        here = self._moved(
            select(*_SUMMED)
            .join(uses, uses.c.transaction == entries.c.transaction)
            .where(uses.c.at >= period.start, uses.c.at < period.end, uses.c.ended_at < period.start, entries.c.account == _USE_ACCOUNT)
            .group_by(*by)
        )  # fmt: skip
        return Gathered(moved, corrected, [*elsewhere, *here], self._standing(period), self._waits(period))

    def sum_of(self, look: Look) -> Sum:
        wanted = select(func.sum(entries.c.amount_micro), func.count()).where(*_of(look))
        [(amount, lines)] = [tuple(row) for row in self._db.rows(wanted)]
        return Sum(int(amount or 0), int(lines))

    def lines_of(self, look: Look, *, after: str, limit: int) -> Sequence[Entry]:
        wanted = select(entries).where(*_of(look)).order_by(entries.c.at, entries.c.id).limit(limit)
        if after:
            at = self._db.scalar(select(entries.c.at).where(entries.c.id == after))
            wanted = wanted.where(or_(entries.c.at > at, and_(entries.c.at == at, entries.c.id > after)))
        return [_entry(row) for row in self._db.rows(wanted)]

    def daily_use(
        self, allocations: Sequence[str], days: Sequence[tuple[date, datetime]], until: datetime
    ) -> Mapping[Resource, Mapping[date, int]]:
        sums: dict[Resource, dict[date, int]] = {}
        names = [account(Kind.USAGE, one) for one in allocations]
        # Which day is told by its own midnights, since no two databases cut days alike.
        starts = [at for _, at in days[1:]] + [until]
        number = case(*((entries.c.at < end, place) for place, end in enumerate(starts)), else_=len(days)).label(
            "number"
        )
        for start in range(0, len(names), KEYS_AT_ONCE):
            wanted = (
                select(entries.c.resource, number, func.sum(entries.c.amount_micro))
                .where(entries.c.account.in_(names[start : start + KEYS_AT_ONCE]), entries.c.at >= days[0][1], entries.c.at < until)
                .group_by(entries.c.resource, "number")
            )  # fmt: skip
            for resource, place, amount in (tuple(row) for row in self._db.rows(wanted)):
                of = sums.setdefault(Resource(resource), {})
                of[days[place][0]] = of.get(days[place][0], 0) + int(amount)
        return sums

    def _moved(self, wanted: Any) -> list[Moved]:
        return [
            Moved(name, Resource(resource), memo, int(amount))
            for name, resource, memo, amount in self._db.plain_rows(wanted)
        ]

    def _standing(self, period: Period) -> dict[tuple[str, Resource], int]:
        """What stands now, less what was booked after the period: the present is a small table, and the past a long one."""
        found = {
            (name, Resource(resource)): int(amount)
            for name, resource, amount in self._db.plain_rows(
                select(balances.c.account, balances.c.resource, balances.c.amount_micro)
            )
        }
        later = (
            select(entries.c.account, entries.c.resource, func.sum(entries.c.amount_micro))
            .where(entries.c.at >= period.end)
            .group_by(entries.c.account, entries.c.resource)
        )
        for name, resource, amount in self._db.plain_rows(later):
            found[name, Resource(resource)] -= int(amount)
        return found

    def _waits(self, period: Period) -> list[Wait]:
        by = (allocations.c.share, uses.c.resource, uses.c.waited_seconds)
        wanted = (
            select(*by, func.count(), func.sum(uses.c.energy_joules), func.sum(uses.c.co2_grams))
            .join(allocations, allocations.c.id == uses.c.allocation)
            .where(uses.c.at >= period.start, uses.c.at < period.end)
            .group_by(*by)
        )
        return [
            Wait(share, Resource(resource), int(waited), int(jobs), int(joules), int(grams))
            for share, resource, waited, jobs, joules, grams in self._db.plain_rows(wanted)
        ]


def _within(period: Period) -> ColumnElement[bool]:
    return and_(entries.c.at >= period.start, entries.c.at < period.end)


def _corrects(period: Period) -> ColumnElement[bool]:
    """A counter-entry of a posting that is older than the period. The key of a counter names that posting, whose first line has its id;
    of a correction by hand (`ledger.correction_key`) behind its number.
    """
    old, key = entries.alias("corrected"), posted.c.key
    by_hand = key.like("counter:____:%")
    names = case((by_hand, func.substr(key, len("counter:0001:") + 1)), else_=func.substr(key, len("counter:") + 1))
    older = (
        select(posted.c.transaction)
        .join(old, old.c.id == names + literal("/0"))
        # The range is there for the index: it holds in every collation, and the pattern says the rest.
        .where(key >= "counter", key < "countes", key.like("counter:%"), old.c.at < period.start)
    )
    return entries.c.transaction.in_(older)


def _of_use() -> ColumnElement[bool]:
    return entries.c.account.like(f"{Kind.USAGE}:%")


def _told_late_elsewhere(period: Period) -> ColumnElement[bool]:
    began = func.substr(entries.c.job, func.length(entries.c.job) - 19)
    return and_(entries.c.memo == ELSEWHERE, began < period.start.astimezone(UTC).strftime(STAMP))


def _told_late_here(period: Period) -> ColumnElement[bool]:
    return entries.c.transaction.in_(
        select(uses.c.transaction).where(
            uses.c.at >= period.start, uses.c.at < period.end, uses.c.ended_at < period.start
        )
    )


def _of(look: Look) -> list[ColumnElement[bool]]:
    """The lines behind a figure: the same that the report sums up."""
    row, period = look.place.row, look.period
    wanted = [entries.c.resource == str(look.place.resource)]
    wanted.append(entries.c.at < period.end if row in r.STANDING else _within(period))
    if row in r.OF_THE_SHARE:
        return [*wanted, entries.c.account == account(Kind.SHARE, look.share), *_of_share_row(row, period)]
    kind = r.STANDING.get(row, Kind.USAGE)
    # Looked up by name: whether there are ten allocations or ten thousand, the statement is as long.
    mine = select(literal(account(kind, "")) + allocations.c.id).where(allocations.c.share == look.share)
    if look.place.dimension is not None:
        said = ["" if word == r.UNSAID else word for word in look.words]
        mine = mine.where(allocations.c[look.place.dimension].in_(said))
    if look.without:
        mine = mine.where(allocations.c.organisation.not_in(sorted(look.without)))
    wanted.append(entries.c.account.in_(mine))
    match row:
        case r.Row.USED:
            wanted.append(~_corrects(period))
        case r.Row.CORRECTED_USE:
            wanted.append(_corrects(period))
        case r.Row.LATE:
            wanted.append(or_(_told_late_elsewhere(period), _told_late_here(period)))
        case _:
            pass
    return wanted


def _of_share_row(row: r.Row, period: Period) -> list[ColumnElement[bool]]:
    """As `row_of_share_line` tells them apart."""
    memo, corrects = entries.c.memo, _corrects(period)
    entitled, lapsed = memo.like("entitled %"), memo.startswith(LAPSED)
    known = memo.in_([GRANT, WITHDRAWN, *r.AWARDING])
    told = {
        r.Row.ENTITLED: [or_(memo == GRANT, memo.in_(period.entitling)), ~corrects],
        r.Row.CORRECTED_ENTITLED: [or_(corrects, and_(entitled, memo.not_in(period.entitling)))],
        r.Row.LAPSED: [lapsed, ~corrects],
        r.Row.WITHDRAWN: [memo == WITHDRAWN, ~corrects],
        r.Row.AWARDED: [memo.in_(r.AWARDING), ~corrects],
        r.Row.RETURNED: [~known, ~entitled, ~lapsed, ~corrects],
    }
    return told.get(row, [])


def _entry(row: Row[Any]) -> Entry:
    return Entry(**(dict(row._mapping) | {"resource": Resource(row.resource)}))  # noqa: SLF001  # a row's names
