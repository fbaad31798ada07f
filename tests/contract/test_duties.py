"""Reports, extensions and thanks, on both databases: what an award obliges to, and what an accepted report gives."""

from concurrent.futures import wait
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.funding.duties.reminding import sentence
from fabriek.funding.duties.reports import ReportState
from fabriek.funding.ledger import Kind, account
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import CreditsExhausted, InvalidInput, NotFound, NotPermitted, Stale, WrongState
from fabriek.kernel.units import MICRO
from fabriek.worker.notifying import Messenger
from tests.factories.duties import FINAL, INTERIM, a_science_project, days, decided
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once
from tests.servers.mailbox import taking_mail

GPU = Resource.GPU_HOUR


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    made = a_town(database, tmp_path / "home")
    made.services.giving.contribute("factory", "national", 1, {"gpu_hour": 4_000}, by=made.operator)
    return made


@pytest.fixture
def lead(town: Town) -> Caller:
    return town.person("academy", kind="university")


def file(town: Town, duty: str, answers: dict[str, object], by: Caller) -> None:
    reporting = town.services.duties.reporting
    reporting.keep(duty, answers, by=by)
    reporting.file(duty, by=by)


def accepted(town: Town, lead: Caller) -> tuple[str, str, Caller]:
    """A science project whose interim report was accepted at half of its time."""
    slug, allocation = a_science_project(town, lead)
    by = town.again(lead)
    days(town, 90)
    file(town, f"{allocation}.interim", INTERIM, by)
    town.services.duties.reporting.accept(f"{allocation}.interim", by=town.operator)
    return slug, allocation, by


def granted(town: Town, slug: str) -> int:
    project = town.services.access.project(slug)
    return next(one.granted for one in town.services.funding.left(project.id) if one.resource is GPU)


def test_the_days_of_both_reports_follow_the_award(town: Town, lead: Caller) -> None:
    slug, allocation = a_science_project(town, lead)
    start = town.clock.today()
    found = town.services.duties.reporting.of_project(slug, by=town.again(lead))
    assert [(one.id, one.due_on - start, one.report.state) for one in found] == [
        (f"{allocation}.interim", timedelta(days=93), ReportState.DUE),
        (f"{allocation}.final", timedelta(days=6 * 31 + 90), ReportState.DUE),
    ]


def test_a_report_goes_from_its_lead_to_who_paid_and_back(town: Town, lead: Caller) -> None:
    reporting = town.services.duties.reporting
    slug, allocation = a_science_project(town, lead)
    by, duty = town.again(lead), f"{allocation}.interim"
    with pytest.raises(WrongState):
        reporting.accept(duty, by=town.operator)
    reporting.keep(duty, {"changed": "Not ready to be read."}, by=by)
    assert reporting.show(duty, by=town.operator).report.answers == {}
    with pytest.raises(InvalidInput, match="is missing"):
        reporting.file(duty, by=by)
    file(town, duty, INTERIM, by)
    with pytest.raises(WrongState, match="cannot be changed"):
        reporting.keep(duty, {"changed": "All."}, by=by)
    with pytest.raises(WrongState):
        reporting.file(duty, by=by)
    assert [one.id for one in reporting.to_decide(by=town.operator)] == [duty]
    days(town, 100)
    back = reporting.give_back(duty, "Which languages?", by=town.operator)
    assert (back.report.state, back.report.note) == (ReportState.RETURNED, "Which languages?")
    assert back.due_on == town.clock.today() + timedelta(days=14)
    file(town, duty, {"results": "Frisian and Low Saxon."}, by)
    assert reporting.accept(duty, by=town.operator).report.state is ReportState.ACCEPTED
    with pytest.raises(WrongState):
        reporting.give_back(duty, "Once more.", by=town.operator)
    assert [one.report.state for one in reporting.of_project(slug, by=by)] == [ReportState.ACCEPTED, ReportState.DUE]


