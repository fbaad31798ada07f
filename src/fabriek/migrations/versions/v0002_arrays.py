"""Jobs get numbers, arrays, terms and further attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compute_counters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    with op.batch_alter_table("compute_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("array", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("array_number", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("array_index", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("array_at_once", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("terms", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("requeues", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("earlier_logs", sa.JSON(), server_default="[]", nullable=False))
        batch_op.create_index(batch_op.f("ix_compute_jobs_number"), ["number"], unique=False)
        batch_op.create_index(batch_op.f("ix_compute_jobs_array"), ["array"], unique=False)
        batch_op.create_index(batch_op.f("ix_compute_jobs_array_number"), ["array_number"], unique=False)
