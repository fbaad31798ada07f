"""Files on their way in through the server, as others' clients send them."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_arrivals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("upload", sa.String(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("lone", sa.Boolean(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("given_up", sa.Boolean(), nullable=False),
        sa.Column("blocks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_vault_arrivals_upload"), "vault_arrivals", ["upload"])
    op.create_table(
        "vault_arrival_stretches",
        sa.Column("arrival", sa.String(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("arrival", "start"),
    )
