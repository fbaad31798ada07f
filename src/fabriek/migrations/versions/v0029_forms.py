"""Which edit an application is at, and who of other organisations edits along."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_application_edits",
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edited_at", Instant(), nullable=True),
        sa.Column("edited_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("application"),
    )
    op.create_table(
        "access_application_editors",
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("application", "person"),
    )
    op.create_index("ix_access_application_editors_person", "access_application_editors", ["person"])
