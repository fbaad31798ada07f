"""The desk in a real browser without any script: questions, cases with their document, experts, matches and training."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, HOSTILE, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]


class Hall:
    """A factory, served, with an asker who has a project, an expert, somebody of the desk and a teacher."""

    def __init__(self, town: Town, browser: Browser, url: str = "") -> None:
        self.town, self.services, self.browser, self.url = town, town.services, browser, url
        asker = town.person("ziekenhuis", kind="hospital")
        self.project = town.project(asker)
        self.asker = town.again(asker)
        self.expert, self.clerk = town.person("centrum", "expert"), town.person("factory", "desk")
        self.teacher = town.person("factory", "teacher")

    def enter(self, who: Caller, *, script: bool = False) -> Page:
        page = self.browser.new_context(java_script_enabled=script).new_page()
        page.goto(f"{self.url}/sign-in/{self.services.identity.issue_link(who.person, by=who)}")
        page.get_by_role("button", name="Sign in").click()
        return page

    def look(self, who: Caller, pages: dict[str, str]) -> None:
        """axe, which is a script, looks at them wide and narrow."""
        page = self.enter(who, script=True)
        for name, address in pages.items():
            page.goto(f"{self.url}{address}")
            sound(page, f"desk-{name}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        page.context.close()


@pytest.fixture
def hall(tmp_path: Path, browser: Browser) -> Iterator[Hall]:  # the fixture of the same name
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the desk was not looked at")
    database = a_database(tmp_path / "fabriek.db")
    made = Hall(a_town(database, tmp_path / "home"), browser)
    app = api.build(made.services, portal=portal.routes(made.services), page_of=portal.page_of(made.services))
    with serving(app) as url:
        made.url = url
        yield made
    database.close()


def test_an_answer_is_accepted_and_a_question_becomes_a_case_that_is_solved_with_its_document(hall: Hall) -> None:
    asked = hall.services.desk.ask("How do I know that <b>it</b> works?", by=hall.asker)
    for text in ("Guess.", "Draw a curve."):
        hall.services.desk.answer(asked.id, text, by=hall.expert)
    page = hall.enter(hall.asker)
    page.get_by_role("link", name="Questions").click()
    page.get_by_role("button", name="Accept the answer of").last.click()
    expect(page.locator("li.card p").first).to_have_text("Draw a curve.")
    expect(page.get_by_text("accepted", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Make a case of").click()
    expect(page.locator("h1")).to_have_text("How do I know that <b>it</b> works?")
    case = page.url.rpartition("/")[2]
    page.get_by_label("Say more").fill(HOSTILE)
    page.get_by_role("button", name="Say", exact=True).click()
    assert page.locator("main script, main img").count() == 0

    desk = hall.enter(hall.clerk)
    desk.goto(f"{hall.url}/cases")
    desk.get_by_role("link", name="How do I know").click()
    hall.services.desk.offer("Statistics.", skills=["statistics"], by=hall.expert)
    desk.reload()
    desk.get_by_label("Hand over to").select_option(hall.expert.person)
    desk.locator("#hand-why").fill("knows statistics")
    desk.get_by_role("button", name="Hand over").click()
    desk.goto(f"{hall.url}/cases/{case}")
    desk.get_by_label("Level").select_option("L3")
    desk.locator("#level-why").fill("it is a project")
    desk.get_by_role("button", name="Change the level").click()
    expect(desk.get_by_text("L3, a project with a use-case document")).to_be_visible()
    desk.get_by_label("It is now").select_option("solved")
    desk.get_by_label("Why, or how").fill("done")
    desk.get_by_role("button", name="Move").click()
    expect(desk.get_by_text("nothing stands under value")).to_be_visible()

    page.goto(f"{hall.url}/cases/{case}")
    page.get_by_label("Heads in").select_option("nl")
    for head in ("Value", "Data", "Metrics", "Risks", "Compliance", "Resources"):
        page.get_by_label(head).fill(f"Over {head}.\n\n<script>alert(1)</script>")
    page.get_by_role("button", name="Keep this version").click()
    expect(page.get_by_text("nothing stands under Plan")).to_be_visible()
    expect(page.get_by_role("heading", name="Waarde")).to_be_visible()
    page.get_by_text("Change it").click()
    page.get_by_label("Plan").fill("In maart.")
    page.get_by_role("button", name="Keep this version").click()
    expect(page.get_by_text("every head says something")).to_be_visible()
    page.get_by_role("link", name="version 1").click()
    expect(page.get_by_text("written by")).to_be_visible()
    hall.services.casework.move(case, "solved", "done", by=hall.expert)
    hall.services.casework.open("Leaves", "Which?", project=hall.project, by=hall.asker)
    hall.look(hall.clerk, {"questions": "/questions", "cases": "/cases", "case": f"/cases/{case}"})
    stranger = hall.enter(hall.town.person("elders"))
    stranger.goto(f"{hall.url}/cases/{case}")
    expect(stranger.get_by_text("there is no such thing, or you may not know of it")).to_be_visible()


def test_an_expert_is_found_by_a_skill_and_booked_within_their_week(hall: Hall) -> None:
    expert = hall.enter(hall.expert)
    expert.goto(f"{hall.url}/experts")
    expert.get_by_label("In your own words").fill("Small samples.")
    expert.locator("#offer").get_by_label("Statistics, calibration").check()
    expert.get_by_label("Languages, by two letters").fill("nl, en")
    expert.get_by_label("Hours a week").fill("3")
    expert.get_by_role("button", name="Keep").click()
    page = hall.enter(hall.asker)
    page.goto(f"{hall.url}/projects/{hall.project}")
    expect(page.get_by_text("of 4 expert-hours left")).to_be_visible()
    page.goto(f"{hall.url}/experts?q=steekproef")
    expect(page.get_by_text("Nobody who knows that yet.")).to_be_visible()
    page.get_by_label("Words").fill("sample statistiek")
    page.get_by_role("button", name="Search").click()
    page.locator("summary").click()
    page.get_by_label("Hours", exact=True).fill("2")
    page.get_by_label("What for").fill("our curve")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.locator("#bookings tbody tr")).to_have_count(1)
    expect(page.get_by_text("1 of 3 hours left this week, 2 booked")).to_be_visible()
    page.locator("summary").click()
    page.get_by_label("Hours", exact=True).fill("2")
    page.get_by_label("What for").fill("again")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("1 are left in the week of")).to_be_visible()
    expert.reload()
    expert.get_by_role("button", name="The hours for our curve were given").click()
    expect(expert.locator("#bookings")).to_contain_text("done")
    hall.look(hall.asker, {"experts": "/experts"})
    hall.look(hall.expert, {"expert": "/experts"})


def test_a_need_and_an_offer_meet_and_nobody_is_named_before(hall: Hall) -> None:
    firm = hall.town.person("bladerbv")
    hall.services.matching.post(
        "offer", "We know leaves, in Deventer.", skills=["computer-vision"], region="Overijssel", by=firm
    )
    page = hall.enter(hall.asker)
    page.goto(f"{hall.url}/matches")
    page.get_by_label("What it is about").fill("Which leaf is ill?")
    page.get_by_label("Computer vision, images").check()
    page.get_by_role("button", name="Post").click()
    expect(page.locator("#found")).to_contain_text("Computer vision, images")
    for word in ("Bladerbv", "bladerbv", "Deventer", "Overijssel", "Somebody <"):
        assert word not in page.content()
    hall.look(hall.asker, {"match-before": "/matches"})
    page.get_by_role("button", name="Yes, tell them who we are").click()
    expect(page.get_by_text("You said yes.")).to_be_visible()
    assert "Deventer" not in page.content()
    (theirs,) = hall.services.matching.matches(by=firm)
    hall.services.matching.answer(theirs.match.id, yes=True, by=firm)
    page.reload()
    expect(page.get_by_text("We know leaves, in Deventer.")).to_be_visible()
    hall.look(hall.asker, {"match-met": "/matches"})
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("over", exact=True)).to_be_visible()
    assert "Deventer" not in page.content()


def test_a_lesson_is_planned_filled_and_given(hall: Hall) -> None:
    day = hall.town.clock.today() + timedelta(days=3)
    teacher = hall.enter(hall.teacher)
    teacher.goto(f"{hall.url}/training")
    teacher.get_by_label("Course").select_option("secured-data")
    teacher.get_by_label("Day").fill(str(day))
    teacher.get_by_label("Where").fill("Groningen, zaal <3>")
    teacher.get_by_label("Seats").fill("1")
    teacher.get_by_role("button", name="Plan").click()
    lesson = teacher.url.rpartition("/")[2]
    first, second = hall.enter(hall.asker), hall.enter(hall.expert)
    for page in (first, second):
        page.goto(f"{hall.url}/training")
        page.get_by_role("button", name="Take a place in").or_(page.get_by_role("button", name="Wait for")).click()
    expect(second.get_by_text("waiting, number 1")).to_be_visible()
    hall.look(hall.asker, {"training": "/training"})
    first.reload()
    first.get_by_role("button", name="Give back").click()
    second.reload()
    expect(second.get_by_text("booked", exact=True)).to_be_visible()
    hall.town.clock.move(timedelta(days=3))
    teacher = hall.enter(hall.teacher)
    teacher.goto(f"{hall.url}/training/{lesson}")
    hall.look(hall.teacher, {"lesson": f"/training/{lesson}", "plan": "/training"})
    teacher.get_by_role("button", name="was there").click()
    expect(teacher.get_by_text("attended")).to_be_visible()
    second = hall.enter(hall.expert)
    second.goto(f"{hall.url}/training")
    expect(second.get_by_text("Working with secured data, 2026-11-27, counts until 2028-11-26")).to_be_visible()
