"""When a job would start, asked in a real browser without any script, in both languages; and what a job that waits is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.api import app as api
from fabriek.portal import app as portal
from fabriek.worker.admission import admit_jobs
from tests.contract.test_forecasting import WHOLE, Hall
from tests.factories.services import a_town
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: no forecast was asked for in a browser")
    made = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(made.engine)
    yield made
    made.close()


def test_when_a_job_would_start_is_asked_in_both_languages_without_any_script(
    database: Database, tmp_path: Path, browser: Browser
) -> None:
    hall = Hall(a_town(database, tmp_path / "home"), database)
    hall.past()
    hall.busy()
    waits = hall.submit(WHOLE)
    admit_jobs(hall.services)
    hall.services.foretelling.round()
    services = hall.services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url, browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{url}/sign-in/{services.identity.issue_link(hall.person.person, by=hall.person)}")
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{url}/projects/{hall.project}/jobs")
        expect(page.get_by_text("it will probably start today")).to_be_visible()
        page.get_by_role("link", name="When would one start?").click()
        page.get_by_label("Longest time").fill("soon")
        page.get_by_role("button", name="When would it start?").click()
        expect(page.get_by_role("alert")).to_contain_text("'soon' is not a duration")
        assert page.get_by_label("Longest time").input_value() == "soon"
        page.get_by_label("Longest time").fill("10m")
        page.get_by_label("CPUs").fill("99")
        page.get_by_role("button", name="When would it start?").click()
        expect(page.get_by_role("alert")).to_contain_text("the whole machine has")
        page.get_by_label("CPUs").fill("4")
        page.get_by_role("button", name="When would it start?").click()
        expect(page.get_by_role("status")).to_contain_text("4 CPUs, for 10m: today")
        page.get_by_role("link", name="In het Nederlands").click()
        page.get_by_label("Langste tijd").fill("10m")
        page.get_by_role("button", name="Wanneer zou het beginnen?").click()
        expect(page.get_by_role("status")).to_contain_text("1 CPU, voor 10m: vandaag")
        assert page.locator("main").get_attribute("lang") == "nl"
        asked = page.url
        page.goto(f"{url}/projects/{hall.project}/jobs/{waits.id}")
        expect(page.get_by_text("most likely about")).to_be_visible()
        state = context.storage_state()
        page.goto(f"{url}/machine")
        expect(page.get_by_role("heading", name="Forecasts of starts")).to_be_visible()
        with browser.new_context(storage_state=state) as scripted:
            looked = scripted.new_page()
            looked.goto(asked)
            sound(looked, "forecast")
            assert looked.evaluate("document.documentElement.scrollWidth") <= 320
