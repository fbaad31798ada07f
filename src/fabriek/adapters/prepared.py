"""Statements compiled once and run by the driver's own way inside of the open transaction: what happens at every job, thousands of times a
minute, costs a fifth of the common way so.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Executable, TextClause, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.types import TypeEngine

Binds = Sequence[BindParameter[Any]]
"""Parameters with their types."""

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
        clause: Any = statement  # all that are given are clauses
        compiled = clause.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        made = {name: one.type.dialect_impl(dialect).bind_processor(dialect) for name, one in compiled.binds.items()}
        self._makes = [(name, make) for name, make in made.items() if make is not None]
        self._makes += [(name, _as_text) for name, one in compiled.binds.items() if _is_told_as_text(one.type, dialect)]
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
        gone = self._given.is_disconnect(error, driver, None)  # type: ignore[arg-type]
        if gone:
            connection.invalidate(error)
        made: Exception = DBAPIError.instance(
            self._text,
            None,
            error,
            self.fault,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=self._given,
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


def _is_told_as_text(kind: TypeEngine[Any], dialect: Dialect) -> bool:
    """A number whose kind the statement says itself: this driver would name it by its size, and each mixture of sizes would be a statement
    of its own to the server.
    """
    return isinstance(kind, BigInteger) and kind.dialect_impl(dialect).render_bind_cast


def _as_text(value: int | None) -> str | None:
    return None if value is None else str(value)


class Chain:
    """A change, and others that are made only where it touched a row. Where the dialect says all of it in one statement, there is one."""

    def __init__(self, texts: Sequence[TextClause], binds: Binds, dialect: Dialect) -> None:
        """binds: those that a text does not name are left out of it."""
        named = [(one, one.compile().params) for one in texts]
        typed = [one.bindparams(*(bind for bind in binds if bind.key in names)) for one, names in named]
        self._first, *self._then = [Prepared(one, dialect) for one in typed]

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> bool:
        """Whether the first touched a row."""
        touched = self._first.run(connection, parameters) > 0
        if touched:
            for one in self._then:
                one.run(connection, parameters)
        return touched


def in_one_statement(texts: Sequence[str]) -> str:
    """For a server that can. To count what one did before the next is what puts them in order."""
    first, *then = texts
    parts = [f"did_0 as ({first} returning 1)"]
    for at, one in enumerate(then):
        added = f"(select count(*) from did_{at}) > 0"  # noqa: S608  # ours
        parts.append(f"did_{at + 1} as ({one.format(added=added)} returning 1)")
    return f"with {', '.join(parts)} select 1 from did_0"  # noqa: S608  # ours


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
