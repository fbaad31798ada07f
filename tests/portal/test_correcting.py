"""A charge is looked at and set right in a real browser; what is wrong with the form is said, and what was written stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.funding.resources import Resource
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.portal.test_agreements import sound
from tests.portal.test_classes import entered
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: no charge was set right in a browser")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(database.engine)
    yield a_town(database, tmp_path / "home")
    database.close()


def test_a_charge_is_found_and_set_right(town: Town, browser: Browser) -> None:
    slug = town.project(town.person("weefsel"), gpu_hours=10)
    project, funding = town.services.access.project(slug).id, town.services.funding
    funding.hold(project, Purpose.CIVILIAN, Resource.GPU_HOUR, 5 * MICRO, "job_1")
    funding.settle("job_1", 4 * MICRO)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        page = entered(browser, url, town, town.operator)
        page.goto(f"{url}/funding")
        page.get_by_role("link", name="Set a charge right").click()
        page.get_by_label("Job, reading or posting").fill("job_none")
        page.get_by_role("button", name="Show it").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was charged by this name")
        page.get_by_label("Job, reading or posting").fill("job_1")
        page.get_by_role("button", name="Show it").click()
        stands = page.locator(".card", has=page.get_by_role("heading", name="What it stands at"))
        expect(stands).to_contain_text("4 GPU-hours, paid by")
        expect(stands).to_contain_text(slug)
        page.get_by_label("It should have been").fill("-1")
        page.get_by_label("Why").fill("the node failed")
        page.get_by_role("button", name="Set it right").click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be")
        expect(page.get_by_label("Why")).to_have_value("the node failed")
        page.get_by_label("It should have been").fill("1.5")
        page.get_by_role("button", name="Set it right").click()
        expect(stands).to_contain_text("1.5 GPU-hours, paid by")
        expect(stands).to_contain_text("the node failed")
        sound(page, "correction")
        # From a report's lines one comes to the same page.
        page.goto(f"{url}/funding/reports/nation/2026Q4/entries?row=used&resource=gpu_hour")
        page.get_by_role("link", name="Set led_").first.click()
        expect(stands).to_contain_text("1.5 GPU-hours, paid by")
