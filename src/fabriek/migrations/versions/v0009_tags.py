"""Versions of datasets have tags, and can be removed."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_tags",
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "name"),
    )
    op.create_index(op.f("ix_vault_tags_version"), "vault_tags", ["version"])
    with op.batch_alter_table("vault_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("removed_at", Instant(), nullable=True))
