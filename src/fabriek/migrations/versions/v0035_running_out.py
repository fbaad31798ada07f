"""How a project stands with its credits, which grants were looked at whether they are used, and what its leads were told."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "funding_standings",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("empty", sa.JSON(), nullable=False),
        sa.Column("owing", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("project"),
    )
    op.create_table(
        "funding_lapses",
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("allocation", "resource"),
    )
    op.create_index("ix_funding_lapses_project", "funding_lapses", ["project"])
    op.create_table(
        "funding_tellings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("given_up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_funding_tellings_project", "funding_tellings", ["project"])
    op.create_index("ix_funding_tellings_next_at", "funding_tellings", ["next_at"])
