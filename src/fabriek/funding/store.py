"""The SQL of funding: the ledger, contributions, shares, allocations, holds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    Index,
    Row,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from fabriek.adapters.database import Database, metadata
from fabriek.adapters.instants import Instant
from fabriek.adapters.prepared import Chain
from fabriek.funding.allocations import Allocation
from fabriek.funding.giving.contributions import Contribution, FunderKind
from fabriek.funding.giving.shares import Share
from fabriek.funding.ledger import BELOW_ZERO, OF_AN_ALLOCATION, Entry, Hold, Posting, below_zero, kind_of
from fabriek.funding.ledger import account as account_of
from fabriek.funding.ledger import balances as sums_of
from fabriek.funding.resources import Resource
from fabriek.funding.store_posting import LINES_AT_ONCE, NEVER_NEGATIVE, how_to_post
from fabriek.kernel.errors import AlreadyExists, NotFound

KEYS_AT_ONCE = 250
"""In one question: a statement takes so many values and no more."""

Moves = Sequence[tuple[tuple[str, Resource], int]]
"""Account and resource, and what is added to its balance."""

ENTRY = tuple(one.name for one in fields(Entry))

posted = Table(
    "funding_postings",
    metadata,
    Column("transaction", String, primary_key=True),
    Column("key", String, nullable=False, unique=True),
)

entries = Table(
    "funding_entries",
    metadata,
    Column("id", String, primary_key=True),
    Column("transaction", String, nullable=False, index=True),
    Column("account", String, nullable=False),
    Column("resource", String, nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("memo", String, nullable=False),
    Column("job", String, nullable=False),
    Index("funding_entries_account", "account", "resource"),
    Index("funding_entries_at", "at"),
)

balances = Table(
    "funding_balances",
    metadata,
    Column("account", String, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("amount_micro", BigInteger, nullable=False),
    # The database says so too, for the race that the service cannot see.
    CheckConstraint("amount_micro >= 0 or account like 'contribution:%' or account like 'debt:%'", name=NEVER_NEGATIVE),
)

contributions = Table(
    "funding_contributions",
    metadata,
    Column("id", String, primary_key=True),
    Column("funder", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("amount_euro", BigInteger, nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("granted_on", Date),
    Column("received_on", Date),
    Column("withdrawn_on", Date),
)

shares = Table(
    "funding_shares",
    metadata,
    Column("id", String, primary_key=True),
    Column("funder", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False, unique=True),
)

allocations = Table(
    "funding_allocations",
    metadata,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("share", String, nullable=False),
    Column("application", String, nullable=False, unique=True),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("call", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("sector", String, nullable=False),
    Column("region", String, nullable=False),
    Column("size", String, nullable=False),
    Column("commercial", Boolean, nullable=False),
    Column("director", Boolean, nullable=False),
)

holds = Table(
    "funding_holds",
    metadata,
    Column("job", String, primary_key=True),
    Column("allocation", String, nullable=False, index=True),
    Column("share", String, nullable=False),
    Column("resource", String, nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
)


_ADD = text("""
    insert into funding_balances (account, resource, amount_micro) values (:of, :what, :more)
    on conflict (account, resource) do update set amount_micro = funding_balances.amount_micro + excluded.amount_micro
