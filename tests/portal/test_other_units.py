"""Every resource of a project on its page, with what it used and owes, in a real browser."""

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
from tests.factories.metering import give
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
        pytest.skip("Chromium is not installed: no project's page was looked at")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(database.engine)
    yield a_town(database, tmp_path / "home")
    database.close()


def test_a_projects_page_lists_every_resource_with_what_is_used_and_owed(town: Town, browser: Browser) -> None:
    lead = town.person("weefsel")
    slug = town.project(lead)
    project = town.services.access.project(slug).id
    give(town, slug, Resource.TIB_HOUR, 10)
    give(town, slug, Resource.TOKEN, 1_000)
    now, metering = town.clock.now(), town.services.metering
    metering.book(project, Purpose.CIVILIAN, Resource.TIB_HOUR, 4 * MICRO, "a", now)
    metering.book(project, Purpose.CIVILIAN, Resource.TOKEN, 1_250 * MICRO, "b", now)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        page = entered(browser, url, town, lead)
        page.goto(f"{url}/projects/{slug}")
        card = page.locator(".card", has=page.get_by_role("heading", name="Credits"))
        for resource in ("GPU-hours", "CPU-hours", "expert-hours"):
            expect(card).to_contain_text(f"{resource} left")
        expect(card).to_contain_text("of 10 TiB-hours left, 4 used, 0 held")
        expect(card).to_contain_text("of 1,000 tokens left, 1,250 used, 0 held")
        expect(card).to_contain_text("250 tokens: paid first out of what is awarded next")
        sound(page, "other-units")
