"""How a project stands with its credits, on its page, in a real browser."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fabriek.api import app as api
from fabriek.funding.resources import Resource
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.spending import Purse
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
        pytest.skip("Chromium is not installed: no project's page was looked at")
    database = a_database(tmp_path / "fabriek.db")
    yield a_town(database, tmp_path / "home")
    database.close()


def test_a_projects_page_says_what_ran_out_what_comes_next_and_when_it_is_over(town: Town, browser: Browser) -> None:
    lead = town.person("weefsel")
    purse = Purse(town, town.project(lead, gpu_hours=100))
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        page = entered(browser, url, town, lead)
        page.goto(f"{url}/projects/{purse.slug}")
        card = page.locator(".card", has=page.get_by_role("heading", name="Credits"))
        expect(card).to_contain_text("Its allocation ends on 2026-12-25, in 31 days")
        expect(card.locator(".tag")).to_have_count(0)
        purse.give(Resource.TIB_HOUR, 5)
        purse.spend(Resource.TIB_HOUR, 5)
        page.reload()
        expect(card.locator(".tag.warn")).to_have_text("no new jobs")
        expect(card).to_contain_text(
            "Access to its data is shut on 2026-12-24 if no TiB-hours come; nothing is deleted."
        )
        sound(page, "credits-empty")
        town.services.running_out.round()
        town.clock.move(timedelta(days=30))
        purse.owe(Resource.TIB_HOUR, 2)
        page = entered(browser, url, town, lead)
        expect(page.locator(".cards .tag.warn")).to_have_text("no new jobs")  # as the worker last found it
        town.services.running_out.round()
        page.reload()
        expect(page.locator(".cards .tag.bad")).to_have_text("data shut")
        sound(page, "my-work-shut")
        page.goto(f"{url}/projects/{purse.slug}")
        card = page.locator(".card", has=page.get_by_role("heading", name="Credits"))
        expect(card.locator(".tag.bad")).to_have_text("data shut")
        expect(card).to_contain_text("There are no TiB-hours left, and 2 TiB-hours are owed")
        expect(card.get_by_role("link", name="Apply for more")).to_be_visible()
        sound(page, "credits-shut")
