"""Objects that nothing names are doomed before they go; damage, walks through the vault, and when each version was last verified."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_leftovers",
        sa.Column("object", sa.String(), primary_key=True),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("doomed_at", Instant()),
    )
    op.create_table(
        "vault_damage",
        sa.Column("of_version", sa.String(), primary_key=True),
        sa.Column("of_object", sa.String(), primary_key=True),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("told_at", Instant()),
    )
    op.create_index(op.f("ix_vault_damage_dataset"), "vault_damage", ["dataset"])
    op.create_table(
        "vault_passes",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("bytes_expected", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("held_until", Instant()),
        sa.Column("ended_at", Instant()),
    )
    with op.batch_alter_table("vault_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("verified_at", Instant(), nullable=True))
