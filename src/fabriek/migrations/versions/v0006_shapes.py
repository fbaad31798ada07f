"""Jobs take several nodes, GPUs of a kind and parts of one, and say where they stand."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("compute_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("nodes", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("gpu_kind", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("gpus_milli", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("placed", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("preempting", sa.Boolean(), server_default=sa.false(), nullable=False))
