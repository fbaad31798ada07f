"""Packages that jobs may install: requests, files, approvals."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "packages_files",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("tags", sa.String(), nullable=False),
        sa.Column("requires_python", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_for", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index(op.f("ix_packages_files_package"), "packages_files", ["package"], unique=False)
    op.create_table(
        "packages_metadata",
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file"),
    )
    op.create_table(
        "packages_approvals",
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("despite", sa.Text(), nullable=False),
        sa.UniqueConstraint("file", "project"),
    )
    op.create_index(op.f("ix_packages_approvals_project"), "packages_approvals", ["project"], unique=False)
    op.create_table(
        "packages_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_packages_requests_project"), "packages_requests", ["project"], unique=False)
    op.create_index(op.f("ix_packages_requests_state"), "packages_requests", ["state"], unique=False)
