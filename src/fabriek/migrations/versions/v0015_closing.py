"""A lowering is of the versions that there were; open grants and open proposals are found without reading those that ended."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("vault_proposals", schema=None) as batch_op:
        # 0 for those that wait: how far they went nobody wrote down, so they are proposed anew.
        batch_op.add_column(sa.Column("covers", sa.Integer(), server_default="0", nullable=False))
    is_open = sa.text("ended_at IS NULL")
    op.create_index("vault_grants_open", "vault_grants", ["dataset"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("vault_proposals_by_outcome", "vault_proposals", ["outcome", "act", "project"])
