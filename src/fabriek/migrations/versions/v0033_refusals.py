"""Every refusal keeps its day to object, and the queue is found by state without reading all applications."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_cases", sa.Column("objection_until", sa.Date(), nullable=True))
    op.create_index("ix_access_applications_state", "access_applications", ["state"])
