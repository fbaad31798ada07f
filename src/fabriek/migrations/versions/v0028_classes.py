"""Classes, and a place in one for each student."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_classes",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("slug", sa.String(), nullable=False, unique=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("teacher", sa.String(), nullable=False),
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("gpu_micro_each", sa.BigInteger(), nullable=False),
        sa.Column("cpu_micro_each", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
    )
    op.create_index("ix_access_classes_project", "access_classes", ["project"])
    op.create_index("ix_access_classes_state", "access_classes", ["state"])
    op.create_table(
        "access_places",
        sa.Column("course", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
    )
    op.create_index("ix_access_places_person", "access_places", ["person"])
