"""Storage and tokens in the ledger, on both databases: each hour once, whoever reads it, and debts paid first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from fabriek.access.store import projects
from fabriek.adapters.database import Database
from fabriek.compute.serving.keys import Answered
from fabriek.funding import ledger
from fabriek.funding.ledger import Kind, account
from fabriek.funding.metering.readings import TIB
from fabriek.funding.metering.service import Metering
from fabriek.funding.resources import Resource
from fabriek.funding.store import SqlAllocations, SqlLedger
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotAuthenticated, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from fabriek.worker.crediting import Crediting
from tests.factories.duties import a_science_project
from tests.factories.metering import credits_of, give, stored, used
from tests.factories.services import Town, a_town
from tests.factories.serving import FILES, Counter, a_counter
from tests.factories.threads import at_once
from tests.factories.vault import fill

TIB_HOUR, TOKEN = Resource.TIB_HOUR, Resource.TOKEN


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


@pytest.fixture
def counter(database: Database, tmp_path: Path) -> Iterator[Counter]:
    with a_counter(database, tmp_path / "home") as made:
        made.register("smol", FILES)
        yield made


class Shelf:
    """A project, and how many bytes it is said to hold: a TiB is not pushed in a test."""

    def __init__(self, town: Town) -> None:
        person = town.person("weefsel")
        self.town, self.slug = town, town.project(person)
        self.by = town.again(person)
        self.project = town.services.access.project(self.slug).id
        self.held = {self.project: 0}
        metering = town.services.metering
        metering._held = lambda: dict(self.held)
        self.metering: Metering = metering

    def after(self, hours: float, held: float | None = None) -> int:
        """So many hours later it holds so many TiB, and is read; TiB-hours used in all, in micro-units."""
        self.town.clock.move(timedelta(hours=hours))
        if held is not None:
            self.held[self.project] = int(held * TIB)
        self.metering.read_storage()
        return used(self.town, self.slug, TIB_HOUR)


def book(shelf: Shelf, amount: int, key: str = "k", at: datetime | None = None, what: Resource = TIB_HOUR) -> object:
    when = at or shelf.town.clock.now()
    return shelf.metering.book(shelf.project, Purpose.CIVILIAN, what, amount, key, when)


def test_a_tib_for_an_hour_is_a_tib_hour(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 100)
    assert shelf.after(0, held=1) == 0
    assert shelf.after(1) == MICRO
    assert shelf.after(0.5) == MICRO  # it is not time yet
    assert shelf.after(0.5) == 2 * MICRO
    assert town.services.funding.balanced()


def test_two_days_without_a_worker_lose_no_hour_and_are_cut_at_midnight(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 100)
    shelf.after(0, held=1)
    assert shelf.after(50) == 50 * MICRO
    found = shelf.metering.readings(shelf.slug, limit=10, by=shelf.by)
    assert len(found) == 3
    assert sum(one.amount_micro for one in found) == 50 * MICRO


def test_workers_that_read_at_once_book_each_hour_once(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 100)
    shelf.after(0, held=1)
    town.clock.move(timedelta(hours=2))
    outcomes = at_once(lambda _: shelf.metering.read_storage(), times=8)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert used(town, shelf.slug, TIB_HOUR) == 2 * MICRO


def test_the_worker_reads_settles_and_pays_when_it_is_time(town: Town) -> None:
    shelf, meter = Shelf(town), Crediting(town.services)
    first = give(town, shelf.slug, TIB_HOUR, 1)
    shelf.held[shelf.project] = TIB
    assert meter.round()
    assert meter.beside.wait()
    assert not meter.round()
    town.clock.move(timedelta(hours=3))
    assert meter.round()
    meter.beside.wait()
    found = credits_of(town, shelf.slug, TIB_HOUR)
    assert found is not None
    assert (found.used, found.owed) == (3 * MICRO, 2 * MICRO)
    assert give(town, shelf.slug, TIB_HOUR, 5) == first
    town.clock.move(timedelta(minutes=2))
    assert meter.round()
    meter.beside.wait()
    found = credits_of(town, shelf.slug, TIB_HOUR)
    assert found is not None
    assert (found.used, found.owed, found.left) == (3 * MICRO, 0, 3 * MICRO)
    meter.beside.close()


def test_nobody_pays_for_bytes_that_may_not_have_been_there(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 100)
    shelf.after(0, held=1)
    assert shelf.after(2, held=5) == 2 * MICRO
    assert shelf.after(2, held=0) == 2 * MICRO
    assert shelf.after(48, held=5) == 2 * MICRO


def test_a_clock_that_goes_back_books_nothing_twice(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 100)
    shelf.after(0, held=1)
    assert shelf.after(4) == 4 * MICRO
    town.clock.move(timedelta(hours=-2))
    assert shelf.after(0) == 4 * MICRO
    assert shelf.after(3) == 5 * MICRO


def test_hours_are_exact_however_small_what_is_kept(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 100)
    shelf.held[shelf.project] = 2**40 // 7_000_000
    shelf.metering.read_storage()
    for _ in range(70):
        town.clock.move(timedelta(hours=1))
        shelf.metering.read_storage()
    assert used(town, shelf.slug, TIB_HOUR) == 70 * 3600 * (2**40 // 7_000_000) * MICRO // (TIB * 3600)


def test_installations_that_there_are_go_on_until_projects_could_ask(town: Town) -> None:
    shelf = Shelf(town)
    shelf.after(0, held=50)
    assert shelf.after(1000) == 0
    assert shelf.metering.readings(shelf.slug, limit=1, by=shelf.by) == []


def test_without_an_award_what_is_free_is_free_and_the_rest_is_owed(town: Town) -> None:
    town.clock.move(timedelta(days=230))
    shelf = Shelf(town)
    shelf.after(0, held=0.1)
    assert shelf.after(1000) == 0
    assert shelf.metering.readings(shelf.slug, limit=1, by=shelf.by) == []
    assert shelf.after(0, held=1.1) == 0
    shelf.after(1)
    shelf.after(1)
    found = credits_of(town, shelf.slug, TIB_HOUR)
    assert found is not None
    assert (found.granted, found.left) == (0, 0)
    assert found.owed == found.used == pytest.approx(MICRO, abs=2)
    (newest, *_) = shelf.metering.readings(shelf.slug, limit=9, by=shelf.by)
    assert newest.owed_micro == newest.amount_micro == pytest.approx(MICRO, abs=2)


def test_one_project_that_cannot_be_booked_keeps_no_other_from_it(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 10)
    shelf.held["prj_0"] = TIB  # of a project that there is not
    shelf.after(0, held=1)
    assert shelf.after(2) == 2 * MICRO
    assert "prj_0 cannot be booked" in caplog.text


def test_what_an_allocation_lacks_is_owed_and_paid_first_out_of_what_comes(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 2)
    shelf.after(0, held=1)
    shelf.after(5)
    found = credits_of(town, shelf.slug, TIB_HOUR)
    assert found is not None
    assert (found.granted, found.left, found.used, found.owed) == (2 * MICRO, 0, 5 * MICRO, 3 * MICRO)
    give(town, shelf.slug, TIB_HOUR, 10)
    assert shelf.metering.pay_debts() == 1
    assert shelf.metering.pay_debts() == 0
    shelf.metering.pay(shelf.project)
    found = credits_of(town, shelf.slug, TIB_HOUR)
    assert found is not None
    assert (found.granted, found.left, found.used, found.owed) == (12 * MICRO, 7 * MICRO, 5 * MICRO, 0)
    assert town.services.funding.balanced()


def test_a_debt_is_paid_once_by_however_many_pay_it(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 1)
    book(shelf, 4 * MICRO)
    give(town, shelf.slug, TIB_HOUR, 10)
    at_once(lambda _: shelf.metering.pay(shelf.project), times=8)
    found = credits_of(town, shelf.slug, TIB_HOUR)
    assert found is not None
    assert (found.left, found.owed, found.used) == (7 * MICRO, 0, 4 * MICRO)


def test_a_reading_is_booked_once_and_never_with_another_amount(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 10)
    first = book(shelf, MICRO)
    assert book(shelf, MICRO) == first
    outcomes = at_once(lambda _: book(shelf, MICRO), times=8)
    assert all(one == first for one in outcomes)
    with pytest.raises(WrongState, match="booked with 1 TiB-hour"):
        book(shelf, 2 * MICRO)
    assert used(town, shelf.slug, TIB_HOUR) == MICRO


def test_a_late_reading_is_charged_to_the_day_on_which_it_was(town: Town) -> None:
    shelf = Shelf(town)
    give(town, shelf.slug, TIB_HOUR, 10)
    day = town.clock.now()
    town.clock.move(timedelta(days=60))  # its allocation has ended
    book(shelf, MICRO, at=day)
    found = shelf.metering.readings(shelf.slug, limit=1, by=shelf.by)[0]
    assert (found.charged_micro, found.owed_micro, found.over_micro) == (MICRO, 0, 0)


@pytest.mark.parametrize("amount", [-MICRO, 2**63])
def test_no_reading_mints_credits_or_overflows(town: Town, amount: int) -> None:
    shelf = Shelf(town)
    with pytest.raises(InvalidInput):
        book(shelf, amount)
    with pytest.raises(InvalidInput, match="not come yet"):
        book(shelf, 1, at=town.clock.now() + timedelta(seconds=1))


def test_before_anything_was_ever_awarded_a_reading_is_owed_by_nobody(town: Town) -> None:
    shelf = Shelf(town)
    made = shelf.metering.book(
        shelf.project, Purpose.CIVILIAN, TIB_HOUR, MICRO, "early", datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert (made.charged_micro, made.owed_micro, made.over_micro) == (0, 0, MICRO)
    assert town.services.funding.balanced()


def test_who_is_no_member_sees_no_reading(town: Town) -> None:
    shelf = Shelf(town)
    with pytest.raises(NotPermitted):
        shelf.metering.readings(shelf.slug, limit=1, by=town.person("elders"))


def test_sealed_bytes_count_what_versions_use_and_once(town: Town) -> None:
    person = town.person("weefsel")
    slug = town.project(person)
    by, vault = town.again(person), town.services.vault
    project = town.services.access.project(slug).id
    vault.create(slug, "d", label="open", by=by)
    held = town.services.metering._held
    assert held().get(project, 0) == 0
    version = push(town, slug, {"a": b"x" * 5_000, "b": b"y" * 7_000}, by)
    first = held()[project]
    assert 12_000 < first < 20_000
    push(town, slug, {"a": b"x" * 5_000}, by)
    assert held()[project] > first + 5_000
    vault.remove_version(f"d@{version}", project=slug, by=by)
    assert 5_000 < held()[project] < 12_000


def push(town: Town, slug: str, files: dict[str, bytes], by: Caller) -> int:
    upload = town.services.vault.open_upload(slug, "d", label="", by=by)
    return fill(town.services, upload, files, by=by).number


def callers(counter: Counter) -> tuple[str, str, str]:
    """Another project of the one who serves; a key that calls for it, and its secret."""
    shop = counter.shop
    other = shop.town.project(shop.person)
    shop.person = shop.town.again(shop.person)
    made, secret = shop.town.services.serving.create_key(
        shop.project, "smol", budget="1M tokens", days=30, paid_by=other, by=shop.person
    )
    assert made.payer == shop.town.services.access.project(other).id
    return other, made.id, secret


def test_tokens_are_paid_by_the_project_for_which_a_key_calls_and_by_no_other(counter: Counter) -> None:
    town, admitting = counter.town, counter.town.services.admitting
    counter.running(counter.serve())
    other, key, _ = callers(counter)
    own, _ = counter.key(budget="1M tokens")
    give(town, other, TOKEN, 1_000)
    give(town, counter.shop.project, TOKEN, 1_000)
    for _ in range(3):
        admitting.count(key, Answered(30, 12))
        admitting.count(own, Answered(500, 500))
    assert admitting.settle_tokens() == 1
    assert admitting.settle_tokens() == 0
    admitting.count(key, Answered(1, 1))
    outcomes = at_once(lambda _: admitting.settle_tokens(), times=6)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert used(town, other, TOKEN) == 128 * MICRO
    assert used(town, counter.shop.project, TOKEN) == 0


def test_who_has_spent_its_tokens_is_refused_the_next_call_until_more_come(counter: Counter) -> None:
    town, admitting, shop = counter.town, counter.town.services.admitting, counter.shop
    counter.running(counter.serve())
    other, key, secret = callers(counter)
    admitting.admit(secret, shop.project, "smol")  # none was ever awarded: it goes on as before
    admitting.count(key, Answered(5, 5))
    admitting.settle_tokens()
    give(town, other, TOKEN, 100)
    admitting.admit(secret, shop.project, "smol")
    admitting.count(key, Answered(100, 50))
    admitting.settle_tokens()
    with pytest.raises(CreditsExhausted, match="tokens of this project are spent"):
        admitting.admit(secret, shop.project, "smol")
    found = credits_of(town, other, TOKEN)
    assert found is not None
    assert (found.used, found.owed) == (150 * MICRO, 50 * MICRO)
    give(town, other, TOKEN, 100)
    town.services.metering.pay_debts()
    admitting.admit(secret, shop.project, "smol")
    found = credits_of(town, other, TOKEN)
    assert found is not None
    assert (found.left, found.owed) == (50 * MICRO, 0)


def test_nobody_has_a_project_pay_in_which_they_do_not_work(counter: Counter) -> None:
    shop = counter.shop
    counter.running(counter.serve())
    strange = shop.town.project(shop.town.person("elders"))
    with pytest.raises(NotPermitted):
        shop.town.services.serving.create_key(
            shop.project, "smol", budget="1M tokens", days=30, paid_by=strange, by=shop.person
        )


def test_a_key_ends_with_its_persons_time_in_the_project_that_pays(counter: Counter) -> None:
    town, shop = counter.town, counter.shop
    counter.running(counter.serve())
    lead = town.person("elders")
    other = town.project(lead)
    lead = town.again(lead)
    town.services.access.add_member(other, shop.person.person, "member", by=lead)
    shop.person = town.again(shop.person)
    made, secret = town.services.serving.create_key(
        shop.project, "smol", budget="1M tokens", days=30, paid_by=other, by=shop.person
    )
    town.services.admitting.admit(secret, shop.project, "smol")
    town.services.access.remove_member(other, shop.person.person, by=lead)
    with pytest.raises(NotAuthenticated):
        town.services.admitting.admit(secret, shop.project, "smol")
    assert made.payer
    assert stored(town, other) is None


def test_what_was_used_for_something_else_is_not_paid_by_money_that_may_not(database: Database, tmp_path: Path) -> None:
    """A project that was dual-use owes; civilian since, it is given credits of Europe's share."""
    town = a_town(database, tmp_path / "home")
    services = town.services
    slug, owing = a_science_project(town, town.person("uni"), purpose="dual_use")
    project = services.access.project(slug).id
    services.metering.book(project, Purpose.DUAL_USE, TIB_HOUR, 5 * MICRO, "storage:x", town.clock.now())
    with database.transaction():
        database.execute(update(projects).where(projects.c.id == project).values(purpose="civilian"))
    town.person("brussels", kind="funder")
    _, share = services.giving.contribute("brussels", "eu", 1, {"tib_hour": 100}, name="eu", by=town.operator)
    books, kept = SqlLedger(database), SqlAllocations(database)
    given = replace(kept.get(owing), id="alc_eu", share=share.id, application="app_2", purpose=Purpose.CIVILIAN)
    with database.transaction():
        kept.add(given)
        amounts = {TIB_HOUR: 50 * MICRO}
        books.post(ledger.award("led_b", share.id, given.id, amounts, town.clock.now(), left={TIB_HOUR: 100 * MICRO}))
    services.metering.pay_debts()
    assert books.balance(account(Kind.USAGE, given.id), TIB_HOUR) == 0
    assert books.balance(account(Kind.DEBT, owing), TIB_HOUR) == -5 * MICRO
