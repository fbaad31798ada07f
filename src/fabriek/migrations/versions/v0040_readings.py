"""Readings of storage and tokens in the ledger: each once, how far storage is booked, and for which project a key calls."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "funding_readings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("owed_micro", sa.BigInteger(), nullable=False),
        sa.Column("over_micro", sa.BigInteger(), nullable=False),
        sa.Column("transaction", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("funding_readings_of_project", "funding_readings", ["project", "at"])
    op.create_table(
        "funding_storages",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("level_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rest", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project"),
    )
    op.add_column("serving_keys", sa.Column("payer", sa.String(), nullable=False, server_default=""))
    op.add_column("serving_keys", sa.Column("tokens_settled", sa.BigInteger(), nullable=False, server_default="0"))
