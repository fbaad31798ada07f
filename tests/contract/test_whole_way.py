"""The large forms as they are, from the first answer to an award, on both databases: who judges finds in them what it looks for."""

from pathlib import Path

import pytest

from fabriek.access.applying.applications import ApplicationState
from fabriek.access.people import Person
from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotPermitted
from tests.factories.services import Town, a_town

SCORES = {"excellence": 4, "impact": 5, "implementation": 3}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return a_town(database, tmp_path / "home")


def answers_of(town: Town, call: str, **own: object) -> dict[str, object]:
    """The form filled in with its own examples."""
    fields = town.services.intake.calls.of(call).fields
    return {one.name: one.example for one in fields if one.example is not None} | {"partners": []} | own


def named(town: Town, caller: Caller) -> Person:
    return town.services.access.person(caller.person)


def someone(town: Town, name: str, organisation: str) -> Caller:
    town.services.access.create_organisation(
        organisation.title(), "university", "NL", slug=organisation, by=town.operator
    )
    return town.caller(
        town.services.access.invite(organisation, name, f"x@{organisation}.example", ["expert"], by=town.operator)
    )


@pytest.mark.parametrize(("call", "kind"), [("large-scale", "company"), ("science", "university")])
def test_a_filled_form_goes_all_the_way_and_who_is_named_in_it_does_not_judge_it(
    town: Town, call: str, kind: str
) -> None:
    services, applicant = town.services, town.person("applicants", kind=kind)
    reviewer, chair = town.person("desk", "reviewer"), town.person("funders", "funder", kind="funder")
    member, namesake = someone(town, "Ada Lovelace", "far"), someone(town, "Grace Hopper", "further")
    colleague, rival = someone(town, "Someone Else", "team-lab"), someone(town, "A. Rival", "other-lab")
    experts = [someone(town, f"Expert {number}", f"experts-{number}") for number in range(2)]
    team = [
        {"name": "Ada", "organisation": "Elsewhere", "role": "engineer", "email": named(town, member).email.upper()},
        {"name": "Grace Hopper", "organisation": "Team-Lab", "role": "engineer", "email": "grace@private.example"},
    ]
    excluded = [{"name": "a. rival", "organisation": "Other Lab", "reason": "We compete"}]
    filed = services.intake.file(call, answers_of(town, call, team=team, excluded_reviewers=excluded), by=applicant)
    app = services.intake.submit(filed.id, by=applicant)
    assert app.state is ApplicationState.ELIGIBLE, app.checks

    desk, panel = services.reviewing.desk, services.reviewing.panel
    seen = desk.view(app.id, by=reviewer)
    assert seen.case.clock.days == services.intake.calls.of(call).working_days
    offs = services.intake.calls.of(call).cut_offs
    assert offs is not None
    assert seen.case.round_at == offs.next_after(town.clock.now())
    assert seen.scaling is not None
    assert [(one.nodes, one.speed_up) for one in seen.scaling.lines] == [(1, 1.0), (2, 1.923), (4, 3.704)]
    assert seen.scaling.largest_efficient == 4

    desk.technical(app.id, "fits the machine", passed=True, by=reviewer)
    for rule, person in {
        "conflict.team": member, "conflict.partner": colleague, "conflict.excluded": rival,
    }.items():  # fmt: skip
        with pytest.raises(NotPermitted) as refused:
            panel.assign(app.id, person.person, by=reviewer)
        assert refused.value.fields["rule"] == rule
    with pytest.raises(NotPermitted):  # by name alone: the address in the form may be another of theirs
        panel.assign(app.id, namesake.person, by=reviewer)

    for one in experts:
        panel.assign(app.id, one.person, by=reviewer)
        panel.assess(app.id, SCORES, "Sound.", no_conflict=True, by=one)
    hours = {"gpu_hour": 100_000, "cpu_hour": 1, "expert_hour": 1}
    services.giving.contribute("factory", "national", 1, hours, by=town.operator)
    # Of the 24,000 node-hours that the form asks, with four GPUs each.
    assert app.answers["gpu_hours"] == 4 * app.answers["node_hours"] == 96_000
    services.reviewing.committee.decide(app.id, "award", "good", by=chair)
    awarded = services.intake.get(app.id, by=applicant)
    assert awarded.state is ApplicationState.AWARDED
    granted = {one.resource: one.granted for one in services.funding.left(awarded.project)}
    assert granted["gpu_hour"] == 96_000 * 1_000_000  # type: ignore[index]
    ceiling = str(services.access.project(awarded.project).label_ceiling)
    assert ceiling == app.answers["label_ceiling"]
