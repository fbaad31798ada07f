"""The one writer of SQLite, when the disk does not do as it should."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from fabriek.adapters.database import Database, open_database
from fabriek.adapters.groupcommit import BATCH_SECONDS, Writer
from fabriek.kernel.errors import StorageFull
from tests.factories.waiting import until

own = MetaData()
notes = Table("notes", own, Column("id", Integer, primary_key=True), Column("text", String))


def count(database: Database) -> int:
    return int(database.scalar(select(func.count()).select_from(notes)))


def write(database: Database, text: str) -> None:
    with database.transaction():
        database.execute(insert(notes).values(text=text))


def test_a_full_disk_is_said_and_passes(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/small.db")
    own.create_all(database.engine)
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
    with pytest.raises(StorageFull) as refused:
        write(database, "x" * 200_000)
    assert "full" in str(refused.value)
    write(database, "small")
    assert count(database) == 1
    database.close()


def test_who_came_first_does_not_wait_for_all_that_come_after(tmp_path: Path) -> None:
    writer = Writer(f"{tmp_path}/busy.db")
    first_is_durable = threading.Event()
    seen: list[bool] = []

    def second() -> None:
        with writer.body():
            seen.append(first_is_durable.wait(60))

    waiting = threading.Thread(target=second)
    with writer.body():
        waiting.start()
        until(lambda: writer._waiting == 1)
        threading.Event().wait(BATCH_SECONDS)
    first_is_durable.set()
    waiting.join()
    writer.close()
    assert seen == [True]
