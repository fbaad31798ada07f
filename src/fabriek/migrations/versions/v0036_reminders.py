"""Reminders of a review of access: each is written once, and sent until it is taken."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.database import Instant

revision = "0036"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_review_reminders",
        sa.Column("review", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("days_before", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant()),
        sa.Column("given_up", sa.Boolean(), nullable=False),
    )
