"""Registered versions say where their files are and who added them; what is deleted in the registry stays known."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("lab_logged_models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index("lab_logged_models_of_run", ["run"])
        batch_op.create_index("lab_logged_models_newest", ["project", "experiment", "created_at"])
    with op.batch_alter_table("lab_model_versions", schema=None) as batch_op:
        for name in ("place", "person"):
            batch_op.add_column(sa.Column(name, sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("run_link", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Every version that there is came from a logged model, and its files lie where that model's lie.
    op.execute(
        "UPDATE lab_model_versions SET place = coalesce((SELECT m.experiment || '/models/' || m.id || '/artifacts' "
        "FROM lab_logged_models m WHERE m.id = lab_model_versions.model_id), '')"
    )
