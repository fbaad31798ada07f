"""Power: what the ladder did, the grid operator's messages, readings of meters, the record of quarters, and the CO2 of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compute_power_acts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("limit_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("allowed_watts", sa.BigInteger(), nullable=False),
        sa.Column("planned_watts", sa.BigInteger(), nullable=False),
        sa.Column("metered", sa.Boolean(), nullable=False),
        sa.Column("watts", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_compute_power_acts_job"), "compute_power_acts", ["job"])
    op.create_index(op.f("ix_compute_power_acts_at"), "compute_power_acts", ["at"])
    op.create_index(
        "compute_power_one_act", "compute_power_acts", ["job", "attempt", "step"], unique=True,
        sqlite_where=sa.text("ended_at is null"), postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    op.create_table(
        "compute_power_messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("watts", sa.BigInteger(), nullable=True),
        sa.Column("replaces", sa.String(), nullable=False),
        sa.Column("withdraws", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("late", sa.String(), nullable=False),
        sa.Column("limit", sa.String(), nullable=False),
        sa.Column("confirmation", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("followed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_compute_power_messages_received_at"), "compute_power_messages", ["received_at"])
    op.create_table(
        "compute_power_readings",
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("watts", sa.BigInteger(), nullable=True),
        sa.Column("counter_wh", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("meter", "at"),
    )
    op.create_index(op.f("ix_compute_power_readings_at"), "compute_power_readings", ["at"])
    op.create_table(
        "compute_power_quarters",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_seconds", sa.Float(), nullable=False),
        sa.Column("planned_joules", sa.Float(), nullable=False),
        sa.Column("estimated_joules", sa.Float(), nullable=False),
        sa.Column("allowed_watts", sa.BigInteger(), nullable=True),
        sa.Column("drawn_watts", sa.BigInteger(), nullable=True),
        sa.Column("drawn_from", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
    op.add_column("compute_jobs", sa.Column("co2_grams", sa.Float(), nullable=False, server_default="0"))
    op.add_column("funding_uses", sa.Column("co2_grams", sa.BigInteger(), nullable=False, server_default="0"))
