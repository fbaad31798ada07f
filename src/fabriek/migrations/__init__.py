"""One chain of Alembic revisions, the same for SQLite and PostgreSQL; `versions/` in the order of their numbers."""
