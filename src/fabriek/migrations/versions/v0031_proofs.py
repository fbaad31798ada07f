"""Proofs: how an organisation shows that it is one, where it has no number in the register yet."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.database import Instant

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_proofs",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("shown_by", sa.String(), nullable=False),
        sa.Column("shown_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("organisation"),
    )
