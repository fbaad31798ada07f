"""A review in a real browser, from the desk to a decision, by forms alone; and over HTTP the steps that are asked for out of turn."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from tests.contract.test_reviewing import Jury, by_committee
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-reviewing")]


class House:
    """A jury behind a real address, and a window without JavaScript for each of its people."""

    def __init__(self, jury: Jury, url: str, browser: Browser) -> None:
        self.jury, self.url, self._browser = jury, url, browser

    def page(self, person: Caller, path: str) -> Page:
        shown = self._browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False).new_page()
        link = self.jury.town.services.identity.issue_link(person.person, by=person)
        shown.goto(f"{self.url}/sign-in/{link}")
        shown.get_by_role("button", name="Sign in").first.click()
        shown.wait_for_url(f"{self.url}/")
        shown.goto(self.url + path)
        return shown

    def sound(self, person: Caller, path: str, name: str) -> None:
        """No serious fault, and nothing wider than the window."""
        shown = self._browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        link = self.jury.town.services.identity.issue_link(person.person, by=person)
        shown.goto(f"{self.url}/sign-in/{link}")
        shown.get_by_role("button", name="Sign in").first.click()
        shown.wait_for_url(f"{self.url}/")
        shown.goto(self.url + path)
        for width, scheme in ((1280, "light"), (320, "dark")):
            shown.set_viewport_size({"width": width, "height": 900})
            shown.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            found = [one for one in Axe().run(shown).response["violations"] if one["impact"] in {"serious", "critical"}]
            assert found == []
            if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
                shown.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
            assert shown.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"


@pytest.fixture
def house(tmp_path: Path, browser: Browser) -> Iterator[House]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: reviews in the browser were not tried")
    database = a_database(tmp_path / "fabriek.db")
    jury = Jury(a_town(database, tmp_path / "home", **by_committee(tmp_path)))
    services = jury.town.services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        yield House(jury, url, browser)
    database.close()


def test_from_the_desk_to_a_decision_by_forms_alone(house: House) -> None:
    jury = house.jury
    app = jury.submitted()
    runs = [{"nodes": n, "seconds": s, "input": "large"} for n, s in ((1, 1000), (2, 520), (4, 300), (8, 260))]
    jury.review.desk.measure(app, runs, 8, by=jury.applicant)
    desk = house.page(jury.reviewer, "/reviews")
    desk.get_by_role("link", name="A model").click()
    desk.get_by_label("Ask the applicant").fill("Which data is it?")
    desk.get_by_role("button", name="Ask").click()
    mine = house.page(jury.applicant, f"/reviews/{app}")
    expect(mine.locator("#state")).to_contain_text("waits for the applicant")
    mine.get_by_label("Your answer").fill("Our own.")
    mine.get_by_role("button", name="Answer").click()
    expect(mine.locator("#questions")).to_contain_text("Our own.")
    desk.goto(f"{house.url}/reviews/{app}")
    house.sound(jury.reviewer, f"/reviews/{app}", "review-technical")
    desk.get_by_label("Motive of the technical check").fill("It fits.")
    desk.get_by_role("button", name="It fits").click()
    for expert in jury.experts[:2]:
        desk.get_by_label("Ask an expert").fill(expert.person)
        desk.get_by_role("button", name="Ask them").click()
    house.sound(jury.experts[0], f"/reviews/{app}", "review-expert")
    for number, expert in enumerate(jury.experts[:2]):
        page = house.page(expert, f"/reviews/{app}")
        assert "WORDS-0" not in page.content()
        for name in ("Excellence", "Impact", "Implementation"):
            page.get_by_label(name).fill("4")
        page.get_by_label("What you found").fill(f"WORDS-{number}")
        page.get_by_label("I have no conflict").check()
        page.get_by_role("button", name="Hand it in").click()
    house.sound(jury.chair, f"/reviews/{app}", "review-committee")
    chair = house.page(jury.chair, f"/reviews/{app}")
    expect(chair.locator("#assessments")).to_contain_text("WORDS-1")
    chair.get_by_label("GPU-hours").fill("60")
    chair.get_by_label("Motive").fill("Good work.")
    chair.get_by_role("button", name="Decide").click()
    expect(chair.locator("#decision")).to_contain_text("60 GPU-hours")
    mine.goto(f"{house.url}/reviews/{app}")
    expect(mine.locator("#decision")).to_contain_text("Good work.")
    expect(mine.locator("#decision")).to_contain_text("object until")
    assert "WORDS-" not in mine.content()
    house.sound(jury.applicant, "/reviews", "reviews-applicant")


def test_over_http_no_step_is_skipped_and_no_stranger_looks(house: House) -> None:
    jury = house.jury
    app = jury.with_experts()

    def call(who: Caller, method: str, path: str, **said: object) -> httpx.Response:
        token = jury.town.services.identity.issue_token(who.person, by=who)
        head = {"Authorization": f"Bearer {token}"}
        url = f"{house.url}/api/v1/reviews/{app}{path}"
        return httpx.request(method, url, json=said or None, headers=head, trust_env=False)

    stranger = jury.town.person("stranger")
    early = call(jury.chair, "POST", "/decision", verdict="award", words="now")
    assert (early.status_code, early.json()["code"]) == (409, "wrong_state")
    for path in ("", "/history", "/history.csv"):
        assert call(stranger, "GET", path).status_code == 404
    assert call(stranger, "POST", "/decision", verdict="award", words="x").status_code == 403
    assert call(jury.experts[2], "POST", "/assessment", scores={}, text="x").status_code == 404
    wrong = call(jury.experts[0], "POST", "/assessment", scores={"impact": 9}, text="x", no_conflict=True)
    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["errors"]} == {"excellence", "impact", "implementation"}
    scores = {"excellence": 1, "impact": 1, "implementation": 1}
    assert (
        call(jury.experts[0], "POST", "/assessment", scores=scores, text="HIDDEN", no_conflict=True).status_code == 200
    )
    for person in (jury.experts[1], jury.reviewer, jury.chair, jury.applicant):
        for path in ("", "/history", "/history.csv"):
            said = call(person, "GET", path).text
            assert "HIDDEN" not in said
            assert "assessed" not in said
    inside = jury.town.person("weefsel", "expert")
    refused = call(jury.reviewer, "POST", "/experts", person=inside.person)
    assert (refused.status_code, refused.json()["rule"]) == (403, "conflict.organisation")
