"""A served model's page in a real browser: a key made, shown this once, and ended; and what axe has to say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.portal import app as portal
from tests.factories.serving import FILES, Counter, a_counter
from tests.factories.tables import a_database
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-proposals")]


@dataclass
class Window:
    page: Page
    counter: Counter
    url: str


@pytest.fixture
def window(tmp_path: Path, browser: Browser) -> Iterator[Window]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: no key was made in the browser")
    database = a_database(tmp_path / "fabriek.db")
    with a_counter(database, tmp_path / "home") as counter:
        counter.register("smol", FILES)
        counter.running(counter.serve())
        services, person = counter.town.services, counter.shop.person
        app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
        with serving(app) as url:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.goto(f"{url}/sign-in/{services.identity.issue_link(person.person, by=person)}")
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{url}/")
            yield Window(page, counter, url)
    database.close()


def test_a_key_is_made_shown_once_and_ended(window: Window) -> None:
    page, counter = window.page, window.counter
    project, admitting = counter.shop.project, counter.town.services.admitting
    page.goto(f"{window.url}/projects/{project}")
    page.get_by_role("region", name="Served models").get_by_role("link", name="smol").click()
    expect(page.locator("pre").first).to_contain_text(f"OPENAI_BASE_URL={window.url}/serve/{project}/smol/v1")
    page.get_by_label("For whom").fill("The <b>planners</b>")
    page.get_by_label("Budget").fill("lots")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("alert")).to_contain_text("is no budget")
    page.get_by_label("For whom").fill("The <b>planners</b>")
    page.get_by_label("Budget").fill("100 requests/day")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator("pre").first.inner_text().strip()
    assert re.fullmatch(r"fks_[\w-]{43}", secret)
    assert admitting.admit(secret, project, "smol").key.name == "The <b>planners</b>"
    sound(page, "served-new-key")
    page.goto(f"{window.url}/projects/{project}/served/smol")
    assert secret not in page.content()
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator("tbody tr")).to_contain_text("99")
    page.get_by_role("button", name="End the key").click()
    expect(page.locator("tbody tr")).to_contain_text("ended: by hand")
    assert not admitting.still_opens(counter.town.services.serving.keys(project, "smol", by=counter.shop.person)[0].id)
    page.get_by_role("button", name="Stop serving").click()
    expect(page.get_by_role("button", name="Stop serving")).to_be_visible()  # until its job has ended
    sound(page, "served")
