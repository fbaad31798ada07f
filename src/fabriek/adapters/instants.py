"""Instants as the databases keep them."""

from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An instant in UTC. SQLite has no time zones, so there it is stored without one and read back with it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def instant_of(plain: str | datetime) -> datetime:
    """An instant as `plain_rows` gives it: SQLite's is a text, and PostgreSQL's may be in any zone."""
    at = datetime.fromisoformat(plain) if isinstance(plain, str) else plain
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
