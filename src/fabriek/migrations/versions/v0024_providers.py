"""People come by identity providers, and may have no address that is theirs alone."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("access_names") as names:
        names.alter_column("email", existing_type=sa.String(), nullable=True)
    op.create_table(
        "access_subjects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("bound_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject", "tenant", name="uq_access_subjects_key"),
    )
    op.create_index("ix_access_subjects_person", "access_subjects", ["person"])
    op.create_table(
        "access_provider_logins",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("sid", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("login"),
    )
    op.create_index("ix_access_provider_logins_subject", "access_provider_logins", ["subject"])
    op.create_index("ix_access_provider_logins_sid", "access_provider_logins", ["sid"])
    op.create_table(
        "access_provider_organisations",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "word"),
    )
    op.create_table(
        "access_login_attempts",
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("callback", sa.String(), nullable=False),
        sa.Column("then", sa.String(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("state"),
    )
    op.create_index("ix_access_login_attempts_begun_at", "access_login_attempts", ["begun_at"])
    op.create_table(
        "access_devices",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("user_code", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("interval_seconds", sa.Integer(), nullable=False),
        sa.Column("polled_at", Instant(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_access_devices_user_code", "access_devices", ["user_code"])
    op.create_index("ix_access_devices_expires_at", "access_devices", ["expires_at"])
    op.create_table(
        "access_device_guesses",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
    )
    op.create_index("ix_access_device_guesses_person", "access_device_guesses", ["person"])
    op.create_index("ix_access_device_guesses_at", "access_device_guesses", ["at"])
    op.create_table(
        "access_logout_tokens",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("jti", sa.String(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti"),
    )
    op.create_index("ix_access_logout_tokens_until", "access_logout_tokens", ["until"])
