"""One SQLite writer shared by many threads, with one fsync for all that arrive together.

Bodies run one after another as savepoints of a batch. Whoever finds nobody waiting commits the batch; the others wait for that
commit, so that no body returns before its writes are on the disk. A failed fsync makes the writer refuse for good: after it, the
kernel may have dropped the very pages that were to be kept, and only a restart reads the truth back.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import StaticPool, create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from fabriek.kernel.errors import FabriekError, StorageFull, Unavailable

BATCH_MAX = 64
"""Bodies in a batch."""

BATCH_SECONDS = 0.01
"""How long bodies may join a batch: the first of them waits for the last. Where the disk takes longer than this, as long as the disk takes,
since nobody would have their answer sooner.
"""

_CHECK_SECONDS = 0.25


class _Batch:
    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.done = threading.Event()
        self.error: FabriekError | None = None
        self.kept = 0


class Writer:
    """The one connection that writes to a SQLite file."""

    def __init__(self, path: str) -> None:
        self.engine: Engine = create_engine(
            f"sqlite:///{path}",
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": 30},
        )
        event.listen(self.engine, "connect", _prepare)
        self._connection = self.engine.connect()
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._batch: _Batch | None = None
        self._refusal = ""
        self._commit_seconds = 0.0

    @contextmanager
    def body(self) -> Iterator[Connection]:
        """Runs the body in its turn; returns when it is durable. Raises StorageFull or Unavailable when it could not be kept."""
        self._take_turn()
        try:
            batch = self._join_batch()
        except BaseException:
            self._turn.release()
            raise
        try:
            yield self._connection
        except BaseException:
            self._undo(batch)
            self._pass_on(batch)
            raise
        try:
            self._connection.exec_driver_sql("RELEASE body")
            batch.kept += 1
        except DBAPIError as error:
            self._fail(batch, error)
        self._pass_on(batch)
        self._wait_until_durable(batch)

    def close(self) -> None:
        with self._turn:
            self._connection.close()
            self.engine.dispose()

    def _take_turn(self) -> None:
        with self._counting:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._waiting -= 1

    def _join_batch(self) -> _Batch:
        if self._refusal:
            raise Unavailable(self._refusal, fix="check the disk, then restart the server", retry_after_seconds=60)
        if self._batch is None:
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._batch = _Batch()
        self._connection.exec_driver_sql("SAVEPOINT body")
        return self._batch

    def _undo(self, batch: _Batch) -> None:
        """Takes back one body. Some errors make SQLite roll the whole batch back: then all of it failed."""
        try:
            self._connection.exec_driver_sql("ROLLBACK TO body")
            self._connection.exec_driver_sql("RELEASE body")
        except DBAPIError as error:
            self._fail(batch, error)

    def _pass_on(self, batch: _Batch) -> None:
        """Leaves the batch open for whoever waits, or commits it. Called with the turn held; gives it back."""
        with self._counting:
            others = self._waiting
        if self._batch is batch and (others == 0 or self._is_whole(batch)):
            self._commit(batch)
        self._turn.release()

    def _is_whole(self, batch: _Batch) -> bool:
        age = time.monotonic() - batch.begun
        return batch.kept >= BATCH_MAX or age >= max(BATCH_SECONDS, self._commit_seconds)

    def _commit(self, batch: _Batch) -> None:
        begun = time.monotonic()
        try:
            self._connection.exec_driver_sql("COMMIT" if batch.kept else "ROLLBACK")
        except DBAPIError as error:
            self._fail(batch, error)
            return
        self._commit_seconds = time.monotonic() - begun
        self._batch = None
        batch.done.set()

    def _fail(self, batch: _Batch, error: DBAPIError) -> None:
        reason = error.orig
        name = getattr(reason, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            batch.error = StorageFull("the disk of the database is full", fix="free some space; nothing was lost")
        else:
            if name.startswith("SQLITE_IOERR"):
                self._refusal = f"the database is read-only since the disk refused a write ({name})"
            batch.error = Unavailable(
                f"the database could not keep the change ({reason})", fix="fabriek doctor", retry_after_seconds=5
            )
        self._batch = None
        driver = self._connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection) and driver.in_transaction:
            try:
                driver.execute("ROLLBACK")
            except sqlite3.Error as second:
                self._refusal = f"the database is read-only since it could not roll back ({second})"
        batch.done.set()

    def _wait_until_durable(self, batch: _Batch) -> None:
        while not batch.done.wait(_CHECK_SECONDS):
            # The one we left the batch to may have given up before its turn came: then it falls to us.
            if self._turn.acquire(blocking=False):
                if self._batch is batch:
                    self._commit(batch)
                self._turn.release()
        if batch.error is not None:
            raise batch.error


PREPARED = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "secure_delete=ON")
"""What is deleted is zeroed in the file, and so in copies of it: whether it is by default is up to who built SQLite."""


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in PREPARED:
        connection.execute(f"PRAGMA {pragma}")
