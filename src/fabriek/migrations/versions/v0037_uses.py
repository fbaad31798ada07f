"""What is known of a job when it is settled: how long it waited, what energy it took, when it ended."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "funding_uses",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("transaction", sa.String(), nullable=False),
        sa.Column("waited_seconds", sa.BigInteger(), nullable=False),
        sa.Column("energy_joules", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("funding_uses_at", "funding_uses", ["at"])
    op.create_index("ix_funding_uses_transaction", "funding_uses", ["transaction"])
