"""The desk: accepted answers, what experts can do and give each week, cases with documents, and needs and offers."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant, instant_of

revision = "0051"
down_revision = "0049"
branch_labels = None
depends_on = None

ZONE = ZoneInfo("Europe/Amsterdam")


def upgrade() -> None:
    op.add_column("knowledge_questions", sa.Column("accepted", sa.String(), nullable=False, server_default=""))
    op.add_column("knowledge_experts", sa.Column("skills", sa.Text(), nullable=False, server_default=""))
    op.add_column("knowledge_experts", sa.Column("languages", sa.Text(), nullable=False, server_default=""))
    op.add_column("knowledge_experts", sa.Column("hours_a_week", sa.Integer(), nullable=False, server_default="8"))
    _give_weeks()
    op.create_table(
        "knowledge_cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("handler", sa.String(), nullable=False),
        sa.Column("waiting_since", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("person", "organisation", "project", "handler"):
        op.create_index(op.f(f"ix_knowledge_cases_{column}"), "knowledge_cases", [column])
    op.create_table(
        "knowledge_case_steps",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case", "number"),
    )
    op.create_table(
        "knowledge_case_documents",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case", "number"),
    )
    op.create_table(
        "knowledge_listings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_knowledge_listings_organisation"), "knowledge_listings", ["organisation"])
    op.create_table(
        "knowledge_matches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("need", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("shared", sa.Text(), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("need_said", sa.String(), nullable=False),
        sa.Column("offer_said", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("need", "offer"),
    )
    op.create_index(op.f("ix_knowledge_matches_offer"), "knowledge_matches", ["offer"])


def _give_weeks() -> None:
    """A booking of before counts in the week in which it was made."""
    op.add_column("knowledge_bookings", sa.Column("week", sa.Date(), nullable=True))
    bookings = sa.table(
        "knowledge_bookings", sa.column("id"), sa.column("booked_at", Instant()), sa.column("week", sa.Date())
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(bookings.c.id, bookings.c.booked_at)).all():
        made_on = instant_of(row.booked_at).astimezone(UTC).astimezone(ZONE).date()
        monday = made_on - timedelta(days=made_on.weekday())
        connection.execute(bookings.update().where(bookings.c.id == row.id).values(week=monday))
    with op.batch_alter_table("knowledge_bookings") as batch:
        batch.alter_column("week", existing_type=sa.Date(), nullable=False)
        batch.create_index(op.f("ix_knowledge_bookings_week"), ["week"])
