"""Agreements have terms and places, requests have states and a form, and what nobody does alone is proposed and signed."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.database import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("vault_agreements", schema=None) as batch_op:
        batch_op.add_column(sa.Column("terms", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("places", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("vault_grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purpose", sa.String(), server_default="", nullable=False))
    with op.batch_alter_table("vault_requests", schema=None) as batch_op:
        batch_op.alter_column("answer", new_column_name="state", existing_type=sa.String(), existing_nullable=False)
        batch_op.add_column(sa.Column("answers", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("steps", sa.JSON(), server_default="[]", nullable=False))
        batch_op.create_index("vault_requests_of_person", ["person"])
    requests = sa.table("vault_requests", sa.column("state", sa.String()))
    for old, new in (("waiting", "sent"), ("agreed", "approved")):
        op.execute(requests.update().where(requests.c.state == old).values(state=new))
    op.create_table(
        "vault_terms",
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("committee", sa.JSON(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "number"),
    )
    op.create_table(
        "vault_acceptances",
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "number", "person"),
    )
    op.create_table(
        "vault_proposals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("signatures", sa.JSON(), nullable=False),
        sa.Column("refused_by", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_vault_proposals_subject", "vault_proposals", ["subject"])
