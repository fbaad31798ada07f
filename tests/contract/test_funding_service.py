"""Money, on both databases: what is held, charged and left, and that nobody overdraws."""

from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding.resources import Resource
from fabriek.kernel.errors import AlreadyExists, CreditsExhausted, InvalidInput, NotFound, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

GPU = Resource.GPU_HOUR


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def left(town: Town, slug: str) -> int:
    project = town.services.access.project(slug)
    return next(one.left for one in town.services.funding.left(project.id) if one.resource is GPU)


def hold(town: Town, slug: str, job: str, hours: int, purpose: Purpose = Purpose.CIVILIAN) -> object:
    project = town.services.access.project(slug)
    return town.services.funding.hold(project.id, purpose, GPU, hours * MICRO, job)


def test_sixty_four_at_once_on_a_budget_for_one_leave_one_holding(town: Town) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=10)
    outcomes = at_once(lambda number: hold(town, slug, f"job_{number}", 10), times=64)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert {type(one).__name__ for one in outcomes if isinstance(one, Exception)} == {"CreditsExhausted"}
    assert left(town, slug) == 0
    assert town.services.funding.balanced()


def test_a_hold_is_settled_once_and_the_rest_comes_back(town: Town) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=10)
    hold(town, slug, "job_1", 4)
    assert hold(town, slug, "job_1", 4) == hold(town, slug, "job_1", 4)
    town.services.funding.settle("job_1", 1 * MICRO)
    town.services.funding.settle("job_1", 3 * MICRO)
    town.services.funding.release("job_1")
    assert left(town, slug) == 9 * MICRO
    assert town.services.funding.balanced()


def test_use_above_the_hold_is_charged_at_the_hold(town: Town) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=10)
    hold(town, slug, "job_1", 4)
    town.services.funding.settle("job_1", 400 * MICRO)
    assert left(town, slug) == 6 * MICRO


def test_what_held_nothing_owes_nothing(town: Town) -> None:
    town.services.funding.settle("job_of_nobody", 5 * MICRO)
    assert town.services.funding.balanced()


def test_a_job_beyond_what_is_left_is_told_what_is_left(town: Town) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=10)
    with pytest.raises(CreditsExhausted) as refused:
        hold(town, slug, "job_1", 11)
    assert (refused.value.fields["left"], refused.value.fields["asked"], refused.value.fields["unit"]) == (
        10.0,
        11.0,
        "gpu_hour",
    )


def test_europes_share_pays_for_civilian_use_by_no_path_for_anything_else(town: Town) -> None:
    town.person("europe", "funder", kind="funder")
    hours = {"gpu_hour": 2_000, "cpu_hour": 50_000, "expert_hour": 50}
    town.services.giving.contribute("europe", "eu", 10, hours, name="europe", by=town.operator)
    applicant = town.person("weefsel")
    slug = town.project(applicant, gpu_hours=10)
    with pytest.raises(NotPermitted) as refused:
        hold(town, slug, "job_1", 1, Purpose.EXCLUSIVELY_MILITARY)
    assert refused.value.fields["rule"] == "purpose.eu_civilian_only"
    answers = {
        "title": "Armour",
        "summary": "x",
        "purpose": "exclusively_military",
        "gpu_hours": 1,
        "months": "1",
        "data": "x",
    }
    filed = town.services.intake.submit(town.services.intake.file("playground", answers, by=applicant).id, by=applicant)
    with pytest.raises(NotPermitted):
        town.services.awarding.award(filed.id, share="europe", by=town.operator)
    allocation, _ = town.services.awarding.award(filed.id, by=town.operator)
    names = {share.id: share.name for share in town.services.funding.shares()}
    assert names[allocation.share] == "nation"


def test_an_application_is_awarded_once_however_many_try(town: Town) -> None:
    applicant = town.person("weefsel")
    answers = {"title": "Once", "summary": "x", "purpose": "civilian", "gpu_hours": 5, "months": "1", "data": "x"}
    filed = town.services.intake.submit(town.services.intake.file("playground", answers, by=applicant).id, by=applicant)
    outcomes = at_once(lambda _: town.services.awarding.award(filed.id, by=town.operator), times=8)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, WrongState | AlreadyExists) for one in outcomes if isinstance(one, Exception)), outcomes
    assert town.services.funding.balanced()


def test_nobody_awards_their_own_application_and_an_applicant_may_not_award(town: Town) -> None:
    answers = {"title": "Mine", "summary": "x", "purpose": "civilian", "gpu_hours": 5, "months": "1", "data": "x"}
    own = town.person("weefsel", "operator")
    filed = town.services.intake.submit(town.services.intake.file("playground", answers, by=own).id, by=own)
    with pytest.raises(NotPermitted) as refused:
        town.services.awarding.award(filed.id, by=own)
    assert refused.value.fields["rule"] == "award.self"
    with pytest.raises(NotPermitted):
        town.services.awarding.award(filed.id, by=town.person("weefsel"))


def test_an_award_beyond_the_share_is_refused_and_leaves_nothing_behind(town: Town) -> None:
    applicant = town.person("weefsel")
    with pytest.raises(CreditsExhausted):
        town.project(applicant, gpu_hours=1_001)
    assert town.again(applicant).project_rights == {}
    assert town.services.funding.allocations(by=town.operator) == []
    assert town.services.funding.balanced()


def test_money_of_another_kind_wants_another_funder_and_words_are_checked(town: Town) -> None:
    with pytest.raises(WrongState):
        town.services.giving.contribute("factory", "eu", 1, {"gpu_hour": 1}, by=town.operator)
    with pytest.raises(InvalidInput):
        town.services.giving.contribute("factory", "gold", 1, {"gpu_hour": 1}, by=town.operator)
    with pytest.raises(InvalidInput):
        town.services.giving.contribute("factory", "national", 1, {"moon_hour": 1}, by=town.operator)
    for amount in (1.5, float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="no whole number of hours"):
            town.services.giving.contribute("factory", "national", 1, {"gpu_hour": amount}, by=town.operator)  # type: ignore[dict-item]
    with pytest.raises(NotFound):
        town.services.giving.contribute("nobody", "national", 1, {"gpu_hour": 1}, by=town.operator)
    with pytest.raises(NotPermitted):
        town.services.giving.contribute("factory", "national", 1, {"gpu_hour": 1}, by=town.person("weefsel"))


def test_the_table_accounts_for_every_hour(town: Town) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=100)
    hold(town, slug, "job_1", 30)
    town.services.funding.settle("job_1", 12 * MICRO)
    hold(town, slug, "job_2", 5)
    row = next(one for one in town.services.funding.table(by=town.operator) if one.resource is GPU)
    assert (row.granted, row.unawarded, row.unspent, row.held, row.used) == tuple(
        hours * MICRO for hours in (1000, 900, 83, 5, 12)
    )
