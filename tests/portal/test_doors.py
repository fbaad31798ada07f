"""What one has open, in a real browser: a token made and shown once, another session ended, and what axe has to say."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fabriek.access.login.credentials import PREFIX
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-proposals")]


@dataclass
class Window:
    page: Page
    town: Town
    person: Caller
    project: str
    url: str


@pytest.fixture
def window(tmp_path: Path, browser: Browser) -> Iterator[Window]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: no session was ended in the browser")
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    services = town.services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(f"{url}/sign-in/{services.identity.issue_link(person.person, by=person)}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        yield Window(page, town, person, project, url)
    database.close()


def test_a_token_is_made_and_shown_once_and_all_others_are_ended(window: Window) -> None:
    page, identity = window.page, window.town.services.identity
    page.get_by_role("link", name="Somebody").click()
    page.get_by_role("link", name="Sessions and tokens").click()
    page.wait_for_url(f"{window.url}/account/doors")
    expect(page.get_by_text("this one")).to_have_count(1)
    page.get_by_label("Name").fill("!")
    page.get_by_label("log runs").check()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("alert")).to_contain_text("begins with a letter")
    assert page.get_by_label("log runs").is_checked()
    page.get_by_label("Name").fill("nightly")
    page.get_by_label("Only in").select_option(window.project)
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("pre").first.inner_text().strip()
    assert secret.startswith(PREFIX)
    caller = identity.caller_of(secret)
    assert [sorted(rights) for rights in caller.project_rights.values()] == [["lab.view", "lab.write", "project.view"]]
    sound(page, "doors-new-token")
    page.goto(f"{window.url}/account/doors")
    assert secret not in page.content()
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="End token nightly").click()
    expect(page.get_by_role("button", name="End token nightly")).to_have_count(0)
    with pytest.raises(NotAuthenticated):
        identity.caller_of(secret)
    _, elsewhere = identity.redeem(identity.issue_link(window.person.person, by=window.person), session=True)
    page.reload()
    page.get_by_role("button", name="End all others").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with pytest.raises(NotAuthenticated):
        identity.caller_of_session(elsewhere)
    sound(page, "doors")
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
