"""Runs have notes, and are put into groups."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lab_notes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lab_notes_of_run", "lab_notes", ["run", "written_at"])
    op.create_table(
        "lab_groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lab_groups_of_project", "lab_groups", ["project", "made_at"])
    op.create_index("lab_groups_of_source", "lab_groups", ["source"])
    op.create_table(
        "lab_group_runs",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "run"),
    )
    op.create_index("lab_group_runs_of_run", "lab_group_runs", ["run"])
