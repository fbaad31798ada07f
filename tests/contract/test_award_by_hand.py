"""Awarding by hand on both databases: in turn or with a reason that is kept, and by nobody who has a stake in it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.access.applying.applications import Application, ApplicationState
from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted, WrongState
from tests.factories.services import Town, a_town

ANSWERS = {"title": "A model", "summary": "x", "purpose": "civilian", "gpu_hours": 100, "months": "1", "data": "x"}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def waiting(town: Town, by: Caller, **answers: object) -> Application:
    intake = town.services.intake
    town.clock.move(timedelta(minutes=1))
    return intake.submit(intake.file("playground", ANSWERS | answers, by=by).id, by=by)


def state_of(town: Town, application: Application) -> ApplicationState:
    return town.services.intake.get(application.id, by=SYSTEM).state


def test_who_came_later_is_awarded_out_of_turn_only_with_a_reason_that_is_kept(town: Town) -> None:
    awarding, by = town.services.awarding, town.person("weefsel")
    first, second, later = waiting(town, by), waiting(town, by), waiting(town, by)
    with pytest.raises(WrongState, match=f"application {first.id} came before .* and 1 more") as refused:
        awarding.award(later.id, by=town.operator)
    assert f"fabriek funding award {later.id} --out-of-turn REASON" in refused.value.fix
    with pytest.raises(WrongState, match="came before"):
        awarding.award(later.id, share="nation", by=town.operator)
    with pytest.raises(InvalidInput):
        awarding.award(later.id, out_of_turn="  ", by=town.operator)
    assert town.services.funding.allocations(by=town.operator) == []
    awarding.award(later.id, out_of_turn="The instrument stands here for one week.", by=town.operator)
    assert state_of(town, later) is ApplicationState.AWARDED
    steps = town.services.reviewing.docket.cases.steps(later.id)
    (why,) = [one for one in steps if one.act == "out_of_turn"]
    assert "one week" in why.words
    assert first.id in why.words
    assert second.id in why.words
    (kept,) = [
        one for one in town.services.audit.events(by=town.operator, limit=100).items if one.action == "allocation.out_of_turn"
    ]  # fmt: skip
    assert (kept.subject, kept.person) == (later.id, town.operator.person)
    assert f'"first":"{first.id}"' in kept.facts
    assert '"passed_over":2' in kept.facts
    assert "week" not in kept.facts
    seen = town.services.reviewing.desk.history(later.id, by=town.again(by))
    assert "one week" not in repr(seen)  # for who judges, and not for applicants


def test_in_turn_no_reason_is_asked_and_one_of_another_share_waits_for_nothing(town: Town) -> None:
    awarding, by = town.services.awarding, town.person("weefsel")
    town.person("brussels", kind="funder")
    town.services.giving.contribute(
        "brussels",
        "eu",
        1_000_000,
        {"gpu_hour": 2_000, "cpu_hour": 50_000, "expert_hour": 50},
        name="europe",
        by=town.operator,
    )
    military = waiting(town, by, purpose="exclusively_military")
    civilian, last = waiting(town, by), waiting(town, by)
    with pytest.raises(WrongState, match=military.id):
        awarding.award(civilian.id, share="nation", by=town.operator)
    awarding.award(civilian.id, share="europe", by=town.operator)  # which pays for no military use
    awarding.award(military.id, by=town.operator)
    awarding.award(last.id, out_of_turn="nobody is before it", by=town.operator)
    assert not [one for one in town.services.reviewing.docket.cases.steps(last.id) if one.act == "out_of_turn"]


def test_an_awarder_with_a_stake_is_refused_by_the_rules_that_reviewers_are_held_to(town: Town) -> None:
    services, by = town.services, town.person("weefsel")
    along, team, excluded = (town.person(f"far-{one}", "operator") for one in "abc")
    draft = services.intake.file("playground", ANSWERS, by=by)
    services.intake.share(draft.id, along.person, by=by)
    filed = services.intake.submit(draft.id, by=by)
    docket = services.reviewing.docket
    address = services.access.person(team.person).email
    stored = replace(filed, answers={**filed.answers, "team": [address], "excluded_reviewers": [excluded.person]})
    with services.database.transaction():
        docket.applications.save(stored)
    colleague, partner = town.person("weefsel", "operator"), town.person("far-a", "operator")
    for rule, someone in {
        "conflict.organisation": colleague, "conflict.team": team, "conflict.partner": partner,
    }.items():  # fmt: skip
        with pytest.raises(NotPermitted) as refused:
            services.awarding.award(filed.id, out_of_turn="a friend", by=someone)
        assert refused.value.fields["rule"] == rule
    with pytest.raises(NotPermitted) as refused:
        services.awarding.award(filed.id, by=along)
    assert refused.value.fields["rule"] == "conflict.team"
    with pytest.raises(NotFound):  # whom the applicant excluded learns of nothing, that they were excluded either
        services.awarding.award(filed.id, by=excluded)
    assert state_of(town, filed) is ApplicationState.ELIGIBLE
    services.awarding.award(filed.id, by=town.operator)
    assert state_of(town, filed) is ApplicationState.AWARDED
