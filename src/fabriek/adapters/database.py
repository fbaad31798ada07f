"""The database, in two dialects with one face. All that differs between SQLite and PostgreSQL is in this module.

`transaction()` joins the one that this thread has open; only the outermost commits, and it returns after the commit is durable.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Executable, MetaData, Row, Table, create_engine, insert, text, update
from sqlalchemy.engine import Connection, CursorResult, Dialect, Engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.types import TypeDecorator

from fabriek.adapters.groupcommit import Writer
from fabriek.kernel.errors import InvalidInput, StorageFull, Unavailable

metadata = MetaData()
"""Every table of every area; each area's `store.py` adds its own, and Alembic compares against it."""

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


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


class _Open(threading.local):
    """What this thread has open: its connection, and what waits for the commit."""

    connection: Connection | None = None
    afterwards: list[Callable[[], None]]


class Database(ABC):
    """Runs statements inside the open transaction of this thread, or on their own when there is none."""

    dialect: str

    def __init__(self) -> None:
        self._open = _Open()

    @contextmanager
    def transaction(self, *, alone: str = "") -> Iterator[None]:
        """All or nothing. With `alone`, also one at a time among all that name the same key, over all servers.

        Raises Unavailable or StorageFull when the commit did not reach the disk: then nothing was written.
        """
        if self._open.connection is not None:
            self._lock(self._open.connection, alone)
            yield
            return
        self._open.afterwards = []
        with self._begin() as connection:
            self._open.connection = connection
            try:
                self._lock(connection, alone)
                yield
            finally:
                self._open.connection = None
        for act in self._open.afterwards:
            act()

    def in_transaction(self) -> bool:
        return self._open.connection is not None

    def after_commit(self, act: Callable[[], None]) -> None:
        """Runs `act` once the open transaction is durable; at once when there is none. For waking workers, never for records."""
        if self.in_transaction():
            self._open.afterwards.append(act)
        else:
            act()

    def execute(self, statement: Executable, parameters: Parameters = None) -> int:
        """Runs a change and returns how many rows it touched. Needs an open transaction: a change on its own has no audit event."""
        assert self._open.connection is not None, "a change outside transaction()"
        result: CursorResult[Any] = self._run(self._open.connection, statement, parameters)
        return result.rowcount

    def put(self, table: Table, row: Mapping[str, Any], key: Sequence[str]) -> None:
        """Changes the row with this key, or adds it. `key`: the columns that name it."""
        if not self.execute(update(table).where(*(table.c[name] == row[name] for name in key)).values(**row)):
            self.execute(insert(table).values(**row))

    def insert_many(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Adds many narrow rows by the driver's own way, which costs a fifth of a statement's. Values are in the order of the columns."""
        assert self._open.connection is not None, "a change outside transaction()"
        try:
            self._insert_many(self._open.connection, table, rows)
        except OperationalError as error:
            self._translate(error)
            raise

    def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        if self._open.connection is not None:
            return self._run(self._open.connection, statement, parameters).all()
        with self._read() as connection:
            return self._run(connection, statement, parameters).all()

    def plain_rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """The driver's own tuples, for many rows of plain numbers and texts: neither names nor types are looked at."""
        if self._open.connection is not None:
            return _plain(self._run(self._open.connection, statement, None))
        with self._read() as connection:
            return _plain(self._run(connection, statement, None))

    def row(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        """The first row, or None."""
        found = self.rows(statement, parameters)
        return found[0] if found else None

    def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first column of the first row, or None."""
        found = self.row(statement, parameters)
        return None if found is None else found[0]

    def _run(self, connection: Connection, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        try:
            return connection.execute(statement, parameters)
        except OperationalError as error:
            self._translate(error)
            raise
        except DataError as error:
            raise InvalidInput(
                "a text holds a NUL byte, or a number is larger than the database keeps", fix="leave it out"
            ) from error

    def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        try:
            self.scalar(text("select 1"))
        except DBAPIError as error:
            raise Unavailable("the database does not answer", fix="fabriek doctor", retry_after_seconds=5) from error

    def _translate(self, error: DBAPIError) -> None:
        """Raises our error in place of the driver's where we have one."""
        if (
            getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL"
            or getattr(error.orig, "sqlstate", "") == "53100"
        ):
            raise StorageFull("the disk of the database is full", fix="free some space; nothing was lost") from error
        if error.connection_invalidated:
            raise Unavailable("the database went away", fix="try again", retry_after_seconds=2) from error

    @abstractmethod
    def _insert_many(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None: ...

    @abstractmethod
    def _begin(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _read(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _lock(self, connection: Connection, key: str) -> None: ...

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """For migrations only."""

    @abstractmethod
    def close(self) -> None: ...


def _plain(result: CursorResult[Any]) -> Sequence[tuple[Any, ...]]:
    rows: Sequence[tuple[Any, ...]] = result.cursor.fetchall() if result.cursor is not None else []
    result.close()
    return rows


class SqliteDatabase(Database):
    """One file, WAL, `synchronous=FULL`, one writer with group commit (see groupcommit), readers beside it."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        super().__init__()
        self._writer = Writer(path)
        self._readers = create_engine(
            f"sqlite:///{path}",
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # what people store must not come out in a log line
            pool_size=16,
            max_overflow=48,
            connect_args={"timeout": 30},
        )

    @property
    def engine(self) -> Engine:
        return self._writer.engine

    def _begin(self) -> AbstractContextManager[Connection]:
        return self._writer.body()

    def _read(self) -> AbstractContextManager[Connection]:
        return self._readers.connect()

    def _insert_many(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" for _ in table.columns)
        connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", list(rows))  # noqa: S608  # a table of ours

    def _lock(self, connection: Connection, key: str) -> None:
        """Nothing to do: bodies run one after another here, so each is alone with every key."""

    def close(self) -> None:
        self._readers.dispose()
        self._writer.close()


class PostgresDatabase(Database):
    """A pool of connections at read committed; `alone` is an advisory lock that ends with the transaction."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        super().__init__()
        self._engine = create_engine(url, pool_size=16, max_overflow=16, pool_pre_ping=True, hide_parameters=True)

    @property
    def engine(self) -> Engine:
        return self._engine

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            self._translate(error)
            raise

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    def _insert_many(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _lock(self, connection: Connection, key: str) -> None:
        if key:
            connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    def close(self) -> None:
        self._engine.dispose()


def open_database(url: str) -> Database:
    """`sqlite:///PATH` or `postgresql://…`; the latter through psycopg 3."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(url.removeprefix("sqlite:///"))
    return PostgresDatabase(url.replace("postgresql://", "postgresql+psycopg://", 1))
