"""Questions to applicants name the answers that may be changed meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_case_questions", sa.Column("fields", sa.JSON(), server_default="[]", nullable=False))
