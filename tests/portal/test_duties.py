"""A report in a real browser: owed on one's first page, filled in and filed by its lead, returned and accepted by who paid."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import Caller
from fabriek.kernel.units import MICRO
from fabriek.portal import app as portal
from tests.factories.duties import a_science_project, days
from tests.factories.services import Town, a_town
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-reviewing")]


class House:
    """A town behind a real address, and a window for each of its people."""

    def __init__(self, town: Town, url: str, browser: Browser) -> None:
        self.town, self.url, self._browser = town, url, browser

    def page(self, person: Caller, path: str, *, scripts: bool = False) -> Page:
        window = {"width": 1280, "height": 900}
        shown = self._browser.new_context(viewport=window, java_script_enabled=scripts).new_page()  # type: ignore[arg-type]
        link = self.town.services.identity.issue_link(person.person, by=person)
        shown.goto(f"{self.url}/sign-in/{link}")
        shown.get_by_role("button", name="Sign in").first.click()
        shown.wait_for_url(f"{self.url}/")
        shown.goto(self.url + path)
        return shown

    def sound(self, person: Caller, path: str, name: str) -> None:
        """No serious fault, and nothing wider than the window."""
        shown = self.page(person, path, scripts=True)
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
        pytest.skip("Chromium is not installed: reports in the browser were not tried")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(database.engine)
    town = a_town(database, tmp_path / "home")
    town.services.giving.contribute("factory", "national", 1, {"gpu_hour": 4_000}, by=town.operator)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        yield House(town, url, browser)
    database.close()


def test_a_report_is_filed_returned_and_accepted_by_forms_alone(house: House) -> None:
    town = house.town
    lead = town.person("academy", kind="university")
    slug, allocation = a_science_project(town, lead)
    lead, duty = town.again(lead), f"{allocation}.interim"
    days(town, 95)
    mine = house.page(lead, "/")
    expect(mine.locator("#reports")).to_contain_text("2 days overdue")
    house.sound(lead, "/", "my-work")
    mine.get_by_role("link", name="Interim report of Speech").click()
    expect(mine.get_by_text("gets no new award")).to_be_visible()
    mine.get_by_label("What came out so far?").fill("Two of five languages.")
    mine.get_by_label("How much of the plan is done?").fill("150")
    mine.get_by_role("button", name="File the report").click()
    expect(mine.get_by_role("alert")).to_contain_text("at most 100")
    mine.get_by_label("How much of the plan is done?").fill("50")
    mine.get_by_role("button", name="File the report").click()
    expect(mine.get_by_role("alert")).to_contain_text("is missing")
    house.sound(lead, f"/duties/{duty}", "report-form")
    expect(mine.get_by_label("What came out so far?")).to_have_value("Two of five languages.")
    mine.get_by_label("What were the hours used for").fill("Training.")
    mine.get_by_label("What changed since the application").fill("Nothing.")
    mine.get_by_role("button", name="File the report").click()
    expect(mine.get_by_role("button", name="File the report")).to_have_count(0)

    desk = house.page(town.operator, "/")
    desk.locator("#reports-to-accept").get_by_role("link", name="Interim report of Speech").click()
    house.sound(town.operator, f"/duties/{duty}", "report-decide")
    desk.get_by_label("What is to be mended").fill("Which languages?")
    desk.get_by_role("button", name="Return it").click()
    mine.goto(f"{house.url}/duties/{duty}?lang=nl")
    expect(mine.get_by_text("Which languages?")).to_be_visible()
    mine.get_by_label("Wat is er tot nu toe uitgekomen?").fill("Frysk en Nedersaksisch.")
    mine.get_by_role("button", name="Rapport inleveren").click()
    desk.goto(f"{house.url}/duties/{duty}")
    desk.get_by_role("button", name="Accept the report").click()
    mine.goto(f"{house.url}/projects/{slug}")
    expect(mine.locator("#duties")).to_contain_text("accepted")
    house.sound(lead, f"/projects/{slug}", "project-duties")
    mine.get_by_role("button", name="Extend by 3 months and 10 %").click()
    expect(mine.get_by_text("of 220 GPU-hours left")).to_be_visible()
    expect(mine.get_by_role("button", name="Extend by")).to_have_count(0)
    project = town.services.access.project(slug)
    town.services.funding.hold(project.id, project.purpose, Resource.GPU_HOUR, 2 * MICRO, "job_1")
    town.services.funding.settle("job_1", MICRO)
    mine.reload()
    expect(mine.locator("#duties")).to_contain_text("Speech used 1 GPU-hour on this AI factory in 2027Q1")


def test_what_is_typed_is_kept_and_what_another_changed_is_not_written_over(house: House) -> None:
    town = house.town
    lead = town.person("academy", kind="university")
    _, allocation = a_science_project(town, lead)
    lead, duty = town.again(lead), f"{allocation}.interim"
    page = house.page(lead, f"/duties/{duty}", scripts=True)
    page.get_by_label("What changed since the application").fill("One partner left.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    reporting = town.services.duties.reporting
    assert reporting.show(duty, by=lead).report.answers == {"changed": "One partner left."}
    reporting.keep(duty, {"changed": "Another word."}, by=lead)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else changed")
    assert reporting.show(duty, by=lead).report.answers == {"changed": "Another word."}
    stranger = house.page(town.person("weefsel"), f"/duties/{duty}")
    expect(stranger.locator("main")).to_contain_text("There is no such thing")
