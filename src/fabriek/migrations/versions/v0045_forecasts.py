"""Forecasts of starts, and what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compute_forecasts",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("earliest", sa.DateTime(timezone=True)),
        sa.Column("median", sa.DateTime(timezone=True)),
        sa.Column("latest", sa.DateTime(timezone=True)),
        sa.Column("futures", sa.Integer(), nullable=False),
        sa.Column("features", sa.JSON(none_as_null=True)),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("last_made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_basis", sa.String(), nullable=False),
        sa.Column("last_earliest", sa.DateTime(timezone=True)),
        sa.Column("last_median", sa.DateTime(timezone=True)),
        sa.Column("last_latest", sa.DateTime(timezone=True)),
        sa.Column("last_futures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index(op.f("ix_compute_forecasts_started_at"), "compute_forecasts", ["started_at"])
