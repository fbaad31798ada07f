"""The queue for room in a share, on both databases: in order, once each, and nobody held up by what cannot be awarded at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.adapters.database import Database
from fabriek.funding.policy.store import SqlAwardTotals
from fabriek.funding.resources import Resource
from fabriek.funding.submitting import submit
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.kernel.units import MICRO
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

ANSWERS = {"title": "A model", "summary": "x", "purpose": "civilian", "gpu_hours": 100, "months": "1", "data": "x"}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def waiting(town: Town, by: Caller, **answers: object) -> Application:
    intake = town.services.intake
    return intake.submit(intake.file("playground", ANSWERS | answers, by=by).id, by=by)


def state_of(town: Town, application: Application) -> ApplicationState:
    return town.services.intake.get(application.id, by=SYSTEM).state


@pytest.mark.parametrize("broken", [{"purpose": "gone"}, {"purpose": None}, {"label_ceiling": "no-such-label"}])
def test_what_cannot_be_awarded_holds_up_neither_others_nor_the_round(
    town: Town, broken: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    applications, by = town.services.reviewing.docket.applications, town.person("weefsel")
    first, second = waiting(town, by), waiting(town, by)
    with town.services.database.transaction():
        applications.save(replace(first, answers={**first.answers, **broken}))
    assert town.services.awarding.award_waiting(by=SYSTEM) == 1
    assert [state_of(town, one) for one in (first, second)] == [ApplicationState.ELIGIBLE, ApplicationState.AWARDED]
    assert first.id in caplog.text
    assert town.services.awarding.award_waiting(by=SYSTEM) == 0


def test_a_part_of_an_hour_is_refused_in_the_form_and_never_cut_off_in_an_award(town: Town) -> None:
    applications, by = town.services.reviewing.docket.applications, town.person("weefsel")
    with pytest.raises(InvalidInput, match="gpu_hours: must be a whole number"):
        town.services.intake.file("playground", ANSWERS | {"gpu_hours": 99.5}, by=by)
    old = waiting(town, by)
    with town.services.database.transaction():  # as it could be filed before
        applications.save(replace(old, answers={**old.answers, "gpu_hours": 99.5}))
    with pytest.raises(InvalidInput, match="no whole number of hours"):
        town.services.awarding.award_short_route(old, by=SYSTEM)
    assert state_of(town, old) is ApplicationState.ELIGIBLE


def test_what_waits_no_more_is_not_awarded_again(town: Town) -> None:
    one = waiting(town, town.person("weefsel"))
    town.services.awarding.award_short_route(one, by=SYSTEM)
    with pytest.raises(WrongState, match="does not wait any more"):
        town.services.awarding.award_short_route(one, by=SYSTEM)
    assert len(town.services.funding.allocations(by=town.operator)) == 1


def test_a_submission_and_the_round_at_once_award_each_once(town: Town) -> None:
    intake, awarding, by = town.services.intake, town.services.awarding, town.person("weefsel")
    drafts = [intake.file("playground", ANSWERS | {"title": f"Model {number}"}, by=by).id for number in range(4)]

    def act(number: int) -> object:
        if number % 2:
            return awarding.award_waiting(by=SYSTEM)
        return submit(drafts[number // 2], intake, awarding, by=by)

    outcomes = at_once(act, times=8)
    assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
    awarding.award_waiting(by=SYSTEM)
    assert {intake.get(one, by=by).state for one in drafts} == {ApplicationState.AWARDED}
    assert len(town.services.funding.allocations(by=town.operator)) == 4


def test_an_organisation_at_its_own_cap_holds_up_nobody_whichever_share_would_pay(town: Town) -> None:
    """It waited for room in a share, and would have for ever, with everybody behind it."""
    town.person("europe", "funder", kind="funder")
    town.services.giving.contribute("europe", "eu", 1_000_000, {"gpu_hour": 500}, name="europe", by=town.operator)
    by = town.person("weefsel")
    today = town.clock.today()
    with town.services.database.transaction():
        SqlAwardTotals(town.services.database).add(
            by.organisation, "playground", today.year, Resource.GPU_HOUR, 5_000 * MICRO
        )
    first, second = waiting(town, by), waiting(town, town.person("dijken"))
    with pytest.raises(NotPermitted) as refused:
        town.services.awarding.award_short_route(first, by=SYSTEM)
    assert refused.value.fields["rule"] == "cap.playground_organisation"
    assert town.services.awarding.award_waiting(by=SYSTEM) == 1
    assert [state_of(town, one) for one in (first, second)] == [ApplicationState.ELIGIBLE, ApplicationState.AWARDED]
