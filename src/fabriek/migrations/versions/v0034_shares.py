"""Shares by quarter and under caps: what is awarded keeps for whom, holds are kept by allocation, debts may stand below zero."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BELOW_ZERO = "amount_micro >= 0 or account like 'contribution:%' or account like 'debt:%'"


def upgrade() -> None:
    op.create_table(
        "access_descriptions",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("sector", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("organisation"),
    )
    op.create_table(
        "funding_entitlements",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contribution", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("year", "number", "contribution", "resource"),
    )
    op.create_table(
        "funding_closed_quarters",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", "number"),
    )
    op.create_table(
        "funding_award_totals",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "word", "year", "resource"),
    )
    with op.batch_alter_table("funding_allocations") as allocations:
        for name in ("call", "purpose", "organisation", "sector", "region", "size"):
            allocations.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        for name in ("commercial", "director"):
            allocations.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("funding_entries_at", "funding_entries", ["at"])
    _let_debts_below_zero()
    connection = op.get_bind()
    _describe_allocations(connection)
    _mark_commercial(connection)
    _gather_holds(connection)
    _sum_up(connection)


def _let_debts_below_zero() -> None:
    if op.get_bind().dialect.name == "sqlite":
        check = sa.CheckConstraint(BELOW_ZERO, name="funding_never_negative")
        with op.batch_alter_table("funding_balances", recreate="always", table_args=(check,)):
            pass
        return
    op.drop_constraint("funding_never_negative", "funding_balances", type_="check")
    op.create_check_constraint("funding_never_negative", "funding_balances", BELOW_ZERO)


def _rows(connection: sa.Connection, question: str) -> Sequence[Any]:
    return connection.execute(sa.text(question)).all()


def _describe_allocations(connection: sa.Connection) -> None:
    """From the application and the project that each belongs to; a seat of a class from its project alone."""
    for sought, text in (
        ("call", "select call from access_applications where id = funding_allocations.application"),
        ("organisation", "select organisation from access_applications where id = funding_allocations.application"),
        ("purpose", "select purpose from access_projects where id = funding_allocations.project"),
    ):
        connection.execute(sa.text(f"update funding_allocations set {sought} = coalesce(({text}), '')"))  # noqa: S608  # our own words


def _mark_commercial(connection: sa.Connection) -> None:
    """Of no company anybody has said that it is small: until then it counts as one that pays."""
    connection.execute(
        sa.text(
            "update funding_allocations set commercial = true where organisation in (select id from access_organisations where kind = 'company')"
        )
    )


def _gather_holds(connection: sa.Connection) -> None:
    """What stood on an account for each job goes to one for each allocation, by postings: nothing in the ledger is rewritten."""
    found = _rows(
        connection,
        "select account, resource, amount_micro from funding_balances where account like 'hold:%/%' and amount_micro > 0",
    )
    entries = sa.table(
        "funding_entries", *(sa.column(name) for name in ("id", "transaction", "account", "resource", "amount_micro", "memo", "job")),
        sa.column("at", sa.DateTime(timezone=True)),
    )  # fmt: skip
    postings = sa.table("funding_postings", sa.column("transaction"), sa.column("key"))
    balances = sa.table("funding_balances", sa.column("account"), sa.column("resource"), sa.column("amount_micro"))
    sums: dict[tuple[str, str], int] = {}
    for row in found:
        gathered, _, job = row.account.partition("/")
        newest = connection.execute(
            sa.text('select max("at") from funding_entries where account = :account'), {"account": row.account}
        ).scalar()
        at = datetime.fromisoformat(newest) if isinstance(newest, str) else newest
        transaction = f"led_gathered_{job}"
        connection.execute(postings.insert().values(transaction=transaction, key=f"gathered:{row.account}"))
        for line, (account, amount) in enumerate(((row.account, -row.amount_micro), (gathered, row.amount_micro))):
            connection.execute(
                entries.insert().values(
                    id=f"{transaction}/{line}", transaction=transaction, account=account, resource=row.resource, amount_micro=amount,
                    at=at, memo="gathered", job=job,
                )
            )  # fmt: skip
        sums[gathered, row.resource] = sums.get((gathered, row.resource), 0) + row.amount_micro
    connection.execute(sa.text("delete from funding_balances where account like 'hold:%/%'"))
    for (account, resource), amount in sorted(sums.items()):
        connection.execute(balances.insert().values(account=account, resource=resource, amount_micro=amount))


def _sum_up(connection: sa.Connection) -> None:
    """What shares were given and awarded until now, from the ledger itself."""
    year = (
        'extract(year from e."at")' if connection.dialect.name != "sqlite" else 'cast(substr(e."at", 1, 4) as integer)'
    )
    connection.execute(
        sa.text(f"""
            insert into funding_award_totals (owner, word, year, resource, amount_micro)
            select substr(e.account, 7), 'given', {year}, e.resource, sum(e.amount_micro)
            from funding_entries e where e.account like 'share:%' and e.memo = 'grant'
            group by 1, 2, 3, 4
        """)  # noqa: S608  # our own words
    )
    for owner in ("a.share", "a.organisation"):
        for word in ("a.call", "'ordinary'", "case when a.commercial then 'commercial' else '' end"):
            connection.execute(
                sa.text(f"""
                    insert into funding_award_totals (owner, word, year, resource, amount_micro)
                    select {owner}, {word}, {year}, e.resource, sum(e.amount_micro)
                    from funding_entries e join funding_allocations a on e.account = 'allocation:' || a.id
                    where e.memo = 'award' and {owner} <> '' and {word} <> ''
                    group by 1, 2, 3, 4
                """)  # noqa: S608  # our own words
            )