def test_who_may_not_know_of_a_report_is_told_nothing_and_who_may_not_decide_is_refused(
    town: Town, lead: Caller
) -> None:
    reporting = town.services.duties.reporting
    slug, allocation = a_science_project(town, lead)
    by, duty = town.again(lead), f"{allocation}.interim"
    colleague, stranger = town.person("academy"), town.person("weefsel")
    town.services.access.add_member(slug, colleague.person, "member", by=by)
    file(town, duty, INTERIM, by)
    for named, caller in ((duty, stranger), (f"{allocation}.none", by), ("alc_none.interim", by), ("x", by)):
        with pytest.raises(NotFound):
            reporting.show(named, by=caller)
    other = town.person("europe", "funder", kind="funder")
    town.services.giving.contribute("europe", "eu", 10, {"gpu_hour": 1}, name="europe", by=town.operator)
    for caller in (stranger, other):
        with pytest.raises(NotFound):
            reporting.accept(duty, by=caller)
        assert reporting.to_decide(by=caller) == []
    with pytest.raises(NotPermitted):
        reporting.accept(duty, by=by)
    with pytest.raises(NotPermitted):
        reporting.keep(duty, {"changed": "x"}, by=town.again(colleague))
    operator = town.person("academy", "operator")
    town.services.access.add_member(slug, operator.person, "member", by=by)
    with pytest.raises(NotPermitted, match="nobody of its own project"):
        reporting.accept(duty, by=town.again(operator))
    with pytest.raises(InvalidInput):
        reporting.give_back(duty, " ", by=town.operator)
    funder = town.person("factory", "funder")
    assert reporting.accept(duty, by=funder).report.decided_by == funder.person


def test_two_who_edit_at_once_do_not_write_over_each_other(town: Town, lead: Caller) -> None:
    reporting = town.services.duties.reporting
    _, allocation = a_science_project(town, lead)
    by, duty = town.again(lead), f"{allocation}.interim"
    outcomes = at_once(lambda number: reporting.keep(duty, {"changed": str(number)}, revision=0, by=by), times=4)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, Stale) for one in outcomes if isinstance(one, Exception))
    assert reporting.show(duty, by=by).report.revision == 1
    kept = reporting.keep(duty, {"part_used": 400, "results": "Some."}, strict=False, by=by)
    assert [one.field for one in kept.faults] == ["part_used"]
    for wrong in ({"part_used": 400}, {"unasked": "x"}, {"results": "x" * 4_001}, {"publications": "none"}):
        with pytest.raises(InvalidInput):
            reporting.keep(duty, wrong, by=by)


def test_an_overdue_report_keeps_its_applicant_from_any_award_until_it_is_filed(town: Town, lead: Caller) -> None:
    _, allocation = a_science_project(town, lead)
    by, duty = town.again(lead), f"{allocation}.interim"
    days(town, 93)
    town.project(town.person("weefsel"))
    again = decided(town, by)
    assert not town.services.duties.reporting.show(duty, by=by).days_overdue(town.clock.today())
    days(town, 3)
    for share in ("", "nation"):
        with pytest.raises(NotPermitted) as refused:
            town.services.awarding.award_decided(again, 10, share=share, by=town.operator)
        said = refused.value
        assert (said.fields["rule"], said.fields["report"], said.fields["overdue_days"]) == (
            "award.report_overdue",
            duty,
            3,
        )
        assert said.fix == f"fabriek report file {duty}"
        assert "3 days overdue" in said.detail
    director = town.person("factory", "director")
    own = town.person("academy")
    small = {"title": "Small", "summary": "x", "purpose": "civilian", "gpu_hours": 5, "months": "1", "data": "x"}
    startup = town.person("brein")
    slug = town.project(startup)
    days(town, 31 + 61)
    filed = town.services.intake.file("playground", small, by=town.again(startup))
    waits = town.services.intake.submit(filed.id, by=startup)
    with pytest.raises(NotPermitted, match=f"the final report of {slug} is 1 day overdue"):
        town.services.awarding.award(waits.id, director=True, by=director)
    assert town.services.awarding.award_waiting(by=town.operator) == 0
    # A colleague is not kept from one: it is the applicant's, and that of the project.
    town.services.awarding.award_decided(decided(town, own), 10, share="", by=town.operator)
    file(town, duty, INTERIM, by)
    final = next(one for one in town.services.duties.reporting.mine(by=by) if one.rule.kind == "final")
    assert final.is_open
    made, _ = town.services.awarding.award_decided(again, 10, share="", by=town.operator)
    assert made.application == again.id


def test_it_keeps_from_an_award_whoever_leads_the_project_now_and_what_continues_it(town: Town, lead: Caller) -> None:
    slug, _ = a_science_project(town, lead)
    by, heir, other = town.again(lead), town.person("academy"), town.person("academy")
    town.services.access.add_member(slug, heir.person, "lead", by=by)
    days(town, 94)
    for caller, more in ((heir, dict[str, str]()), (other, {"kind": "continuation", "earlier_project": f" {slug} "})):
        with pytest.raises(NotPermitted, match="1 day overdue"):
            town.services.awarding.award_decided(decided(town, caller, **more), 10, share="", by=town.operator)
    town.services.access.remove_member(slug, by.person, by=by)
    with pytest.raises(NotPermitted):
        town.services.awarding.award_decided(decided(town, lead), 10, share="", by=town.operator)
    for said in ("Project 2025-014", "another-project"):
        more = {"kind": "continuation", "earlier_project": said}
        town.services.awarding.award_decided(decided(town, other, **more), 1, share="", by=town.operator)


