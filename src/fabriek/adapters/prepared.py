"""Statements compiled once and run by the driver's own way inside of the open transaction: what happens at every job, thousands of times a
minute, costs a fifth of the common way so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError


class Prepared:
    """One statement. Parameters and results are plain values: what a column makes of them is done for parameters only."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        self._statement, self._given, self._text = statement, dialect, ""

    def _compile(self) -> None:
        """At its first use: an installation that starts waits for none."""
        statement, dialect = self._statement, self._given
        self._fault = dialect.loaded_dbapi.Error
        if dialect.paramstyle != "pyformat":  # as SQLite's driver takes a mapping
            dialect = type(dialect)(paramstyle="named")  # type: ignore[call-arg]  # every dialect takes it
        self._dialect = dialect
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # all that are given are clauses
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

    def _asked(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        if not self._text:
            self._compile()
        values = {**self._constants, **parameters}
        for name, make in self._makes:
            values[name] = make(values[name])
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        try:
            cursor.execute(self._text, values)
        except self._fault as error:
            gone = self._dialect.is_disconnect(error, driver, cursor)
            cursor.close()
            if gone:
                connection.invalidate(error)
            raise DBAPIError.instance(
                self._text,
                None,
                error,
                self._fault,
                hide_parameters=True,
                connection_invalidated=gone,
                dialect=self._dialect,
            ) from error
        return cursor
