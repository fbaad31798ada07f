"""The database, in two dialects with one face. All that differs between SQLite and PostgreSQL is in this module.

`transaction()` joins the one that this thread has open; only the outermost commits, and it returns after the commit is durable.
"""

import threading
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from math import inf
from typing import Any, TypeVar

from sqlalchemy import Executable, MetaData, Row, Select, Table, create_engine, insert, text, update
from sqlalchemy.engine import Connection, CursorResult, Engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from fabriek.adapters.groupcommit import Writer
from fabriek.adapters.prepared import Binds, Chain, Prepared, in_one_statement, look_at_idle
from fabriek.kernel.errors import InvalidInput, StorageFull, Unavailable

metadata = MetaData()
"""Every table of every area; each area's `store.py` adds its own, and Alembic compares against it."""

T = TypeVar("T")

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class _Open(threading.local):
    """What this thread has open: its connection, how many changes it may still make, and what waits for the commit."""

    connection: Connection | None = None
    changes: float = inf
    afterwards: list[Callable[[], None]]


class Database(ABC):
    """Runs statements inside the open transaction of this thread, or on their own when there is none."""

    dialect: str

    def __init__(self) -> None:
        self._open = _Open()

    @contextmanager
    def transaction(self, *, alone: str = "", single: bool = False) -> Iterator[None]:
        """All or nothing. With `alone`, also one at a time among all that name the same key, over all servers. With `single`, of one change at
        most, which stands when it was made: a server need not be told where it begins and ends, and it is no lock that `alone` could hold.

        Raises Unavailable or StorageFull when the commit did not reach the disk: then nothing was written.
        """
        if self._open.connection is not None:
            self._lock(self._open.connection, alone)
            yield
            return
        self._open.afterwards = []
        with self._begin(single=single) as connection:
            self._open.connection, self._open.changes = connection, 1 if single else inf
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
        result: CursorResult[Any] = self._run(self._changing(), statement, parameters)
        return result.rowcount

    def _changing(self) -> Connection:
        assert self._open.connection is not None, "a change outside transaction()"
        assert self._open.changes, "a second change in a transaction of a single one"
        self._open.changes -= 1
        return self._open.connection

    def prepared(self, statement: Executable) -> Prepared:
        """The statement made ready for `change` and `found`, where it is run at every job."""
        return Prepared(statement, self.engine.dialect)

    def chain(self, texts: Sequence[str], binds: Binds = ()) -> Chain:
        """An insert, and inserts that are made only where it added a row, one after another and as one change; `{added}` in their texts stands
        for that condition. None of them may rely on seeing what another did. binds: parameters that are no texts.
        """
        return Chain([text(one.format(added="true")) for one in texts], binds, self.engine.dialect)

    def follow(self, chain: Chain, parameters: Mapping[str, Any]) -> bool:
        """Whether its first added a row. Where it did not, nothing has changed."""
        connection = self._changing()
        added = self._translated(connection, chain.run, parameters)
        self._open.changes += not added
        return added

    def found(self, statement: Prepared, parameters: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        """The rows of a question that is asked inside of a transaction, as the driver gives them."""
        assert self._open.connection is not None, "not asked inside of a transaction"
        return self._translated(self._open.connection, statement.rows, parameters)

    def _translated(
        self, connection: Connection, act: Callable[[Connection, Mapping[str, Any]], T], parameters: Mapping[str, Any]
    ) -> T:
        try:
            return act(connection, parameters)
        except OperationalError as error:
            self._translate(error)
            raise

    def put(self, table: Table, row: Mapping[str, Any], key: Sequence[str]) -> None:
        """Changes the row with this key, or adds it. `key`: the columns that name it."""
        if not self.execute(update(table).where(*(table.c[name] == row[name] for name in key)).values(**row)):
            self.execute(insert(table).values(**row))

    def insert_many(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Adds many narrow rows by the driver's own way, which costs a fifth of a statement's. Values are in the order of the columns."""
        try:
            self._insert_many(self._changing(), table, rows)
        except OperationalError as error:
            self._translate(error)
            raise

    def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        if self._open.connection is not None:
            return self._run(self._open.connection, statement, parameters).all()
        return self._reading(lambda connection: self._run(connection, statement, parameters).all())

    def aside(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """What is committed, beside whatever this thread has open: also where that has failed and answers no more."""
        return self._reading(lambda connection: self._run(connection, statement, parameters).all())

    def plain_rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[tuple[Any, ...]]:
        """The driver's own tuples, for many rows of plain numbers and texts: neither names nor types are looked at."""
        if self._open.connection is not None:
            return _plain(self._run(self._open.connection, statement, parameters))
        return self._reading(lambda connection: _plain(self._run(connection, statement, parameters)))

    def often(self, statement: Select[Any]) -> "Often":
        """The statement made ready for being asked at every request. Its parameters are texts, all of them given when it is asked."""
        return Often(self, statement)

    def row(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        """The first row, or None."""
        found = self.rows(statement, parameters)
        return found[0] if found else None

    def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first column of the first row, or None."""
        found = self.row(statement, parameters)
        return None if found is None else found[0]

    def _reading(self, ask: Callable[[Connection], T]) -> T:
        """Asks outside of any transaction."""
        with self._read() as connection:
            return ask(connection)

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
    def _begin(self, *, single: bool) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _read(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _lock(self, connection: Connection, key: str) -> None: ...

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """For migrations only."""

    @property
    @abstractmethod
    def readers(self) -> Engine:
        """Where questions outside of transactions are asked."""

    @abstractmethod
    def close(self) -> None: ...


def _plain(result: CursorResult[Any]) -> Sequence[tuple[Any, ...]]:
    rows: Sequence[tuple[Any, ...]] = result.cursor.fetchall() if result.cursor is not None else []
    result.close()
    return rows


class Often:
    """A question compiled once and asked by the driver's own way: who is behind a request is asked at each, and costs a third of it so.

    Whatever goes wrong is asked once more in the common way, which knows what to make of it.
    """

    def __init__(self, database: Database, statement: Select[Any]) -> None:
        self._database, self._statement = database, statement
        dialect = database.readers.dialect
        self._asks = Prepared(statement, dialect)
        columns = list(statement.selected_columns)
        self._row: Any = namedtuple("Found", [column.key for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024  # named by the statement
        made = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._makes = [(at, make) for at, make in enumerate(made) if make is not None]

    def rows(self, parameters: Mapping[str, str]) -> Sequence[Any]:
        """Named by their columns."""
        if self._database.in_transaction():
            return self._database.rows(self._statement, parameters)
        line = None
        try:
            line = self._database.readers.raw_connection()
            cursor = line.cursor()
            cursor.execute(*self._asks.bound(parameters))
            found = cursor.fetchall()
            cursor.close()
        except (self._asks.fault, DBAPIError):
            if line is not None:
                line.invalidate()
            return self._database.rows(self._statement, parameters)
        finally:
            if line is not None:
                line.close()
        return [self._made(values) for values in found]

    def _made(self, values: tuple[Any, ...]) -> Any:
        made = list(values)
        for at, make in self._makes:
            made[at] = make(made[at])
        return self._row._make(made)


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

    @property
    def readers(self) -> Engine:
        return self._readers

    def _begin(self, *, single: bool) -> AbstractContextManager[Connection]:  # noqa: ARG002  # here it costs the same
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
    """Two pools: one writes, at read committed, and `alone` is an advisory lock that ends with the transaction; the other reads, one statement
    at a time and nothing around it, since a transaction around each and a look whether the line still stands are three more ways to the
    database and back, at every request.
    """

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        super().__init__()
        self._engine = create_engine(url, pool_size=24, max_overflow=0, hide_parameters=True)
        look_at_idle(self._engine)
        self._singles = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._readers = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=16,
            max_overflow=16,
            hide_parameters=True,
            pool_reset_on_return=None,
        )

    @property
    def engine(self) -> Engine:
        return self._engine

    @property
    def readers(self) -> Engine:
        return self._readers

    @contextmanager
    def _begin(self, *, single: bool) -> Iterator[Connection]:
        """A single change is a transaction by itself; and what is read before it, at read committed, is what would be read inside."""
        try:
            with self._singles.connect() if single else self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            self._translate(error)
            raise

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._readers.connect() as connection:
            yield connection

    def _reading(self, ask: Callable[[Connection], T]) -> T:
        """Once more where the line was dead: all others of the pool are thrown away with it, and to read twice changes nothing."""
        try:
            return super()._reading(ask)
        except Unavailable:
            return super()._reading(ask)

    def _insert_many(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def chain(self, texts: Sequence[str], binds: Binds = ()) -> Chain:
        """In one statement, on one way to the database and back."""
        return Chain([text(in_one_statement(texts))], binds, self.engine.dialect)

    def _lock(self, connection: Connection, key: str) -> None:
        if key:
            assert self._open.changes == inf, "a lock in a transaction of a single change"
            connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    def close(self) -> None:
        self._readers.dispose()
        self._engine.dispose()


def open_database(url: str) -> Database:
    """`sqlite:///PATH` or `postgresql://…`; the latter through psycopg 3."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(url.removeprefix("sqlite:///"))
    return PostgresDatabase(url.replace("postgresql://", "postgresql+psycopg://", 1))