def test_an_extension_follows_an_accepted_report_once_and_all_of_it_is_booked(town: Town, lead: Caller) -> None:
    extending = town.services.duties.extending
    slug, allocation, by = accepted(town, lead)
    made = extending.extend(slug, by=by)
    assert made.amounts[GPU] == 20 * MICRO
    assert made.allocation.ends_on - made.was_until == timedelta(days=93)
    assert granted(town, slug) == 220 * MICRO
    final = town.services.duties.reporting.of_project(slug, by=by)[-1]
    assert final.due_on == made.allocation.ends_on + timedelta(days=90)
    with pytest.raises(WrongState, match="extends it once"):
        extending.extend(slug, by=by)
    assert granted(town, slug) == 220 * MICRO
    assert town.services.funding.balanced()
    recorded = [
        one for one in town.services.audit.events(by=town.operator).items if one.action == "allocation.extended"
    ]
    assert [one.subject for one in recorded] == [allocation]


def test_of_many_who_extend_at_once_one_does(town: Town, lead: Caller) -> None:
    slug, _, by = accepted(town, lead)
    outcomes = at_once(lambda _: town.services.duties.extending.extend(slug, by=by), times=6)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert all(isinstance(one, WrongState) for one in outcomes if isinstance(one, Exception)), outcomes
    assert granted(town, slug) == 220 * MICRO


def test_no_extension_before_the_report_after_the_end_without_a_rule_or_by_others(town: Town, lead: Caller) -> None:
    extending = town.services.duties.extending
    slug, allocation = a_science_project(town, lead)
    by, duty = town.again(lead), f"{allocation}.interim"
    with pytest.raises(WrongState, match=r"interim report .* is due"):
        extending.extend(slug, by=by)
    file(town, duty, INTERIM, by)
    with pytest.raises(WrongState, match="is filed"):
        extending.extend(slug, by=by)
    with pytest.raises(NotPermitted):
        extending.extend(slug, by=town.person("weefsel"))
    with pytest.raises(NotFound):
        extending.extend(slug, allocation="alc_none", by=by)
    town.services.duties.reporting.accept(duty, by=town.operator)
    startup = town.person("weefsel")
    small = town.project(startup)
    with pytest.raises(WrongState, match="no rule extends an award of the call playground"):
        extending.extend(small, by=town.again(startup))
    days(town, 187)
    with pytest.raises(WrongState, match="ended on"):
        extending.extend(slug, by=by)
    assert town.services.funding.balanced()


def test_an_extension_stays_within_the_share_and_the_caps_and_then_changes_nothing(town: Town, lead: Caller) -> None:
    extending, books = town.services.duties.extending, town.services.funding
    slug, _, by = accepted(town, lead)
    before = town.services.duties.reporting.of_project(slug, by=by)[0].allocation.ends_on
    share = books.shares()[0]
    left = next(one.unawarded for one in books.table(by=town.operator) if one.resource is GPU) // MICRO
    town.project(town.person("weefsel"), gpu_hours=left - 19)
    with pytest.raises(CreditsExhausted) as refused:
        extending.extend(slug, by=by)
    assert refused.value.fields["share"] == share.id
    assert town.services.duties.reporting.of_project(slug, by=by)[0].allocation.ends_on == before
    assert granted(town, slug) == 200 * MICRO
    assert books.balanced()


def test_europes_share_extends_within_its_cap_on_science_and_for_civilian_use_alone(town: Town, lead: Caller) -> None:
    funder = town.person("europe", "funder", kind="funder")
    hours = {"gpu_hour": 800, "cpu_hour": 10_000_000, "expert_hour": 1_000}
    town.services.giving.contribute("europe", "eu", 10, hours, name="europe", by=town.operator)
    application = decided(town, lead)
    made, project = town.services.awarding.award_decided(application, 200, share="europe", by=town.operator)
    by, duty = town.again(lead), f"{made.id}.interim"
    file(town, duty, INTERIM, by)
    town.services.duties.reporting.accept(duty, by=funder)
    with pytest.raises(CreditsExhausted, match="science: at most 25 %"):
        town.services.duties.extending.extend(project.slug, by=by)
    assert granted(town, project.slug) == 200 * MICRO


