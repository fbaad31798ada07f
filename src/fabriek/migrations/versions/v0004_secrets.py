"""Projects get secrets, and jobs name them."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.database import Instant

revision = "0004"
down_revision = "0002"
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
    with op.batch_alter_table("compute_jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("secrets", sa.JSON(), server_default="[]", nullable=False))
