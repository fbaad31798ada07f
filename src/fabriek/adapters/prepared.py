"""Statements compiled once and run by the driver's own way inside of the open transaction: what happens at every job, thousands of times a
minute, costs a fifth of the common way so.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError

IDLE_SECONDS = 1.0
"""A line that lay for longer is looked at before it is used: the server may have started again meanwhile. Looking each time is three ways to
the database and back, beside the four that a job's settlement takes.
"""


class Prepared:
    """One statement. Parameters and results are plain values: what a column makes of them is done for parameters only."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        self._statement, self._given, self._text = statement, dialect, ""

    def _compile(self) -> None:
        """At its first use: an installation that starts waits for none."""
        statement, dialect = self._statement, self._given
        if dialect.paramstyle != "pyformat":  # as SQLite's driver takes a mapping
            dialect = type(dialect)(paramstyle="named")  # type: ignore[call-arg]  # every dialect takes it
        self._dialect = dialect
        clause: Any = statement  # all that are given are clauses
        compiled = clause.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        made = {name: one.type.dialect_impl(dialect).bind_processor(dialect) for name, one in compiled.binds.items()}
        self._makes = [(name, make) for name, make in made.items() if make is not None]
        self._text = str(compiled)

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """How many rows it touched. Raises SQLAlchemy's error in place of the driver's."""
        cursor = self._asked(connection, parameters)
        touched = int(cursor.rowcount)
        cursor.close()
        return touched

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        cursor = self._asked(connection, parameters)
        found: Sequence[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
        return found

    @property
    def fault(self) -> type[Exception]:
        """What the driver raises."""
        made: type[Exception] = self._given.loaded_dbapi.Error
        return made

    def bound(self, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The text, and the values as the driver takes them."""
        if not self._text:
            self._compile()
        values = {**self._constants, **parameters}
        for name, make in self._makes:
            values[name] = make(values[name])
        return self._text, values

    def raised(self, connection: Connection, driver: Any, error: Exception) -> Exception:
        """The driver's error as SQLAlchemy would raise it, without the values; a line that is dead is thrown away."""
        gone = self._dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
        if gone:
            connection.invalidate(error)
        made: Exception = DBAPIError.instance(
            self._text,
            None,
            error,
            self.fault,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=self._dialect,
        )
        return made

    def _asked(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        text, values = self.bound(parameters)
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        try:
            cursor.execute(text, values)
        except self.fault as error:
            cursor.close()
            raise self.raised(connection, driver, error) from error
        return cursor


def run_together(connection: Connection, acts: Sequence[tuple[Prepared, Mapping[str, Any]]]) -> Sequence[int]:
    """Many on one way to the database and back, for a driver that can; how many rows each touched."""
    driver: Any = connection.connection.driver_connection
    cursors: list[Any] = []
    statement = acts[0][0]
    try:
        with driver.pipeline():
            for one, parameters in acts:
                cursors.append(driver.cursor())
                cursors[-1].execute(*one.bound(parameters))
        return [int(cursor.rowcount) for cursor in cursors]
    except statement.fault as error:
        raise statement.raised(connection, driver, error) from error
    finally:
        for cursor in cursors:
            cursor.close()


def look_at_idle(engine: Engine) -> None:
    """Lines of the pool that are dead are replaced before they are given out."""

    def put_back(_line: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    def take(line: Any, record: Any, _given: Any) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(line)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    event.listen(engine, "checkin", put_back)
    event.listen(engine, "checkout", take)
