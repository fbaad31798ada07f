"""Kinds of work in a real browser: chosen in the form, shown with the job, and listed with the machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fabriek.api import app as api
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_agreements import sound
from tests.portal.test_classes import entered
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: no form with kinds of work was looked at")
    database = a_database(tmp_path / "fabriek.db")
    yield a_town(database, tmp_path / "home")
    database.close()


def test_a_kind_is_chosen_shown_with_the_job_and_listed_with_what_it_draws(town: Town, browser: Browser) -> None:
    lead = town.person("weefsel")
    project = town.project(lead)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        page = entered(browser, url, town, lead)
        page.goto(f"{url}/projects/{project}/jobs/new")
        page.get_by_label("Command").fill("python train.py")
        page.get_by_label("Kind of work").select_option("speech-training")
        sound(page, "new-job-with-kinds")
        page.get_by_role("button", name="What would become of it?").click()
        expect(page.get_by_label("Kind of work")).to_have_value("speech-training")
        page.get_by_role("button", name="Submit").click()
        expect(page.locator("dt", has_text="Work").locator("xpath=following-sibling::dd[1]")).to_have_text(
            "speech-training"
        )
        page.goto(f"{url}/machine")
        page.get_by_text("What kinds of work draw").click()
        row = page.get_by_role("row", name="recommendation-training")
        expect(row).to_contain_text("21 %")
        expect(row).to_contain_text("72 W")
        sound(page, "machine-with-kinds")
