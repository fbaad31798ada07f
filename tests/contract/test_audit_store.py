"""What every storage of the audit log does: the twin in memory, SQLite and PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from fabriek.adapters.database import Database
from fabriek.audit.log import Event, new_event
from fabriek.audit.ports import Events, Trees
from fabriek.audit.store import SqlEvents, SqlTrees
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import WrongState
from fabriek.kernel.ids import RandomIds
from fabriek.kernel.tlog.verify import Trust, verify
from tests.factories.audit import AUDITOR, SOMEBODY, MemoryEvents, MemoryTrees, an_audit, write
from tests.factories.tables import a_database
from tests.factories.threads import at_once


def an_event(number: int, subject: str = "job_1") -> Event:
    return new_event("job.submitted", subject, SOMEBODY, {"n": number}, event_id=f"evt_{number}", at=FakeClock().now())


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Events, Trees]]:
    if request.param == "memory":
        yield MemoryEvents(), MemoryTrees()
        return
    database = (
        a_database(tmp_path / "fabriek.db")
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_tables").lend()
    )
    yield SqlEvents(database), SqlTrees(database)
    database.close()


def test_an_event_comes_back_as_it_was_written(stores: tuple[Events, Trees]) -> None:
    events, _ = stores
    with events.transaction():
        events.add(an_event(1))
    assert [event for _, event in events.pending(10)] == [an_event(1)]


def test_pending_are_those_without_a_leaf_oldest_first(stores: tuple[Events, Trees]) -> None:
    events, _ = stores
    with events.transaction():
        for number in range(5):
            events.add(an_event(number))
    rows = [number for number, _ in events.pending(2)]
    assert events.last_leaf() == -1
    with events.transaction():
        events.give_leaves({rows[0]: 0, rows[1]: 1})
        events.give_leaves({})
    assert events.last_leaf() == 1
    assert [event.id for _, event in events.pending(10)] == ["evt_2", "evt_3", "evt_4"]
    assert [(leaf, event.id) for leaf, event in events.of_leaves(0, 10)] == [(0, "evt_0"), (1, "evt_1")]
    assert [leaf for leaf, _ in events.of_leaves(1, 2)] == [1]


def test_the_newest_come_first_from_a_place_on_and_narrowed(stores: tuple[Events, Trees]) -> None:
    events, _ = stores
    with events.transaction():
        for number in range(4):
            events.add(replace(an_event(number, f"job_{number % 2}"), person=f"per_{number}"))
    newest = events.newest(2)
    assert [event.id for _, event in newest] == ["evt_3", "evt_2"]
    assert [event.id for _, event in events.newest(10, before=newest[-1][0])] == ["evt_1", "evt_0"]
    assert [event.id for _, event in events.newest(10, subject="job_1")] == ["evt_3", "evt_1"]
    assert [event.id for _, event in events.newest(10, subject="job_1", person="per_1")] == ["evt_1"]


def test_a_tile_is_replaced_by_a_wider_one_and_a_checkpoint_by_a_newer(stores: tuple[Events, Trees]) -> None:
    events, trees = stores
    assert (trees.tile(0, 0), trees.checkpoint()) == (b"", "")
    for width in (1, 2):
        with events.transaction():
            trees.keep_tile(0, 0, bytes(32 * width))
            trees.keep_tile(1, 0, b"x" * 32)
            trees.keep_checkpoint(f"note {width}")
    assert (trees.tile(0, 0), trees.tile(1, 0), trees.checkpoint()) == (bytes(64), b"x" * 32, "note 2")


def test_a_leaf_is_given_once(database: Database) -> None:
    events = SqlEvents(database)
    with events.transaction():
        events.add(an_event(1))
        events.add(an_event(2))
    first, second = (number for number, _ in events.pending(2))
    with events.transaction():
        events.give_leaves({first: 0})
    with pytest.raises(IntegrityError), events.transaction():
        events.give_leaves({second: 0})
    with events.transaction():
        events.give_leaves({first: 9})
    assert [leaf for leaf, _ in events.of_leaves(0, 10)] == [0]


def test_an_event_is_lost_with_its_act(database: Database) -> None:
    audit = an_audit(database)

    def act_that_fails() -> None:
        with database.transaction():
            audit.record("job.submitted", "job_1", SOMEBODY)
            raise WrongState("no")

    with pytest.raises(WrongState):
        act_that_fails()
    assert audit.events(by=AUDITOR).items == []


def test_sequencers_at_once_beside_acts_number_every_event_once(database: Database) -> None:
    audit = an_audit(database, ids=RandomIds())

    def act(number: int) -> int:
        numbered = 0
        for _ in range(8):
            write(audit, 5, database)
            if number % 2:
                numbered += audit.sequence()
        return numbered

    outcomes = at_once(act, times=6)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    numbered = sum(one for one in outcomes if isinstance(one, int)) + audit.sequence()
    assert numbered == 6 * 8 * 5
    report = verify(audit.export(by=AUDITOR), Trust(audit.key), FakeClock().now())
    assert (report.findings, report.size) == ((), numbered + 1)
