"""Points on both databases: once each, in order, exact; and outlines that agree with them, in whatever order they come."""

import math
import random

import pytest

from fabriek.adapters.database import Database
from fabriek.lab.metrics import Metric, Place, newest_first
from fabriek.lab.outlines import POINTS_OF_OUTLINE, Outline
from fabriek.lab.store_points import SqlPoints

RUN = "a" * 32


@pytest.fixture
def store(database: Database) -> SqlPoints:
    return SqlPoints(database)


def add(database: Database, store: SqlPoints, *metrics: Metric, run: str = RUN) -> None:
    with database.transaction():
        store.add({run: metrics})


def all_of(store: SqlPoints, key: str = "loss", run: str = RUN) -> list[Place]:
    known = store.one(run, key)
    return [] if known is None else list(store.history(known.id, limit=10**6))


def curve(count: int) -> list[Metric]:
    return [Metric("loss", math.sin(step / 50) * step, 1_000 + step, step) for step in range(count)]


def test_series_say_what_they_hold(database: Database, store: SqlPoints) -> None:
    add(database, store, Metric("loss", 2.0, 20, 2), Metric("loss", 9.0, 30, 1), Metric("acc", math.nan, 5, 0))
    acc, loss = store.series([RUN])[RUN]
    assert (loss.key, loss.count, loss.last, loss.end[:2]) == ("loss", 2, Metric("loss", 2.0, 20, 2), (30, 1))
    assert acc.count == 1
    assert math.isnan(acc.last.value)
    assert store.series(["b" * 32]) == {}
    assert store.one(RUN, "other") is None


def test_points_of_many_runs_are_kept_in_one_go(database: Database, store: SqlPoints) -> None:
    with database.transaction():
        store.add({f"{number:032x}": [Metric("loss", number / 7, 1, 0)] for number in range(700)})
    found = store.series([f"{number:032x}" for number in range(700)])
    assert [found[f"{number:032x}"][0].last.value for number in range(700)] == [number / 7 for number in range(700)]


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_order_points_come_in_they_stand_once_and_outlined(
    database: Database, store: SqlPoints, seed: int
) -> None:
    whole = curve(3 * POINTS_OF_OUTLINE + 100)
    chosen = random.Random(seed)  # noqa: S311  # an order, not a secret
    late = chosen.sample(whole, 300)
    for start in range(0, len(whole), 500):
        part = [one for one in whole[start : start + 500] if one not in late]
        add(database, store, *chosen.sample(part, len(part)))
        add(database, store, *part[:20])  # a client that tries again
    add(database, store, *late)
    places = [one.place for one in whole]
    assert all_of(store) == places
    known = store.one(RUN, "loss")
    assert known is not None
    assert (known.count, known.end, known.last.place) == (len(whole), places[-1], max(places, key=newest_first))
    outlines = list(store.outlines(known.id))
    covered = sum(one.count for one in outlines)
    assert covered >= 2 * POINTS_OF_OUTLINE
    start = 0
    for one in outlines:
        assert one == Outline.of(places[start : start + one.count])
        start += one.count


def test_a_history_goes_on_from_where_it_was_left(database: Database, store: SqlPoints) -> None:
    add(database, store, *(Metric("loss", float(step), 7, step) for step in range(50)))
    known = store.one(RUN, "loss")
    assert known is not None
    seen: list[Place] = []
    while page := store.history(known.id, limit=7, after=seen[-1] if seen else (-1, 0, 0)):
        seen += page
    assert seen == all_of(store)
    assert len(seen) == 50


def test_what_is_rolled_back_leaves_nothing(database: Database, store: SqlPoints) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction():
        store.add({RUN: [Metric("loss", 1.0, 1, 1)]})
        raise ZeroDivisionError
    assert all_of(store) == []
    add(database, store, Metric("loss", 1.0, 1, 1))
    assert len(all_of(store)) == 1
