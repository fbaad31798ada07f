"""Reminders of a review of access: each is written once, and sent until it is taken. And when a membership changed last, out of the audit log."""

import json
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_review_reminders",
        sa.Column("review", sa.String(), primary_key=True),
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("days_before", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", Instant()),
        sa.Column("given_up", sa.Boolean(), nullable=False),
    )
    changes = op.create_table(
        "access_membership_changes",
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("project", sa.String(), primary_key=True),
        sa.Column("at", Instant(), nullable=False),
    )
    newest = {(person, project): at for person, project, at in _named_in_the_log(op.get_bind())}
    if newest:
        op.bulk_insert(changes, [{"person": who, "project": where, "at": at} for (who, where), at in newest.items()])


def _named_in_the_log(bind: sa.Connection) -> Iterator[tuple[str, str, datetime]]:
    """Who was put into which project or taken out of it, oldest first. What somebody damaged is left out: `fabriek audit verify` names it."""
    raw = bind.dialect.name == "sqlite"  # which stores bytes that are no text, and cannot read them back as one
    columns: list[sa.ColumnClause[str]] = [sa.column(name) for name in ("subject", "at", "facts")]
    asked = sa.select(*(sa.cast(one, sa.LargeBinary) if raw else one for one in columns)).select_from(
        sa.table("audit_events")
    )
    known = sa.column("action").in_(["project.member_added", "project.member_removed", "project.member_restored"])
    for row in bind.execute(asked.where(known).order_by(sa.column("number"))):
        subject, at, facts = (one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in row)
        try:
            yield str(json.loads(facts)["person"]), subject, datetime.fromisoformat(at)
        except (ValueError, KeyError, TypeError):
            continue
