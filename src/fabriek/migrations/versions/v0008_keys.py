"""Key homes, holds, retention, erasures, rotations and seals; what is wrapped under the master key says under which."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FIRST = b"file/1\0"
"""Every key that was wrapped before is under the first master key of a keyring file."""


def upgrade() -> None:
    with op.batch_alter_table("vault_datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_home", sa.String(), server_default="installation", nullable=False))
        batch_op.add_column(sa.Column("keep_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("erase_after", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("erased_at", Instant(), nullable=True))
    with op.batch_alter_table("vault_epochs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("home", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("master", sa.String(), server_default="file/1", nullable=False))
    with op.batch_alter_table("vault_epochs", schema=None) as batch_op:
        batch_op.alter_column("master", server_default=None)
        batch_op.create_index("ix_vault_epochs_master", ["master"])
    _name_masters("vault_epochs", "dataset", "number")
    _name_masters("compute_secrets", "id")
    op.create_table(
        "vault_holds",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("dataset", sa.String(), nullable=False, index=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("lifted_by", sa.String(), nullable=False),
        sa.Column("lifted_at", Instant()),
        sa.Column("lifted_because", sa.Text(), nullable=False),
    )
    op.create_table(
        "vault_erasures",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("dataset", sa.String(), nullable=False, index=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=False),
        sa.Column("erased_at", Instant()),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("swept_at", Instant()),
    )
    op.create_table(
        "vault_rotations",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("what", sa.String(), nullable=False, index=True),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("begun_by", sa.String(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("rewrapped_at", Instant()),
        sa.Column("destroyed_at", Instant()),
    )
    op.create_table(
        "vault_organisation_keys",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organisation", sa.String(), nullable=False, index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("mount", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant()),
    )
    op.create_table(
        "vault_seals",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sealed_by", sa.String(), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", Instant()),
    )


def _name_masters(table: str, *key: str) -> None:
    """Puts the name of its master key in front of each wrapped key."""
    rows = sa.table(table, *[sa.column(name) for name in key], sa.column("wrapped", sa.LargeBinary()))
    connection = op.get_bind()
    for row in connection.execute(sa.select(rows)).all():
        same = sa.and_(*[rows.c[name] == getattr(row, name) for name in key])
        connection.execute(sa.update(rows).where(same).values(wrapped=FIRST + bytes(row.wrapped)))
