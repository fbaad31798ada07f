"""What an award obliges to: reports, the extensions that follow them, texts of thanks, and reminders."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "funding_reports",
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("edited_at", Instant(), nullable=True),
        sa.Column("filed_at", Instant(), nullable=True),
        sa.Column("filed_by", sa.String(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("again_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("allocation", "kind"),
    )
    op.create_table(
        "funding_extensions",
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("allocation", "rule"),
    )
    op.create_table(
        "funding_acknowledgements",
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("nl", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("share"),
    )
    op.create_table(
        "funding_reminders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("given_up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_applications_person", "access_applications", ["person"])
