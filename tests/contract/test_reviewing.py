"""An application judged from its submission to its award, on both databases: every step in turn, none skipped, and nobody with a stake."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from fabriek.access.applying.applications import ApplicationState, move
from fabriek.access.reviewing.desk import View
from fabriek.access.reviewing.reception import Reception
from fabriek.access.store import people
from fabriek.adapters.database import Database
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import (
    AlreadyExists,
    CreditsExhausted,
    FabriekError,
    InvalidInput,
    NotFound,
    NotPermitted,
    WrongState,
)
from fabriek.kernel.purposes import Purpose
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

ANSWERS = {"title": "A model", "summary": "x", "purpose": "civilian", "gpu_hours": 100, "months": "1", "data": "x"}
SCORES = {"excellence": 4, "impact": 5, "implementation": 3}


class Jury:
    """A town whose playground goes by a committee, with its people."""

    def __init__(self, town: Town) -> None:
        self.town, self.review = town, town.services.reviewing
        self.applicant = town.person("weefsel")
        self.reviewer = town.person("desk", "reviewer")
        self.experts = [town.person(f"university-{number}", "expert", kind="university") for number in range(3)]
        self.chair = town.person("funders", "funder", kind="funder")

    def submitted(self, by: Caller | None = None, **answers: object) -> str:
        intake, by = self.town.services.intake, by or self.applicant
        return intake.submit(intake.file("playground", ANSWERS | answers, by=by).id, by=by).id

    def with_experts(self, count: int = 2) -> str:
        app = self.submitted()
        self.review.desk.technical(app, "fits the machine", passed=True, by=self.reviewer)
        for one in self.experts[:count]:
            self.review.panel.assign(app, one.person, by=self.reviewer)
        return app

    def assess(self, app: str, number: int, text: str = "Sound.") -> None:
        self.review.panel.assess(app, SCORES, text, no_conflict=True, by=self.experts[number])

    def before_committee(self) -> str:
        app = self.with_experts()
        self.assess(app, 0)
        self.assess(app, 1)
        return app

    def state(self, app: str) -> ApplicationState:
        return self.review.docket.applications.get(app).state

    def see(self, app: str, by: Caller) -> View:
        return self.review.desk.view(app, by=by)


def by_committee(room: Path, extra: str = "", *, signed_above: int = 200_000) -> dict[str, Any]:
    """Settings of a factory whose playground goes by a committee: its call and the rules of review, as an operator would change them."""
    folder, rules = room / "calls", room / "terms.toml"
    folder.mkdir(exist_ok=True)
    text = shipped("fabriek.access.applying", "playground.toml").replace(
        'decided_by = "automatic"\n', 'decided_by = "experts"\nexperts_min = 2\n'
    )
    text = text.replace("working_days = 2\n", "working_days = 10\n")
    (folder / "playground.toml").write_text(text.replace("[amounts]", extra + "\n[amounts]", 1))
    said = shipped("fabriek.access.reviewing", "terms.toml")
    rules.write_text(said.replace("second_signature_above = 200000", f"second_signature_above = {signed_above}"))
    return {"calls": folder, "review_terms": rules}


@pytest.fixture
def jury(database: Database, tmp_path: Path) -> Jury:
    return Jury(a_town(database, tmp_path / "home", **by_committee(tmp_path)))


def refused_by(rule: str, act: object) -> None:
    with pytest.raises(NotPermitted) as refused:
        act()  # type: ignore[operator]
    assert refused.value.fields["rule"] == rule


def test_from_the_door_to_an_award_of_less_than_was_asked(jury: Jury) -> None:
    app = jury.before_committee()
    assert jury.state(app) is ApplicationState.COMMITTEE
    decided = jury.review.committee.decide(app, "award", "good, and half will do", gpu_hours=50, by=jury.chair)
    assert str(decided.objection_until) == "2027-01-05"  # six weeks after the 24th of November 2026
    assert jury.state(app) is ApplicationState.AWARDED
    project = jury.review.docket.applications.get(app).project
    granted = {one.resource: one.granted for one in jury.town.services.funding.left(project)}
    assert granted["gpu_hour"] == 50_000_000  # type: ignore[index]
    assert jury.see(app, jury.applicant).decision == decided


def test_a_step_is_not_skipped_by_asking_for_the_next(jury: Jury) -> None:
    review, app = jury.review, jury.submitted()
    with pytest.raises(WrongState):
        review.panel.assign(app, jury.experts[0].person, by=jury.reviewer)
    with pytest.raises(WrongState):
        review.committee.decide(app, "award", "now", by=jury.chair)
    with pytest.raises(WrongState):
        jury.town.services.awarding.award(app, by=jury.town.operator)
    with pytest.raises(WrongState):
        jury.town.services.awarding.award_short_route(review.docket.applications.get(app), by=jury.chair)
    with pytest.raises(WrongState):
        jury.town.services.intake.submit(app, by=jury.applicant)
    review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    with pytest.raises(WrongState):
        review.desk.technical(app, "again", passed=True, by=jury.reviewer)
    review.panel.assign(app, jury.experts[0].person, by=jury.reviewer)
    jury.assess(app, 0)
    with pytest.raises(WrongState):
        review.committee.decide(app, "award", "one is enough", by=jury.chair)
    assert jury.state(app) is ApplicationState.EXPERTS


def test_nobody_with_a_stake_judges_and_the_rule_is_named(jury: Jury) -> None:
    town, review, app = jury.town, jury.review, jury.submitted()
    docket = review.docket
    review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    same, partner, team, excluded, colleague, auditor = (
        town.person("weefsel", "expert"),
        town.person("partner", "expert"),
        town.person("far", "expert"),
        town.person("rival", "expert"),
        town.person("near", "expert"),
        town.person("house", "reviewer", "operator"),
    )
    address = docket.people.get(team.person).email
    stored = docket.applications.get(app)
    answers = {**stored.answers, "partners": ["partner"], "team": [address.upper()], "excluded_reviewers": ["Rival"]}
    with town.services.database.transaction():
        docket.applications.save(replace(stored, answers=answers))
    with town.services.database.transaction():
        opened = town.services.access.open_project(
            "Old", "old", Purpose.CIVILIAN, "internal", jury.applicant.person, [], by=SYSTEM
        )
    project = opened.slug
    lead = town.again(jury.applicant)
    town.services.access.add_member(project, colleague.person, "member", by=lead)
    town.services.vault.remove_member(project, colleague.person, by=lead)
    for rule, person in {
        "conflict.organisation": same, "conflict.partner": partner, "conflict.team": team, "conflict.excluded": excluded,
        "conflict.project": colleague, "conflict.reads_log": auditor, "review.role": jury.chair,
    }.items():  # fmt: skip
        refused_by(rule, lambda person=person: review.panel.assign(app, person.person, by=jury.reviewer))
    town.clock.move(timedelta(days=365 * 3 + 2))
    # The project itself still has the applicant in it, and the colleague left it three years ago.
    review.panel.assign(app, colleague.person, by=jury.reviewer)
    review.panel.decline(app, "we wrote a paper together", conflict=True, by=colleague)
    refused_by("conflict.declared", lambda: review.panel.assign(app, colleague.person, by=jury.reviewer))


def test_whom_a_review_of_access_took_out_of_a_common_project_is_in_conflict_and_no_log_is_searched(jury: Jury) -> None:
    town, review, app = jury.town, jury.review, jury.submitted()
    colleague, stranger = town.person("near", "expert"), town.person("near", "expert")
    with town.services.database.transaction():
        opened = town.services.access.open_project(
            "Old", "old", Purpose.CIVILIAN, "internal", jury.applicant.person, [], by=SYSTEM
        )
    town.services.access.add_member(opened.slug, colleague.person, "member", by=town.again(jury.applicant))
    quarterly = town.services.joining.quarterly
    quarterly.open_due()
    town.clock.move(timedelta(days=60))
    assert quarterly.open_due() > 0
    town.clock.move(timedelta(days=15))
    assert quarterly.close_due() > 0
    docket, said = review.docket, list[str]()
    application, people = docket.applications.get(app), town.services.access
    engine = town.services.database.readers
    event.listen(engine, "before_cursor_execute", listened := lambda *told: said.append(told[2]))
    rules = [
        {one.rule for one in docket.conflicts(people.person(who.person), application)} for who in (colleague, stranger)
    ]
    event.remove(engine, "before_cursor_execute", listened)
    assert rules == [{"conflict.project"}, set()]
    assert any("access_membership_changes" in one for one in said)
    assert not any("audit_events" in one for one in said)


def test_who_edits_along_is_an_applicant_and_judges_nothing(jury: Jury) -> None:
    intake, review = jury.town.services.intake, jury.review
    along = jury.town.person("far", "expert", "reviewer", "funder")
    draft = intake.file("playground", ANSWERS, by=jury.applicant)
    intake.share(draft.id, along.person, by=jury.applicant)
    app = intake.submit(draft.id, by=jury.applicant).id
    refused_by("conflict.team", lambda: review.desk.technical(app, "ours", passed=True, by=along))
    review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    refused_by("conflict.team", lambda: review.panel.assign(app, along.person, by=jury.reviewer))
    colleague = jury.town.person("far", "expert")
    refused_by("conflict.partner", lambda: review.panel.assign(app, colleague.person, by=jury.reviewer))
    for one in jury.experts[:2]:
        review.panel.assign(app, one.person, by=jury.reviewer)
    jury.assess(app, 0, "FIRSTWORDS")
    jury.assess(app, 1)
    refused_by("conflict.team", lambda: review.committee.decide(app, "award", "ours", by=along))
    assert review.committee.ranking("playground", by=along) == []
    seen = jury.see(app, along)
    assert (str(seen.part), list(seen.assessments), dict(seen.names)) == ("applicant", [], {})
    assert "FIRSTWORDS" not in repr((seen, review.desk.history(app, by=along)))


def with_answers(jury: Jury, app: str, **answers: object) -> None:
    """As if its form had asked for them."""
    docket = jury.review.docket
    stored = docket.applications.get(app)
    with jury.town.services.database.transaction():
        docket.applications.save(replace(stored, answers={**stored.answers, **answers}))


def test_an_application_is_read_by_no_other_door_than_the_desk_opens(jury: Jury) -> None:
    town, review, intake = jury.town, jury.review, jury.town.services.intake
    app = jury.submitted()
    excluded, judge = town.person("rival", "reviewer", "funder"), town.person("far", "reviewer", "expert")
    funder = town.person("fund", "funder")
    with_answers(jury, app, excluded_reviewers=["Rival"])
    for act in (
        lambda: intake.get(app, by=excluded),
        lambda: intake.document(app, "en", by=excluded),
        lambda: intake.editing(app, by=excluded),
    ):
        with pytest.raises(NotFound, match="there is no such application"):
            act()
    assert intake.list(by=excluded) == []
    assert intake.get(app, by=jury.reviewer).answers["excluded_reviewers"] == ["Rival"]
    assert intake.get(app, by=funder).id == app  # who may award it may read it
    review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    review.panel.assign(app, judge.person, by=jury.reviewer)
    assert "excluded_reviewers" not in intake.get(app, by=judge).answers
    assert "excluded_reviewers" not in intake.list(by=judge)[0].answers
    review.panel.decline(app, "we wrote a paper together", conflict=True, by=judge)
    with pytest.raises(NotFound):
        intake.get(app, by=judge)
    assert intake.list(by=judge) == []


def test_a_service_judges_nothing_whatever_role_it_was_given(jury: Jury) -> None:
    town, review, app = jury.town, jury.review, jury.submitted()
    review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    signer = town.person("far", "expert")
    with town.services.database.transaction():
        opened = town.services.access.open_project(
            "Old", "old", Purpose.CIVILIAN, "internal", signer.person, [], by=SYSTEM
        )
    service = town.services.service_identities.create(opened.slug, "judge", by=town.again(signer)).person
    town.services.joining.appointing.appoint(service.id, "expert", by=town.operator)
    refused_by("review.person", lambda: review.panel.assign(app, service.id, by=jury.reviewer))
    assert jury.state(app) is ApplicationState.TECHNICAL


def test_the_team_applies_the_excluded_are_nobody_and_who_declined_is_out(jury: Jury) -> None:
    town, review, docket = jury.town, jury.review, jury.review.docket
    team, lead, excluded, unknown = (town.person(f"far-{one}", "reviewer", "funder") for one in "abcd")
    namesake = town.person("far-e")
    app = jury.with_experts()
    with_answers(
        jury, app, team=[docket.people.get(team.person).email.upper()], investigator={"name": "L", "email": docket.people.get(lead.person).email},
        excluded_reviewers=[{"name": excluded.person, "organisation": "far-c"}],
    )  # fmt: skip
    jury.assess(app, 0, "FIRSTWORDS")
    for one in (team, lead):
        assert str(jury.see(app, one).part) == "applicant"
        assert app not in [each.application.id for each in review.desk.waiting(by=one)]
        with pytest.raises(NotFound):
            review.panel.assign(app, jury.experts[2].person, by=one)
    assert str(jury.see(app, unknown).part) == "staff"
    for act in (
        lambda: jury.see(app, excluded),
        lambda: review.desk.history(app, by=excluded),
        lambda: review.desk.ask(app, "?", by=excluded),
        lambda: review.committee.decide(app, "award", "x", by=excluded),
    ):
        with pytest.raises(NotFound):
            act()
    assert "excluded_reviewers" in jury.see(app, jury.reviewer).application.answers
    assert "excluded_reviewers" not in jury.see(app, jury.experts[1]).application.answers
    review.panel.decline(app, "no time", conflict=False, by=jury.experts[1])
    for act in (lambda: jury.see(app, jury.experts[1]), lambda: review.desk.history(app, by=jury.experts[1])):
        with pytest.raises(NotFound):
            act()
    # All are called Somebody: a name in the team takes a judge's view away, and opens nothing to a stranger.
    with_answers(jury, app, team=["Somebody"])
    assert str(jury.see(app, unknown).part) == "applicant"
    with pytest.raises(NotFound):
        jury.see(app, namesake)


def test_a_reviewer_sees_nothing_of_a_draft(jury: Jury) -> None:
    draft = jury.town.services.intake.file("playground", ANSWERS, by=jury.applicant)
    for act in (jury.review.desk.view, jury.review.desk.history, jury.review.desk.take):
        with pytest.raises(NotFound):
            act(draft.id, by=jury.reviewer)


def test_a_reviewer_of_the_same_organisation_sees_and_does_what_an_applicant_may(jury: Jury) -> None:
    inside = jury.town.person("weefsel", "reviewer", "funder")
    app = jury.before_committee()
    for act in (
        lambda: jury.review.desk.ask(app, "?", by=inside),
        lambda: jury.review.desk.technical(app, "x", passed=True, by=inside),
        lambda: jury.review.committee.decide(app, "award", "mine", by=inside),
    ):
        refused_by("conflict.organisation", act)
    with pytest.raises(NotFound):
        jury.review.panel.assign(app, jury.experts[2].person, by=inside)
    seen = jury.see(app, inside)
    assert (list(seen.assessments), dict(seen.names)) == ([], {})


def test_one_who_judged_does_not_decide_and_none_decides_twice(jury: Jury) -> None:
    judge = jury.town.person("both", "reviewer", "funder")
    app = jury.submitted()
    jury.review.desk.technical(app, "fits", passed=True, by=judge)
    for number in (0, 1):
        jury.review.panel.assign(app, jury.experts[number].person, by=jury.reviewer)
        jury.assess(app, number)
    refused_by("decision.reviewed", lambda: jury.review.committee.decide(app, "award", "x", by=judge))
    other = jury.town.person("second", "funder", kind="funder")
    members = [jury.chair, other]
    verdicts = ["award", "refuse"]
    outcomes = at_once(
        lambda number: jury.review.committee.decide(app, verdicts[number], "so be it", by=members[number]), times=2
    )
    failures = [one for one in outcomes if isinstance(one, Exception)]
    assert len(failures) == 1, outcomes
    assert isinstance(failures[0], WrongState | AlreadyExists), outcomes
    assert jury.state(app) in {ApplicationState.AWARDED, ApplicationState.REFUSED}


def test_who_sits_at_the_desk_of_an_application_is_not_its_expert(jury: Jury) -> None:
    review, app = jury.review, jury.submitted()
    checked, took, assigned, idle = (jury.town.person(f"desk-{one}", "reviewer") for one in "abcd")
    review.desk.take(app, by=took)
    review.desk.technical(app, "fits", passed=True, by=checked)
    review.panel.assign(app, jury.experts[0].person, by=assigned)
    review.desk.take(app, by=jury.reviewer)  # who took it before them stays who took it
    for one in (checked, took, assigned, jury.reviewer):
        refused_by("conflict.desk", lambda one=one: review.panel.assign(app, one.person, by=jury.reviewer))
    refused_by("conflict.desk", lambda: review.panel.assign(app, idle.person, by=idle))
    assert review.panel.assign(app, idle.person, by=jury.reviewer).person == idle.person


def test_an_assignment_is_taken_back_and_the_application_goes_on(jury: Jury) -> None:
    review, app, third = jury.review, jury.with_experts(3), jury.experts[2]
    jury.assess(app, 0)
    jury.assess(app, 1)
    assert jury.state(app) is ApplicationState.EXPERTS
    for by, raised in (
        (jury.applicant, NotPermitted),
        (jury.experts[0], NotPermitted),
        (jury.town.person("x"), NotPermitted),
    ):
        with pytest.raises(raised):
            review.panel.release(app, third.person, "silent", by=by)
    with pytest.raises(InvalidInput):
        review.panel.release(app, third.person, " ", by=jury.reviewer)
    with pytest.raises(NotFound):
        review.panel.release(app, jury.chair.person, "silent", by=jury.reviewer)
    with pytest.raises(WrongState):
        review.panel.release(app, jury.experts[0].person, "silent", by=jury.reviewer)
    # By their address, and while the applicant is asked: it goes on at the answer.
    review.desk.ask(app, "Which data?", by=jury.reviewer)
    review.panel.release(app, review.docket.people.get(third.person).email, "silent for a month", by=jury.reviewer)
    assert jury.state(app) is ApplicationState.ASKED
    assert review.desk.answer(app, "Ours.", by=jury.applicant).state is ApplicationState.COMMITTEE
    assert sorted(one.what for one in review.told(by=third)) == ["assigned", "released"]
    for act in (
        lambda: jury.see(app, third),
        lambda: review.panel.release(app, third.person, "again", by=jury.reviewer),
    ):
        with pytest.raises((NotFound, WrongState)):
            act()
    with pytest.raises(WrongState):
        jury.assess(app, 2)


def test_an_expert_who_declines_while_the_applicant_is_asked_holds_nothing_up(jury: Jury) -> None:
    review, app = jury.review, jury.with_experts(3)
    jury.assess(app, 0)
    jury.assess(app, 1)
    review.desk.ask(app, "Which data?", by=jury.reviewer)
    review.panel.decline(app, "no time", conflict=False, by=jury.experts[2])
    assert review.desk.answer(app, "Ours.", by=jury.applicant).state is ApplicationState.COMMITTEE


def test_experts_are_blind_to_each_other_until_both_are_in(jury: Jury) -> None:
    app = jury.with_experts()
    jury.assess(app, 0, "FIRSTWORDS")
    second, review = jury.experts[1], jury.review
    for reader in (second, jury.reviewer, jury.chair, jury.town.operator, jury.applicant):
        seen = jury.see(app, reader)
        assert "FIRSTWORDS" not in repr(seen)
        assert [one for one in seen.assessments if one.person != reader.person] == []
        assert jury.experts[0].person not in seen.names
        assert "FIRSTWORDS" not in repr(review.desk.waiting(by=reader))
        rows = review.desk.history(app, by=reader)
        assert not [row for row in rows if row["act"] == "assessed"]
    assert review.committee.ranking("playground", by=jury.chair) == []
    refused_by("audit.read", lambda: jury.town.services.audit.events(by=second, subject=app))
    with pytest.raises(NotFound):
        jury.town.services.intake.get(app, by=second)
    with pytest.raises(NotFound):
        jury.see(app, jury.experts[2])
    jury.assess(app, 1)
    assert "FIRSTWORDS" in repr(jury.see(app, second))
    assert [total for _, total in review.committee.ranking("playground", by=jury.chair)] == [82]
    said = repr((jury.see(app, jury.applicant), review.desk.history(app, by=jury.applicant)))
    assert "FIRSTWORDS" not in said
    assert not any(one.person in said for one in jury.experts)


def test_a_submitted_assessment_does_not_change_and_a_wrong_one_names_every_field(jury: Jury) -> None:
    app = jury.with_experts()
    assess = jury.review.panel.assess
    for scores, fields in (
        ({}, ["excellence", "impact", "implementation"]),
        (SCORES | {"impact": 6}, ["impact"]),
        (SCORES | {"impact": -1, "excellence": True}, ["excellence", "impact"]),
        (SCORES | {"charm": 5}, ["charm"]),
        (SCORES | {"impact": 2.5}, ["impact"]),
    ):
        with pytest.raises(InvalidInput) as refused:
            assess(app, scores, "x", no_conflict=True, by=jury.experts[0])
        assert [one["field"] for one in refused.value.fields["errors"]] == fields  # type: ignore[attr-defined]
    refused_by("conflict.undeclared", lambda: assess(app, SCORES, "x", no_conflict=False, by=jury.experts[0]))
    jury.assess(app, 0)
    with pytest.raises(WrongState):
        jury.assess(app, 0, "better")
    with pytest.raises(WrongState):
        jury.review.panel.decline(app, "no time", conflict=False, by=jury.experts[0])
    with pytest.raises(NotFound):
        jury.assess(app, 2)
    with pytest.raises(AlreadyExists):
        jury.review.panel.assign(app, jury.experts[0].person, by=jury.reviewer)


def test_the_clock_stands_still_while_the_applicant_is_asked(jury: Jury) -> None:
    app = jury.submitted()
    desk, clock = jury.review.desk, jury.town.clock
    before = jury.see(app, jury.applicant).due_at
    assert before is not None
    with pytest.raises(WrongState):
        desk.answer(app, "to nothing", by=jury.applicant)
    desk.ask(app, "Which data?", by=jury.reviewer)
    assert (jury.state(app), jury.see(app, jury.applicant).due_at) == (ApplicationState.ASKED, None)
    with pytest.raises(WrongState):
        desk.technical(app, "meanwhile", passed=True, by=jury.reviewer)
    clock.move(timedelta(days=7))
    with pytest.raises(NotFound):
        desk.answer(app, "I say", by=jury.town.person("stranger"))
    desk.answer(app, "Ours.", by=jury.applicant)
    assert jury.state(app) is ApplicationState.ELIGIBLE
    assert jury.see(app, jury.applicant).due_at == before + timedelta(days=7)
    assert [one.what for one in jury.review.told(by=jury.applicant)] == ["asked"]
    desk.withdraw(app, by=jury.applicant)
    with pytest.raises(WrongState):
        desk.ask(app, "Still there?", by=jury.reviewer)


def test_while_something_is_asked_just_the_named_answers_are_open(jury: Jury) -> None:
    intake, desk, app = jury.town.services.intake, jury.review.desk, jury.submitted()
    for name, says in (("colour", "does not ask colour"), ("partners", "who may judge hangs on it")):
        with pytest.raises(InvalidInput, match=says):
            desk.ask(app, "Which?", fields=["title", name], by=jury.reviewer)
    assert jury.state(app) is ApplicationState.ELIGIBLE
    desk.ask(app, "Is that its name?", fields=["title"], by=jury.reviewer)
    for verb in (intake.edit, intake.keep):
        with pytest.raises(WrongState, match="gpu_hours cannot be changed"):
            verb(app, {"title": "A", "gpu_hours": 5}, by=jury.applicant)
    with pytest.raises(NotFound):
        intake.edit(app, {"title": "Mine"}, by=jury.town.person("stranger"))
    intake.keep(app, {"title": ""}, by=jury.applicant)
    with pytest.raises(InvalidInput, match="title"):
        desk.answer(app, "There.", by=jury.applicant)
    assert intake.edit(app, {"title": "A better model"}, by=jury.applicant).answers["title"] == "A better model"
    desk.answer(app, "There.", by=jury.applicant)
    assert jury.see(app, jury.applicant).due_at is not None
    with pytest.raises(WrongState, match="title cannot be changed any more"):
        intake.edit(app, {"title": "Another"}, by=jury.applicant)


def test_each_alarm_is_told_once_to_who_must_act(jury: Jury) -> None:
    app, review, clock = jury.with_experts(), jury.review, jury.town.clock
    assert review.alarms() == 0
    clock.move(timedelta(days=6, hours=23))  # the experts' own five working days are over one hour later
    assert review.alarms() == 0
    clock.move(timedelta(hours=1))
    assert [review.alarms(), review.alarms()] == [3, 0]
    jury.assess(app, 0)
    clock.move(timedelta(days=6))
    assert [review.alarms(), review.alarms()] == [1, 0]
    told = [sorted(one.what for one in review.told(by=expert) if one.what != "assigned") for expert in jury.experts[:2]]
    assert told == [["alarm-50", "reminder"], ["alarm-50", "alarm-80", "reminder"]]
    jury.assess(app, 1)
    clock.move(timedelta(days=3))
    assert review.alarms() == 1
    assert [one.what for one in review.told(by=jury.chair)] == ["alarm-100"]
    review.committee.decide(app, "refuse", "too late", by=jury.chair)
    clock.move(timedelta(days=90))
    assert review.alarms() == 0


def test_what_is_to_be_mailed_is_taken_once_and_tried_again_where_it_failed(jury: Jury) -> None:
    app, review, clock = jury.submitted(), jury.review, jury.town.clock
    review.desk.ask(app, "Which data?", by=jury.reviewer)
    taken = review.take_unsent()
    assert [(one.what, to) for one, to in taken] == [("asked", review.docket.people.get(jury.applicant.person).email)]
    assert review.take_unsent() == []
    clock.move(timedelta(minutes=5))
    again = review.take_unsent()
    assert [one.id for one, _ in again] == [one.id for one, _ in taken]
    review.mailed(again[0][0])
    clock.move(timedelta(days=1))
    assert review.take_unsent() == []


def test_large_awards_take_a_second_signature(database: Database, tmp_path: Path) -> None:
    jury = Jury(a_town(database, tmp_path / "home", **by_committee(tmp_path, signed_above=50)))
    app = jury.before_committee()
    proposed = jury.review.committee.decide(app, "award", "good", by=jury.chair)
    assert not proposed.stands
    assert jury.state(app) is ApplicationState.COMMITTEE
    assert jury.see(app, jury.applicant).decision is None
    refused_by("decision.same_person", lambda: jury.review.committee.sign(app, by=jury.chair))
    with pytest.raises(AlreadyExists):
        jury.review.committee.decide(app, "refuse", "no", by=jury.chair)
    jury.review.committee.sign(app, by=jury.town.operator)
    assert jury.state(app) is ApplicationState.AWARDED


def test_a_proposal_gives_way_to_another_members_and_is_not_signed_above_what_is_asked_now(
    database: Database, tmp_path: Path
) -> None:
    jury = Jury(a_town(database, tmp_path / "home", **by_committee(tmp_path, signed_above=50)))
    committee, other = jury.review.committee, jury.town.person("second", "funder", kind="funder")
    app = jury.before_committee()
    first = committee.decide(app, "award", "all of it", gpu_hours=100, by=jury.chair)
    second = committee.decide(app, "award", "less", gpu_hours=80, by=other)
    assert (first.stands, second.stands, second.gpu_hours) == (False, False, 80)
    refused_by("decision.same_person", lambda: committee.sign(app, by=other))
    acts = [one.act for one in jury.review.docket.cases.steps(app)]
    assert acts[-2:] == ["proposed", "reproposed"]
    with_answers(jury, app, gpu_hours=60)
    with pytest.raises(WrongState, match="80 GPU-hours were proposed, and 60 are asked now"):
        committee.sign(app, by=jury.chair)
    assert committee.decide(app, "award", "what is asked now", by=jury.chair).gpu_hours == 60
    refusal = committee.decide(app, "refuse", "not now", by=other)
    assert (refusal.stands, jury.state(app)) == (True, ApplicationState.REFUSED)
    for act in (
        lambda: committee.sign(app, by=jury.chair),
        lambda: committee.decide(app, "award", "yes", by=jury.chair),
    ):
        with pytest.raises(WrongState):
            act()


def test_only_what_came_before_the_cut_off_is_in_its_round(database: Database, tmp_path: Path) -> None:
    offs = by_committee(tmp_path, "[cut_offs]\ndays = [2026-11-24, 2026-11-26]\n")
    jury = Jury(a_town(database, tmp_path / "home", **offs))  # its clock says 10:00 in Amsterdam, on the 24th
    jury.town.clock.move(timedelta(microseconds=-1))
    early = jury.submitted()
    jury.town.clock.move(timedelta(microseconds=1))
    late = jury.submitted()
    rounds = [str(jury.see(app, jury.reviewer).case.round_at)[:10] for app in (early, late)]
    assert rounds == ["2026-11-24", "2026-11-26"]
    jury.town.clock.move(timedelta(days=3))
    with pytest.raises(WrongState):
        jury.submitted()


def test_the_queue_of_the_short_routes_is_first_in_first_out(database: Database, tmp_path: Path) -> None:
    town = a_town(database, tmp_path / "home")
    intake, awarding, by = town.services.intake, town.services.awarding, town.person("weefsel")
    for hours in (900, 500, 100, 50):
        intake.submit(intake.file("playground", ANSWERS | {"gpu_hours": hours}, by=by).id, by=by)
        town.clock.move(timedelta(seconds=1))
    queue = intake.queue()
    assert [one.answers["gpu_hours"] for one in queue] == [900, 500, 100, 50]
    with pytest.raises(CreditsExhausted):  # it would fit, and is not first
        awarding.award_short_route(queue[3], by=by)
    assert awarding.award_waiting(by=SYSTEM) == 1
    assert [intake.position(one) for one in queue] == [0, 1, 2, 3]
    town.services.giving.contribute("factory", "national", 1, {"gpu_hour": 450, "cpu_hour": 1}, by=town.operator)
    assert awarding.award_waiting(by=SYSTEM) == 1
    assert [one.answers["gpu_hours"] for one in intake.queue()] == [100, 50]


def test_a_person_checks_the_short_routes_where_the_operator_asks_for_it(database: Database, tmp_path: Path) -> None:
    jury = Jury(a_town(database, tmp_path / "home", review_by_person=True))
    awarding, app = jury.town.services.awarding, jury.submitted()
    assert awarding.award_waiting(by=SYSTEM) == 0
    with pytest.raises(WrongState):
        awarding.award(app, by=jury.town.operator)
    jury.review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    assert awarding.award_waiting(by=SYSTEM) == 1


def test_what_a_person_checked_is_awarded_also_once_nobody_has_to_check(database: Database, tmp_path: Path) -> None:
    jury = Jury(a_town(database, tmp_path / "home", review_by_person=True))
    app = jury.submitted()
    jury.review.desk.technical(app, "fits", passed=True, by=jury.reviewer)
    found, docket = jury.review.docket.applications.get(app), jury.review.docket
    for person_checks in (True, False):
        assert Reception(replace(docket, person_checks=person_checks)).is_ready(found)
    waits = replace(found, state=ApplicationState.ELIGIBLE)
    assert [Reception(replace(docket, person_checks=one)).is_ready(waits) for one in (True, False)] == [False, True]


def test_what_the_automatic_check_refused_a_person_overrules_with_a_motive(jury: Jury) -> None:
    abroad = jury.town.person("abroad", country="US")
    app = jury.submitted(by=abroad)
    assert jury.state(app) is ApplicationState.REFUSED
    with pytest.raises(InvalidInput):
        jury.review.desk.overrule(app, " ", by=jury.reviewer)
    jury.review.desk.overrule(app, "its lab sits in Groningen", by=jury.reviewer)
    assert jury.state(app) is ApplicationState.ELIGIBLE
    jury.review.desk.technical(app, "does not fit", passed=False, by=jury.reviewer)
    with pytest.raises(WrongState):
        jury.review.desk.overrule(app, "again", by=jury.reviewer)


def test_evidence_does_not_change_after_the_technical_check_nor_by_a_partner(jury: Jury) -> None:
    desk = jury.review.desk
    runs = [{"nodes": nodes, "seconds": 1000 / nodes, "input": "large"} for nodes in (1, 2, 4)]
    partner = jury.town.person("partner")
    app = jury.submitted(partners=["partner"])
    assert str(jury.see(app, partner).part) == "applicant"
    for act in (lambda: desk.measure(app, runs, 4, by=partner), lambda: desk.answer(app, "Ours.", by=partner)):
        with pytest.raises(NotPermitted):
            act()
    desk.ask(app, "How does it scale?", by=jury.reviewer)
    assert desk.measure(app, runs, 4, by=jury.applicant).largest_efficient == 4
    desk.answer(app, "So.", by=jury.applicant)
    desk.technical(app, "fits", passed=True, by=jury.reviewer)
    desk.ask(app, "Whose data?", fields=["title"], by=jury.reviewer)
    with pytest.raises(WrongState, match="its evidence does not change any more"):
        desk.measure(app, runs, 8, by=jury.applicant)
    desk.answer(app, "Ours.", by=jury.applicant)
    for one in jury.experts[:2]:
        jury.review.panel.assign(app, one.person, by=jury.reviewer)
    for _ in ("experts", "committee"):
        with pytest.raises(WrongState, match="does not change under them"):
            desk.ask(app, "Is that its name?", fields=["title"], by=jury.reviewer)
        if jury.state(app) is ApplicationState.EXPERTS:
            jury.assess(app, 0)
            jury.assess(app, 1)
    assert jury.state(app) is ApplicationState.COMMITTEE
    desk.ask(app, "In words: which data?", by=jury.reviewer)
    assert jury.see(app, jury.applicant).case.nodes_asked == 4


def test_every_end_is_told_and_every_refusal_has_its_day_to_object(jury: Jury) -> None:
    abroad, review = jury.town.person("abroad", country="US"), jury.review
    app = jury.submitted(by=abroad)

    def told() -> list[str]:
        return [one.what for one in review.told(by=abroad)]

    assert (told(), str(jury.see(app, abroad).case.objection_until)) == (["decided"], "2027-01-05")
    review.desk.overrule(app, "its lab sits in Groningen", by=jury.reviewer)
    assert jury.see(app, abroad).case.objection_until is None
    jury.town.clock.move(timedelta(days=2))
    review.desk.technical(app, "does not fit", passed=False, by=jury.reviewer)
    assert (told(), str(jury.see(app, abroad).case.objection_until)) == (["decided", "decided"], "2027-01-07")
    last = jury.before_committee()
    decided = review.committee.decide(last, "refuse", "no", by=jury.chair)
    assert jury.see(last, jury.applicant).case.objection_until == decided.objection_until
    assert [one.what for one in review.told(by=jury.applicant)] == ["decided"]


def test_an_award_out_of_the_queue_is_told(database: Database, tmp_path: Path) -> None:
    jury = Jury(a_town(database, tmp_path / "home"))
    app = jury.submitted()
    assert review_told(jury) == []
    assert jury.town.services.awarding.award_waiting(by=SYSTEM) == 1
    assert review_told(jury) == ["decided"]
    assert jury.see(app, jury.applicant).case.objection_until is None


def review_told(jury: Jury) -> list[str]:
    return [one.what for one in jury.review.told(by=jury.applicant)]


def test_alarms_do_not_go_to_who_has_left(jury: Jury) -> None:
    review, app = jury.review, jury.submitted()
    gone = jury.town.person("desk", "reviewer")
    review.desk.take(app, by=gone)
    with jury.town.services.database.transaction():
        jury.town.services.database.execute(update(people).where(people.c.id == gone.person).values(active=False))
    jury.town.clock.move(timedelta(days=7, hours=1))
    assert review.alarms() == 1
    assert review.told(by=gone) == []
    assert [one.what for one in review.told(by=jury.reviewer)] == ["alarm-50"]


def test_the_forms_own_table_and_partitions_are_flagged_too(jury: Jury) -> None:
    docket, desk = jury.review.docket, jury.review.desk
    reception = Reception(docket)
    runs = [
        {"nodes": float(nodes), "seconds": seconds, "input": "large"}
        for nodes, seconds in ((1, 1000), (2, 520), (4, 300), (8, 260))
    ]
    rows = [{"gpus_max": 30, "gpus_per_node": 4}, {"gpus_max": 4, "gpus_per_node": 4}, {"gpus_max": 9}]
    for answers, flags in (
        ({"scaling": runs, "partitions": rows}, ["8 nodes are asked, and up to 4 are used well"]),
        ({"scaling": runs, "partitions": rows[1:]}, []),
        ({"partitions": rows}, ["no scaling was measured"]),
        (
            {"scaling": [*runs, {"nodes": 1.5}], "partitions": rows},
            ["the scaling table cannot be read: measurement 5: nodes must be"],
        ),
        ({"scaling": "1=1000"}, ["the scaling table cannot be read: measurements are a list"]),
    ):
        draft = jury.town.services.intake.file("playground", ANSWERS, by=jury.applicant)
        submitted = move(
            replace(draft, answers={**draft.answers, **answers}), ApplicationState.SUBMITTED, at=jury.town.clock.now()
        )
        call, body = docket.calls.of("playground"), docket.bodies.named("weefsel")
        with docket.transaction(draft.id):
            reception.receive(submitted, call, body, by=jury.applicant)
        found = desk.view(draft.id, by=jury.reviewer).flags
        assert [one[: len(said)] for one, said in zip(found, flags, strict=True)] == flags


def test_nodes_beyond_what_scales_are_flagged(jury: Jury) -> None:
    app = jury.submitted()
    runs = [
        {"nodes": nodes, "seconds": seconds, "input": "large"}
        for nodes, seconds in ((1, 1000), (2, 520), (4, 300), (8, 260))
    ]
    jury.review.desk.measure(app, runs, 8, by=jury.applicant)
    seen = jury.see(app, jury.reviewer)
    assert seen.scaling is not None
    assert seen.scaling.largest_efficient == 4
    assert seen.flags == ["8 nodes are asked, and up to 4 are used well"]
    with pytest.raises(FabriekError):
        jury.review.desk.measure(app, runs[:2], 8, by=jury.applicant)
