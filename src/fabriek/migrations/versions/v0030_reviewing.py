"""Reviews: cases with their clocks, questions, steps, experts' work, decisions, and what people were told."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.JSON(), nullable=False),
        sa.Column("stopped_at", Instant(), nullable=True),
        sa.Column("round_at", Instant(), nullable=True),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("nodes_asked", sa.Integer(), nullable=False),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_cases_call", "access_cases", ["call"])
    op.create_table(
        "access_case_questions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("back_to", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_case_questions_application", "access_case_questions", ["application"])
    op.create_table(
        "access_case_steps",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_case_steps_application", "access_case_steps", ["application"])
    op.create_table(
        "access_assignments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("assigned_by", sa.String(), nullable=False),
        sa.Column("assigned_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("declined_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("conflict", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_assignments_application", "access_assignments", ["application"])
    op.create_index("ix_access_assignments_person", "access_assignments", ["person"])
    op.create_table(
        "access_decisions",
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("motive", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("gpu_hours", sa.Integer(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.Column("objection_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("application"),
    )
    op.create_table(
        "access_review_notices",
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
    op.create_index("ix_access_review_notices_person", "access_review_notices", ["person"])