""")
_BALANCE = select(balances.c.amount_micro).where(
    balances.c.account == bindparam("of"), balances.c.resource == bindparam("what")
)
_MOVE = (
    update(balances)
    .where(balances.c.account == bindparam("of"), balances.c.resource == bindparam("what"))
    .values(amount_micro=balances.c.amount_micro + bindparam("more"))
)
_HOLD = select(holds.c.job, holds.c.allocation, holds.c.share, holds.c.resource, holds.c.amount_micro)
_HOLD = _HOLD.where(holds.c.job == bindparam("of"))
_KNOWN = select(posted.c.key).where(posted.c.key == bindparam("key"))
_POST, _ENTER = insert(posted), insert(entries)

FEW = 3
"""Postings that are asked for one by one: jobs post one or two, imports thousands."""


class SqlLedger:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._chains: dict[tuple[int, int], Chain] = {}

    def transaction(self, *, alone: str = "", single: bool = False) -> AbstractContextManager[None]:
        return self._db.transaction(alone=alone, single=single)

    def post(self, *postings: Posting) -> int:
        if len(postings) > FEW or not all(_is_small(one) for one in postings):
            return self._post_many(postings)
        return sum(self._post(one) for one in postings)

    def _post(self, one: Posting) -> bool:
        """In one statement, on one way to the database and back."""
        moves = sorted(sums_of(one.entries).items())
        first = one.entries[0]
        values: dict[str, Any] = {
            "transaction": one.transaction,
            "key": one.key,
            "at": first.at,
            "memo": first.memo,
            "job": first.job,
        }
        for at, line in enumerate(one.entries):
            values[f"id_{at}"], values[f"account_{at}"] = line.id, line.account
            values[f"resource_{at}"], values[f"amount_{at}"] = line.resource.value, line.amount_micro
        for at, ((name, resource), more) in enumerate(moves):
            values[f"of_{at}"], values[f"what_{at}"], values[f"more_{at}"] = name, resource.value, more
        shape = len(one.entries), len(moves)
        if shape not in self._chains:
            self._chains[shape] = self._db.chain(*how_to_post(*shape))
        try:
            if self._db.follow(self._chains[shape], values):
                return True
        except IntegrityError as error:
            if NEVER_NEGATIVE not in str(error.orig):
                raise
            # Somebody was faster: what the statement saw was there no more. By now it may be back, and this is refused all the same.
            self._refuse(moves, self._db.aside)
            touched, more = next(one for one in moves if _may_not_fall(*one))
            raise below_zero(touched, more, more) from error
        if self._db.rows(_KNOWN, {"key": one.key}):
            return False
        self._refuse(moves, self._db.rows)
        return self._post(one)  # somebody brought what was missing, meanwhile

    def _refuse(self, moves: Moves, ask: Callable[..., Sequence[Row[Any]]]) -> None:
        """Raises CreditsExhausted for the first account that these would bring below zero and that may not be there."""
        for touched, more in moves:
            rows = ask(_BALANCE, {"of": touched[0], "what": touched[1].value})
            after = more + (rows[0].amount_micro if rows else 0)
            if after < 0 and _may_not_fall(touched, more):
                raise below_zero(touched, after, more)

    def _post_many(self, postings: Sequence[Posting]) -> int:
        fresh = {one.key: one for one in reversed(postings)}
        for start in range(0, len(postings), KEYS_AT_ONCE):
            asked = [one.key for one in postings[start : start + KEYS_AT_ONCE]]
            for row in self._db.rows(select(posted.c.key).where(posted.c.key.in_(asked))):
                fresh.pop(row.key, None)
        new = [one for one in postings if fresh.get(one.key) is one]
        lines = [entry for one in new for entry in one.entries]
        if new:
            rows = [{"transaction": one.transaction, "key": one.key} for one in new]
            self._db.execute(_POST, rows)
        if lines:
            self._db.execute(_ENTER, [{name: getattr(one, name) for name in ENTRY} for one in lines])
        for account, moved in sorted(sums_of(lines).items()):
            self._move(account, moved)
        return len(new)

    def posting(self, transaction: str) -> Posting:
        found = self._found(posted.c.transaction == transaction)
        if found is None:
            raise NotFound("there is no such posting", fix="fabriek funding entries")
        return found

    def keyed(self, key: str) -> Posting | None:
        return self._found(posted.c.key == key)

    def _found(self, wanted: ColumnElement[bool]) -> Posting | None:
        found = self._db.row(select(posted).where(wanted))
        if found is None:
            return None
        rows = self._db.rows(select(entries).where(entries.c.transaction == found.transaction).order_by(entries.c.id))
        return Posting(found.transaction, found.key, tuple(_entry(row) for row in rows))

    def _move(self, touched: tuple[str, Resource], moved: int) -> None:
        name, resource = touched
        self._refuse([(touched, moved)], self._db.rows)
        told = {"of": name, "what": str(resource), "more": moved}
        if not self._db.execute(_MOVE, told):
            self._db.execute(_ADD, told)  # the first of its account, or the second of two at once

    def balance(self, account: str, resource: Resource) -> int:
        return int(self._db.scalar(_BALANCE, {"of": account, "what": str(resource)}) or 0)

    def balances(self) -> Mapping[tuple[str, Resource], int]:
        rows = self._db.rows(select(balances))
        return {(row.account, Resource(row.resource)): row.amount_micro for row in rows}

    def balances_of(self, allocations: Iterable[str]) -> Mapping[tuple[str, Resource], int]:
        names = [account_of(kind, one) for one in allocations for kind in OF_AN_ALLOCATION]
        found: dict[tuple[str, Resource], int] = {}
        for start in range(0, len(names), KEYS_AT_ONCE):
            wanted = select(balances).where(balances.c.account.in_(names[start : start + KEYS_AT_ONCE]))
            found |= {(row.account, Resource(row.resource)): row.amount_micro for row in self._db.rows(wanted)}
        return found

    def entries(self, *, account: str, limit: int) -> Sequence[Entry]:
        wanted = select(entries).order_by(entries.c.at.desc(), entries.c.id).limit(limit)
        if account:
            wanted = wanted.where(entries.c.account == account)
        return [_entry(row) for row in self._db.rows(wanted)]

    def sums(self) -> Mapping[Resource, int]:
        rows = self._db.rows(select(entries.c.resource, func.sum(entries.c.amount_micro)).group_by(entries.c.resource))
        return {Resource(resource): int(total) for resource, total in (tuple(row) for row in rows)}


class SqlFunds:
    def __init__(self, db: Database) -> None:
        self._db = db

    def add_contribution(self, contribution: Contribution) -> None:
        self._db.execute(insert(contributions).values(**asdict(contribution)))

    def save_contribution(self, contribution: Contribution) -> None:
        changed = update(contributions).where(contributions.c.id == contribution.id).values(**asdict(contribution))
        self._db.execute(changed)

    def contributions(self) -> Sequence[Contribution]:
        rows = self._db.rows(select(contributions).order_by(contributions.c.id))
        return [Contribution(**(dict(row._mapping) | {"kind": FunderKind(row.kind)})) for row in rows]  # noqa: SLF001  # a row's names

    def add_share(self, share: Share) -> None:
        try:
            self._db.execute(insert(shares).values(**asdict(share)))
        except IntegrityError:
            raise AlreadyExists(f"there is a share {share.name} already", fix="fabriek funding shares") from None

    def shares(self) -> Sequence[Share]:
        rows = self._db.rows(select(shares).order_by(shares.c.name))
        return [Share(row.id, row.funder, FunderKind(row.kind), row.name) for row in rows]


class SqlAllocations:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._hold = db.prepared(_HOLD)

    def add(self, allocation: Allocation) -> None:
        try:
            self._db.execute(insert(allocations).values(**asdict(allocation)))
        except IntegrityError:
            raise AlreadyExists(
                "this application has its allocation already", fix="fabriek funding allocations"
            ) from None

    def get(self, allocation_id: str) -> Allocation:
        row = self._db.row(select(allocations).where(allocations.c.id == allocation_id))
        if row is None:
            raise NotFound("there is no such allocation", fix="fabriek funding allocations")
        return _allocation(row)

    def move_end(self, allocation_id: str, ends_on: date) -> None:
        self._db.execute(update(allocations).where(allocations.c.id == allocation_id).values(ends_on=ends_on))

    def of_project(self, project: str) -> Sequence[Allocation]:
        rows = self._db.rows(select(allocations).where(allocations.c.project == project).order_by(allocations.c.id))
        return [_allocation(row) for row in rows]

    def all(self) -> Sequence[Allocation]:
        return [_allocation(row) for row in self._db.rows(select(allocations).order_by(allocations.c.id))]

    def add_hold(self, held: Hold) -> None:
        self._db.execute(insert(holds).values(**asdict(held)))

    def save_hold(self, held: Hold) -> None:
        self._db.execute(update(holds).where(holds.c.job == held.job).values(amount_micro=held.amount_micro))

    def hold_of(self, job: str) -> Hold | None:
        found = (
            self._db.found(self._hold, {"of": job}) if self._db.in_transaction() else self._db.rows(_HOLD, {"of": job})
        )
        if not found:
            return None
        name, allocation, share, resource, amount = found[0]
        return Hold(name, allocation, share, Resource(resource), amount)


def _may_not_fall(touched: tuple[str, Resource], more: int) -> bool:
    """Whether it takes from an account that may not be below zero."""
    return more < 0 and kind_of(touched[0]) not in BELOW_ZERO


def _is_small(one: Posting) -> bool:
    """Whether it goes in one statement: some lines, that have in common what a posting's have."""
    if not 0 < len(one.entries) <= LINES_AT_ONCE:
        return False
    first = one.entries[0]
    return all(
        (line.transaction, line.at, line.memo, line.job) == (first.transaction, first.at, first.memo, first.job)
        for line in one.entries
    )


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.id, row.transaction, row.account, Resource(row.resource), row.amount_micro, row.at, row.memo, row.job
    )


def _allocation(row: Row[Any]) -> Allocation:
    return Allocation(**row._mapping)  # noqa: SLF001  # a row's names
