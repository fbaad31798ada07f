"""One face, two dialects: what every store may rely on."""

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, bindparam, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from fabriek.adapters.database import Database
from fabriek.adapters.instants import Instant
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import InvalidInput
from tests.factories.threads import at_once

own = MetaData()
notes = Table(
    "notes", own, Column("id", Integer, primary_key=True), Column("text", String, unique=True), Column("at", Instant)
)


@pytest.fixture(autouse=True)
def _table(database: Database) -> None:
    own.create_all(database.engine)


def count(database: Database) -> int:
    return int(database.scalar(select(func.count()).select_from(notes)))


def write(database: Database, text: str) -> None:
    with database.transaction():
        database.execute(insert(notes).values(text=text))


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.execute(insert(notes).values(text="half"))
        raise ZeroDivisionError
    assert count(database) == 0


def test_what_the_database_cannot_hold_is_its_senders_mistake_and_no_fault(database: Database) -> None:
    if database.dialect == "sqlite":
        write(database, "a\0b")
        assert database.scalar(select(notes.c.text)) == "a\0b"
        return
    with pytest.raises(InvalidInput, match="NUL"):
        write(database, "a\0b")
    assert count(database) == 0


def test_an_inner_transaction_joins_and_only_the_outermost_commits(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction():
        write(database, "inner")
        assert count(database) == 1
        raise ZeroDivisionError
    assert count(database) == 0


def test_one_failed_body_does_not_take_its_neighbours_along(database: Database) -> None:
    def act(number: int) -> None:
        with database.transaction():
            database.execute(insert(notes).values(text=f"note {number}"))
            if number % 3 == 0:
                raise ZeroDivisionError

    at_once(act, times=12)
    assert count(database) == 8


def test_checking_and_writing_alone_never_overbooks(database: Database) -> None:
    def book(number: int) -> bool:
        with database.transaction(alone="chairs"):
            if count(database) >= 3:
                return False
            database.execute(insert(notes).values(text=f"chair {number}"))
            return True

    assert sum(outcome is True for outcome in at_once(book, times=12)) == 3
    assert count(database) == 3


def test_a_broken_rule_of_the_database_leaves_the_connection_usable(database: Database) -> None:
    write(database, "once")
    with pytest.raises(IntegrityError):
        write(database, "once")
    write(database, "twice")
    assert count(database) == 2


def test_instants_come_back_in_utc(database: Database) -> None:
    now = FakeClock().now()
    with database.transaction():
        database.execute(insert(notes).values(text="when", at=now))
    assert database.scalar(select(notes.c.at)) == now


def test_a_change_outside_a_transaction_is_a_bug(database: Database) -> None:
    with pytest.raises(AssertionError):
        database.execute(insert(notes).values(text="loose"))


def test_a_transaction_of_a_single_change_makes_one_and_no_second(database: Database) -> None:
    with database.transaction(single=True):
        assert count(database) == 0
        write(database, "inner")
        assert count(database) == 1
    with pytest.raises(AssertionError, match="second change"), database.transaction(single=True):
        write(database, "one")
        write(database, "two")
    write(database, "after")
    assert database.scalar(select(func.count()).where(notes.c.text == "two")) == 0


def test_a_single_change_that_fails_leaves_the_connection_usable(database: Database) -> None:
    write(database, "once")
    for _ in range(2):
        with pytest.raises(IntegrityError), database.transaction(single=True):
            write(database, "once")
    with database.transaction(single=True):
        write(database, "twice")
    with pytest.raises(ZeroDivisionError), database.transaction():
        write(database, "taken back")
        raise ZeroDivisionError
    assert count(database) == 2


def test_what_follows_an_insert_is_made_only_where_that_added_a_row(database: Database) -> None:
    chain = database.chain(
        [
            "insert into notes (id, text) values (:id, :first) on conflict (text) do nothing",
            "insert into notes (id, text, at) select :next, :second, :at where {added}",
        ],
        [bindparam(name, type_=BigInteger) for name in ("id", "next")] + [bindparam("at", type_=Instant)],
    )
    now = FakeClock().now()
    values = {"id": 1, "first": "a", "next": 2, "second": "b", "at": now}
    with database.transaction():
        assert database.follow(chain, values)
        assert not database.follow(chain, values | {"id": 3, "next": 4, "second": "c"})
    with pytest.raises(IntegrityError), database.transaction(single=True):
        database.follow(chain, values | {"id": 5, "first": "d", "next": 6})
    found = database.rows(select(notes).order_by(notes.c.id))
    assert [(row.id, row.text, row.at) for row in found] == [(1, "a", None), (2, "b", now)]


def test_what_is_committed_is_told_beside_a_transaction_that_has_failed(database: Database) -> None:
    write(database, "once")
    with pytest.raises(ZeroDivisionError), database.transaction():
        write(database, "twice")
        with pytest.raises(IntegrityError):
            write(database, "once")
        assert [row.text for row in database.aside(select(notes))] == ["once"]
        raise ZeroDivisionError


def test_what_waits_for_the_commit_does_not_run_when_there_is_none(database: Database) -> None:
    ran: list[str] = []
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.after_commit(lambda: ran.append("never"))
        raise ZeroDivisionError
    with database.transaction():
        database.after_commit(lambda: ran.append("after"))
        assert ran == []
    assert ran == ["after"]


def test_a_question_that_is_asked_often_answers_as_the_common_way_does(database: Database) -> None:
    asked = select(notes).where(notes.c.text == bindparam("said", ""))
    often, at = database.often(asked), FakeClock().now()
    with database.transaction():
        database.execute(insert(notes).values(text="here", at=at))
        assert [(row.text, row.at) for row in often.rows({"said": "here"})] == [("here", at)]
    assert [(row.text, row.at) for row in often.rows({"said": "here"})] == [("here", at)]
    assert often.rows({"said": "elsewhere"}) == []
    assert often.rows({"said": "' or 1=1 --"}) == []


def test_a_question_whose_table_is_away_fails_as_the_common_way_does(database: Database) -> None:
    often = database.often(select(notes).where(notes.c.text == bindparam("said", "")))
    own.drop_all(database.engine)
    with pytest.raises(DBAPIError):
        often.rows({"said": "here"})


@pytest.mark.postgres
def test_readers_go_on_after_every_line_was_cut(database: Database) -> None:
    if database.dialect != "postgresql":
        return
    often = database.often(select(notes).where(notes.c.text == bindparam("said", "")))
    write(database, "here")
    for _ in range(2):
        for read in (lambda: count(database), lambda: len(often.rows({"said": "here"}))):
            at_once(lambda _: count(database), times=6)
            with database.engine.connect() as other:
                cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
                other.execute(text(cut))
            assert read() == 1
