"""Databases with every table and no row. In a process the tables are made once: a test gets a copy, or what the test before it left, emptied."""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from fabriek.adapters.database import Database, metadata, open_database
from tests.servers import postgres

WAIT_MS = 10_000


def a_database(file: Path) -> Database:
    """A new one of SQLite in this file."""
    file.write_bytes(_every_table(len(metadata.tables)))
    return open_database(f"sqlite:///{file}")


@cache
def _every_table(_count: int) -> bytes:
    """A test that imports an area later than others adds tables: then it is made anew."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/fabriek.db")
        metadata.create_all(database.engine)
        database.close()
        return Path(folder, "fabriek.db").read_bytes()


END_OTHERS = text(
    "select pg_terminate_backend(pid, :wait) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
)
SHAPE = text("select count(*), sum(relnatts) from pg_class where relnamespace = 'public'::regnamespace")


class PostgresTables:
    """One database of a server, lent to one test at a time. To copy one costs PostgreSQL fifty times what it costs to empty one."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._database: Database | None = None
        self.url, self._count = "", 0
        self._names: frozenset[str] = frozenset()
        self._shape = (0, 0)

    def lend(self) -> Database:
        """It has every table and no row, whatever the test before did to it. Closed, it may be used again, and knows its statements still."""
        if self._database is None or self._count != len(metadata.tables) or not self._empty(self._database):
            self._database = self._made()
        return self._database

    def _made(self) -> Database:
        self.url, self._count = postgres.fresh_database(self._server_url, "lent"), len(metadata.tables)
        database = open_database(self.url)
        metadata.create_all(database.engine)
        with database.engine.connect() as connection:
            self._names, self._shape = _names(connection), _shape(connection)
        return database

    def _empty(self, database: Database) -> bool:
        """False where a test changed our tables themselves."""
        with database.engine.begin() as connection:
            connection.execute(END_OTHERS, {"wait": WAIT_MS})
            for name in _names(connection) - self._names:
                connection.execute(text(f'drop table "{name}" cascade'))
            if _shape(connection) != self._shape:
                return False
            if not self._names:  # a test of the database alone, which knows no area
                return True
            filled = [f"select '{name}' where exists (select from \"{name}\")" for name in self._names]  # noqa: S608  # ours
            if names := connection.scalars(text(" union all ".join(filled))).all():
                listed = ", ".join(f'"{name}"' for name in names)
                connection.execute(text(f"truncate {listed} restart identity cascade"))
            return True


def _names(connection: Connection) -> frozenset[str]:
    return frozenset(connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))


def _shape(connection: Connection) -> tuple[int, int]:
    """Tables and indexes with their columns, counted."""
    count, columns = connection.execute(SHAPE).one()
    return count, columns
