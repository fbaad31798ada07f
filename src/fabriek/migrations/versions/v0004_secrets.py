"""Projects get secrets, and jobs name them and tell what becomes of them."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compute_secrets",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("project", "name"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "compute_notices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("given_up_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("compute_notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_compute_notices_next_at"), ["next_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_compute_notices_subject"), ["subject"], unique=False)
    with op.batch_alter_table("compute_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("secrets", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("notify", sa.JSON(), server_default="[]", nullable=False))
