"""Numbers of the catalogue's entries, by which they are found by meaning, and searches that people keep."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "knowledge_meanings",
        sa.Column("reading", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("reading"),
        sa.UniqueConstraint("number"),
        sa.ForeignKeyConstraint(["number"], ["knowledge_entries.number"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "knowledge_saved_searches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("looked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person", "name"),
    )
