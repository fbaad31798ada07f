"""A posting as the store writes it, on both databases: once by its key, nothing below zero, whoever else is at the same accounts."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from fabriek.adapters.database import Database
from fabriek.funding.ledger import AMOUNT_MAX, Kind, Posting, account, compose
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlLedger, entries, posted
from fabriek.funding.store_posting import LINES_AT_ONCE
from fabriek.kernel.errors import CreditsExhausted
from tests.factories.threads import at_once

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CPU = Resource.CPU_HOUR
GRANT, SHARE, OTHER = account(Kind.CONTRIBUTION, "c"), account(Kind.SHARE, "s"), account(Kind.SHARE, "t")


def moved(name: str, source: str, target: str, amount: int, *more: tuple[str, str, Resource, int]) -> Posting:
    return compose(f"led_{name}", f"key:{name}", [(source, target, CPU, amount), *more], NOW, "test")


def post(database: Database, *postings: Posting, single: bool = False) -> int:
    books = SqlLedger(database)
    with books.transaction(single=single):
        return books.post(*postings)


def stand(database: Database) -> Mapping[str, int]:
    """Balances that are not nothing; checked against the entries."""
    books = SqlLedger(database)
    kept = {name: amount for (name, _), amount in books.balances().items() if amount}
    sums = select(entries.c.account, func.sum(entries.c.amount_micro)).group_by(entries.c.account)
    assert kept == {name: int(amount) for name, amount in (tuple(row) for row in database.rows(sums)) if amount}
    assert not any(books.sums().values())
    return kept


def count_posted(database: Database) -> int:
    return int(database.scalar(select(func.count()).select_from(posted)))


@pytest.mark.parametrize("single", [False, True])
def test_a_posting_stands_once_however_often_it_is_told(database: Database, *, single: bool) -> None:
    grant = moved("grant", GRANT, SHARE, 10)
    assert [post(database, grant, single=single) for _ in range(3)] == [1, 0, 0]
    assert stand(database) == {GRANT: -10, SHARE: 10}
    found = SqlLedger(database).posting("led_grant")
    assert found == grant
    assert found.entries[0].at == NOW


@pytest.mark.parametrize("single", [False, True])
def test_what_would_bring_an_account_below_zero_leaves_no_trace(database: Database, *, single: bool) -> None:
    post(database, moved("grant", GRANT, SHARE, 10), single=single)
    for source, left in ((SHARE, 10), (OTHER, 0)):
        with pytest.raises(CreditsExhausted) as refused:
            post(database, moved("take", source, account(Kind.ALLOCATION, "a"), 11), single=single)
        assert refused.value.fields["left"] == left / 1_000_000
    assert stand(database) == {GRANT: -10, SHARE: 10}
    assert count_posted(database) == 1


def test_what_an_earlier_posting_of_the_transaction_brought_is_there_for_the_next(database: Database) -> None:
    assert post(database, moved("grant", GRANT, SHARE, 10), moved("on", SHARE, OTHER, 10)) == 2
    assert stand(database) == {GRANT: -10, OTHER: 10}


def test_of_many_at_once_only_as_many_succeed_as_there_is_credit_for(database: Database) -> None:
    post(database, moved("grant", GRANT, SHARE, 10))
    outcomes = at_once(lambda n: post(database, moved(f"take{n}", SHARE, OTHER, 3), single=n % 2 == 0), times=8)
    assert sorted(type(one).__name__ for one in outcomes) == ["CreditsExhausted"] * 5 + ["int"] * 3
    assert stand(database) == {GRANT: -10, SHARE: 1, OTHER: 9}
    assert count_posted(database) == 4


def test_who_waits_for_one_that_takes_too_much_is_refused(database: Database) -> None:
    """What it saw when it came was enough."""
    post(database, moved("grant", GRANT, SHARE, 10))
    outcomes: list[int | Exception] = []
    waits = threading.Thread(
        target=lambda: outcomes.extend(at_once(lambda _: post(database, moved("late", SHARE, OTHER, 5)), times=1))
    )
    books = SqlLedger(database)
    with books.transaction():
        books.post(moved("early", SHARE, OTHER, 8))
        waits.start()
        waits.join(0.3)
    waits.join()
    assert [type(one) for one in outcomes] == [CreditsExhausted]
    assert stand(database) == {GRANT: -10, SHARE: 2, OTHER: 8}
    assert count_posted(database) == 2


def test_the_same_act_told_by_many_at_once_stands_once(database: Database) -> None:
    post(database, moved("grant", GRANT, SHARE, 10))
    twins = [moved("take", SHARE, OTHER, 10) for _ in range(8)]
    outcomes = at_once(lambda n: post(database, twins[n], single=n % 2 == 0), times=8)
    assert sorted(outcomes, key=repr) == [0] * 7 + [1]
    assert stand(database) == {GRANT: -10, OTHER: 10}


def test_those_that_move_the_same_accounts_both_ways_do_not_wait_for_each_other_in_a_ring(database: Database) -> None:
    post(database, moved("one", GRANT, SHARE, 1_000), moved("two", GRANT, OTHER, 1_000))

    def back_and_forth(number: int) -> int:
        ways = [(SHARE, OTHER), (OTHER, SHARE)]
        return sum(post(database, moved(f"{number}-{turn}", *ways[(number + turn) % 2], 1)) for turn in range(10))

    assert at_once(back_and_forth, times=8) == [10] * 8
    assert stand(database) == {GRANT: -2_000, SHARE: 1_000, OTHER: 1_000}


def test_small_and_large_amounts_and_several_resources_go_together(database: Database) -> None:
    more = [(GRANT, OTHER, Resource.GPU_HOUR, AMOUNT_MAX), (GRANT, SHARE, Resource.TOKEN, 40_000)]
    post(database, moved("grant", GRANT, SHARE, 1, *more))
    balances = SqlLedger(database).balances()
    assert balances[OTHER, Resource.GPU_HOUR] == AMOUNT_MAX
    assert balances[SHARE, CPU] == 1
    assert balances[SHARE, Resource.TOKEN] == 40_000


def test_a_posting_of_many_lines_and_one_of_none_are_kept_too(database: Database) -> None:
    many = [(GRANT, account(Kind.SHARE, str(number)), CPU, 1) for number in range(LINES_AT_ONCE)]
    assert post(database, moved("many", GRANT, SHARE, 1, *many)) == 1
    assert post(database, compose("led_none", "key:none", [], NOW, "test")) == 1
    assert len(stand(database)) == LINES_AT_ONCE + 2
    assert SqlLedger(database).posting("led_none").entries == ()
