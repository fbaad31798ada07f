"""Charges that were wrong, on both databases: set right by counter-entries, as often as it takes, and by nobody who gains by it."""

import json
from datetime import date
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.audit.store import events
from fabriek.funding.correcting.service import Correcting
from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.ledger import AMOUNT_MAX
from fabriek.funding.reporting.rows import Row
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from tests.factories.bookkeeper import Bookkeeper
from tests.factories.metering import credits_of, give
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

GPU, TIB_HOUR = Resource.GPU_HOUR, Resource.TIB_HOUR


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


@pytest.fixture
def lead(town: Town) -> Caller:
    return town.person("weefsel")


@pytest.fixture
def slug(town: Town, lead: Caller) -> str:
    """A project of 10 GPU-hours of which one job used 4."""
    slug = town.project(lead, gpu_hours=10)
    project = town.services.access.project(slug)
    town.services.funding.hold(project.id, Purpose.CIVILIAN, GPU, 5 * MICRO, "job_1")
    town.services.funding.settle("job_1", 4 * MICRO)
    return slug


def correcting(town: Town) -> Correcting:
    return town.services.correcting


def correct(town: Town, used: int, named: str = "job_1", by: Caller | None = None) -> int:
    return correcting(town).correct(named, used, "the node failed", by=by or town.operator).stands


def left(town: Town, slug: str, resource: Resource = GPU) -> tuple[int, int]:
    """What is left and what was used, in micro-units."""
    found = credits_of(town, slug, resource)
    assert found is not None
    return found.left, found.used


def test_what_was_too_much_goes_back_and_what_was_missing_is_charged(town: Town, slug: str) -> None:
    assert correct(town, 1_500_000) == 1_500_000
    assert left(town, slug) == (8_500_000, 1_500_000)
    assert correct(town, 6 * MICRO) == 6 * MICRO  # above what was held: a person says so
    assert left(town, slug) == (4 * MICRO, 6 * MICRO)
    assert town.services.funding.balanced()


def test_a_correction_is_corrected_by_whatever_name_it_is_called(town: Town, slug: str) -> None:
    correct(town, 0)
    charge, project = correcting(town).charge("job_1", by=town.operator)
    assert (charge.stands, len(charge.corrections), project) == (0, 1, slug)
    assert correct(town, 3 * MICRO, named=charge.corrections[0]) == 3 * MICRO
    assert correct(town, 2 * MICRO, named=charge.transaction) == 2 * MICRO
    found, _ = correcting(town).charge("job_1", by=town.operator)
    assert (found.stands, len(found.corrections)) == (2 * MICRO, 3)
    assert left(town, slug) == (8 * MICRO, 2 * MICRO)


def test_eight_at_once_correct_it_once(town: Town, slug: str) -> None:
    outcomes = at_once(lambda _: correct(town, MICRO), times=8)
    assert sum(one == MICRO for one in outcomes) == 1
    assert {type(one) for one in outcomes if one != MICRO} == {WrongState}
    assert left(town, slug) == (9 * MICRO, MICRO)


def test_the_reason_is_kept_and_nothing_is_changed_without_one(town: Town, slug: str) -> None:
    for reason in ("", "  \n ", "x" * 501):
        with pytest.raises(InvalidInput):
            correcting(town).correct("job_1", 0, reason, by=town.operator)
    correct(town, 0)
    [kept] = town.services.database.rows(events.select().where(events.c.action == "funding.corrected"))
    facts = json.loads(kept.facts)
    assert (facts["was"], facts["becomes"]) == ("4", "0")
    charge, _ = correcting(town).charge("job_1", by=town.operator)
    [why] = correcting(town).why(charge, by=town.operator)
    assert (why.reason, why.person, why.transaction) == ("the node failed", town.operator.person, facts["correction"])


@pytest.mark.parametrize("used", [-1, AMOUNT_MAX + 1, 1.5, True])
def test_what_no_charge_can_be_is_refused(town: Town, slug: str, used: int) -> None:
    with pytest.raises(InvalidInput):
        correct(town, used)
    assert left(town, slug) == (6 * MICRO, 4 * MICRO)


