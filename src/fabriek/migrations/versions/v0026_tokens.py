"""What was opened with a credential ends with it: a visit to a notebook knows through which session it came."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("access_credentials") as credentials:
        credentials.add_column(sa.Column("through", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_access_credentials_through", "access_credentials", ["through"])
