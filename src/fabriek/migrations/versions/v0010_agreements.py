"""Agreements have terms and places, requests have states and a form, and what nobody does alone is proposed and signed."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

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
    # What is open is asked about again from now on: what for, and for jobs by whom, is what it was opened for.
    grants = sa.table("vault_grants", *(sa.column(one, sa.String()) for one in ("job", "project", "person", "purpose")))
    jobs = sa.table("compute_jobs", *(sa.column(one, sa.String()) for one in ("id", "person", "purpose")))
    projects = sa.table("access_projects", sa.column("id", sa.String()), sa.column("purpose", sa.String()))
    of_job = sa.exists().where(jobs.c.id == grants.c.job)
    for name in ("purpose", "person"):
        theirs = sa.select(jobs.c[name]).where(jobs.c.id == grants.c.job).scalar_subquery()
        op.execute(grants.update().where(of_job).values({name: theirs}))
    home = sa.select(projects.c.purpose).where(projects.c.id == grants.c.project).scalar_subquery()
    here = sa.exists().where(projects.c.id == grants.c.project)
    op.execute(grants.update().where(grants.c.purpose == "", here).values(purpose=home))
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
