"""Alembic's entry: runs the chain on the connection that ops/migrate hands over."""

from alembic import context

from fabriek.adapters.database import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, transaction_per_migration=False, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