def test_letters_go_out_once_at_each_point_and_to_the_lead_alone(town: Town, lead: Caller) -> None:
    reminding = town.services.duties.reminding
    _, allocation = a_science_project(town, lead)
    told = []
    for step in (62, 1, 0, 22, 1, 7, 1, 5):
        days(town, step)
        written = reminding.remind()
        sent = reminding.take_unsent()
        assert len(sent) == written
        for one, to in sent:
            reminding.mailed(one)
            told.append((one.what, one.percent, to))
    to = town.services.access.person(lead.person).email
    assert told == [("coming", 30, to), ("coming", 7, to), ("overdue", 0, to)]
    assert allocation in sentence(sent[0][0]) if sent else True
    by = town.again(lead)
    file(town, f"{allocation}.interim", INTERIM, by)
    town.services.duties.reporting.accept(f"{allocation}.interim", by=town.operator)
    days(town, 1)
    assert reminding.remind() == 0


def test_thanks_say_what_each_share_really_paid_and_in_which_quarters(town: Town, lead: Caller) -> None:
    acknowledging, funding = town.services.duties.acknowledging, town.services.funding
    slug, allocation = a_science_project(town, lead)
    by, project = town.again(lead), town.services.access.project(slug)
    assert acknowledging.of_project(slug, "en", by=by) == []
    for job, used in (("job_1", 1_500_000), ("job_2", 2_000_000)):
        funding.hold(project.id, project.purpose, GPU, 4 * MICRO, job)
        funding.settle(job, used)
        days(town, 60)
    (one,) = acknowledging.of_project(slug, "en", by=by)
    assert one.text == "Speech used 3.5 GPU-hours on this AI factory in 2026Q4 and 2027Q1, paid for by The Factory."
    funder = town.person("factory", "funder")
    acknowledging.set("nation", nl="Dank aan {funder}: {hours}, {quarters}.", en="{hours} in {quarters}", by=funder)
    assert [one.text for one in acknowledging.of_project(slug, "nl", by=by)] == [
        "Dank aan The Factory: 3.5 GPU-hours, 2026Q4 en 2027Q1."
    ]
    books = town.services.funding.entries(account_name=account(Kind.USAGE, allocation), limit=10, by=town.operator)
    assert sum(entry.amount_micro for entry in books) == 3_500_000


def test_a_funder_sets_its_own_words_and_no_others(town: Town, lead: Caller) -> None:
    acknowledging = town.services.duties.acknowledging
    other = town.person("europe", "funder", kind="funder")
    with pytest.raises(NotPermitted, match="its own share"):
        acknowledging.set("nation", nl="x", en="x", by=other)
    with pytest.raises(NotPermitted):
        acknowledging.set("nation", nl="x", en="x", by=lead)
    with pytest.raises(NotFound):
        acknowledging.set("none", nl="x", en="x", by=town.operator)
    for wrong in ("", "{secret}", "{hours.__class__}", "{0}", "{hours", "}", "x" * 1_001):
        with pytest.raises(InvalidInput):
            acknowledging.set("nation", nl="goed", en=wrong, by=town.operator)
    slug, _ = a_science_project(town, lead)
    with pytest.raises(NotPermitted):
        acknowledging.of_project(slug, "en", by=other)


def test_every_form_is_filled_in_by_the_answers_that_tests_give(town: Town) -> None:
    for name, answers in (("interim", INTERIM), ("final", FINAL)):
        asked = town.services.duties.reporting.rules.form(name)
        assert {one.name for one in asked.fields if one.required} == set(answers)


def test_a_reminder_reaches_the_lead_through_the_relay_once(database: Database, tmp_path: Path) -> None:
    with taking_mail() as mailbox:
        mail = {
            "mail_host": "127.0.0.1",
            "mail_port": mailbox.port,
            "mail_tls": "none",
            "mail_from": "factory@factory.example",
        }
        town = a_town(database, tmp_path / "home", **mail)
        lead = town.person("academy", kind="university")
        _, allocation = a_science_project(town, lead)
        days(town, 94)
        messenger = Messenger(town.services)
        try:
            for _ in range(3):
                town.services.duties.reminding.remind()
                town.clock.move(timedelta(seconds=2))
                messenger.round()
                wait(messenger._going)
                town.clock.move(timedelta(hours=1))
        finally:
            messenger.close()
        letters = [letter for _, letter in mailbox.came if str(letter["Subject"]).startswith("Report:")]
    (letter,) = letters
    assert letter["To"] == town.services.access.person(lead.person).email
    text = letter.get_payload()
    assert f"fabriek report file {allocation}.interim" in text.replace("=\n", "").replace("\n", " ")
    assert f"/duties/{allocation}.interim" in text.replace("=\n", "")
    assert "Speech" not in text