def test_it_overdraws_nobody(town: Town, slug: str) -> None:
    with pytest.raises(CreditsExhausted):
        correct(town, 10 * MICRO + 1)
    assert left(town, slug) == (6 * MICRO, 4 * MICRO)


def test_nobody_without_the_right_and_nobody_for_their_own_project(town: Town, slug: str, lead: Caller) -> None:
    for one in (lead, town.person("nation-two", "funder")):
        with pytest.raises(NotPermitted):
            correct(town, 0, by=one)
        with pytest.raises(NotPermitted):
            correcting(town).charge("job_1", by=one)
    operator = town.person("weefsel", "operator")
    own = town.project(operator, gpu_hours=5)
    project = town.services.access.project(own)
    town.services.funding.hold(project.id, Purpose.CIVILIAN, GPU, MICRO, "job_own")
    town.services.funding.settle("job_own", MICRO)
    with pytest.raises(NotPermitted) as refused:
        correct(town, 0, named="job_own", by=town.again(operator))
    assert refused.value.fields["rule"] == "funding.correct_own"
    assert correct(town, 0, named="job_own") == 0


def test_what_charges_nobody_is_refused_with_the_way_that_sets_it_right(town: Town, slug: str) -> None:
    awarded = next(
        one
        for one in town.services.funding.entries(account_name="", limit=100, by=town.operator)
        if one.memo == "award"
    )
    with pytest.raises(WrongState):
        correct(town, 0, named=awarded.transaction)
    with pytest.raises(NotFound):
        correct(town, 0, named="led_nothing")


def test_a_reading_is_corrected_and_what_it_made_owed(town: Town, slug: str) -> None:
    give(town, slug, TIB_HOUR, 3)
    project = town.services.access.project(slug).id
    town.services.metering.book(project, Purpose.CIVILIAN, TIB_HOUR, 5 * MICRO, "shelf", town.clock.now())
    assert left(town, slug, TIB_HOUR) == (0, 5 * MICRO)
    owed = next(
        one.transaction
        for one in town.services.funding.entries(account_name="", limit=100, by=town.operator)
        if one.account.startswith("debt:")
    )
    with pytest.raises(InvalidInput):
        correct(town, -1, named=owed)
    assert correct(town, MICRO, named=owed) == MICRO  # 2 were owed
    assert correct(town, 2 * MICRO, named="shelf") == 2 * MICRO  # 3 were charged
    assert left(town, slug, TIB_HOUR) == (MICRO, 3 * MICRO)
    town.services.metering.pay_debts()
    assert left(town, slug, TIB_HOUR) == (0, 3 * MICRO)
    with pytest.raises(WrongState) as paid:
        correct(town, 0, named=owed)
    assert "paid since" in paid.value.detail
    assert town.services.funding.balanced()


def test_a_job_that_was_let_go_by_mistake_is_charged(town: Town, slug: str) -> None:
    project = town.services.access.project(slug)
    town.services.funding.hold(project.id, Purpose.CIVILIAN, GPU, 2 * MICRO, "job_2")
    town.services.funding.release("job_2")
    assert correct(town, MICRO, named="job_2") == MICRO
    assert left(town, slug) == (5 * MICRO, 5 * MICRO)


def test_a_correction_of_a_past_quarter_stands_apart_however_often_it_is_corrected(
    database: Database, tmp_path: Path
) -> None:
    keeper = Bookkeeper(a_town(database, tmp_path / "home"))
    keeper.use(keeper.award("a", 50), 10)
    [job] = {
        one.job for one in keeper.services.funding.entries(account_name="", limit=100, by=keeper.town.operator)
    } - {""}

    def rows(quarter: Quarter) -> tuple[int, int]:
        line = keeper.services.reporting.of_share("nation", quarter, by=keeper.town.operator).line(GPU)
        assert line is not None
        return line.rows[Row.USED] // MICRO, line.rows[Row.CORRECTED_USE] // MICRO

    correct(keeper.town, 8 * MICRO, named=job)
    assert rows(Quarter(2026, 4)) == (8, 0)
    keeper.to(date(2027, 1, 20))
    correct(keeper.town, 3 * MICRO, named=job)
    correct(keeper.town, 4 * MICRO, named=job)
    assert rows(Quarter(2026, 4)) == (8, 0)
    assert rows(Quarter(2027, 1)) == (0, -4)
