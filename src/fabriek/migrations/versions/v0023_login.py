"""Credentials have names, scopes and a login; people may be services."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("access_people") as people:
        people.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="person"))
        people.add_column(sa.Column("signed_for_by", sa.String(), nullable=False, server_default=""))
        people.add_column(sa.Column("confirms", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("access_credentials") as credentials:
        credentials.add_column(sa.Column("credential_id", sa.String(), nullable=False, server_default=""))
        credentials.add_column(sa.Column("label", sa.String(), nullable=False, server_default=""))
        credentials.add_column(sa.Column("scope", sa.JSON(), nullable=False, server_default="[]"))
        credentials.add_column(sa.Column("made_at", Instant(), nullable=True))
        credentials.add_column(sa.Column("used_at", Instant(), nullable=True))
        credentials.add_column(sa.Column("login", sa.String(), nullable=False, server_default=""))
        credentials.add_column(sa.Column("confirmed_at", Instant(), nullable=True))
    op.execute("update access_credentials set credential_id = 'crd_' || substr(hash, 1, 26)")
    op.create_index("ix_access_credentials_person", "access_credentials", ["person"])
    op.create_index("ix_access_credentials_credential_id", "access_credentials", ["credential_id"])
    op.create_table(
        "access_logins",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("strong", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("acr", sa.String(), nullable=False),
        sa.Column("assurance", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_logins_person", "access_logins", ["person"])
