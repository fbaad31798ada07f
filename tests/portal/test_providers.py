"""Signing in at a provider in a real browser, letting a command line in there, and what axe has to say of those pages."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.factories.providers import MFA, Door, a_door
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.factory import COMMAND, clean_environment
from tests.servers.oidc import OidcProvider

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-providers")]

LINES = 'title = "Uni"\nadmits = "anyone"\norganisation_claim = "schac_home_organization"\nscopes = ["openid", "profile", "organisation"]\n'


@pytest.fixture
def door(tmp_path: Path, oidc_provider: OidcProvider) -> Iterator[Door]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: signing in at a provider was not tried in a browser")
    database = a_database(tmp_path / "fabriek.db")
    more = {"other": (oidc_provider.issuer, 'title = "MyAccessID"\n')}
    with a_door(database, tmp_path / "home", oidc_provider, lines=LINES, more=more) as opened:
        yield opened
    database.close()


def sound(page: Page, name: str) -> None:
    """Nothing that axe finds, no sideways scrolling, at both widths."""
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        if folder := os.environ.get("FABRIEK_PICTURES"):  # noqa: TID251  # for whoever looks
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} at {width}"
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()


def test_from_the_button_to_a_command_line_that_is_let_in(
    door: Door, browser: Browser, oidc_provider: OidcProvider, tmp_path: Path
) -> None:
    oidc_provider.account("anna", name="Anna de Wit", schac_home_organization="uni.example")
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{door.url}/sign-in")
    sound(page, "sign-in")
    page.get_by_role("button", name="Sign in with Uni").click()
    page.get_by_label("Account").fill("anna")
    page.get_by_label("Strength").fill(MFA)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{door.url}/")
    assert page.get_by_text("Anna de Wit").is_visible()
    page.goto(f"{door.url}/account/providers")
    sound(page, "account-providers")
    page.goto(f"{door.url}/confirm")
    sound(page, "confirm-provider")
    out = tmp_path / "out"
    with out.open("w") as said:
        command = [*COMMAND, "login", "--url", door.url]
        process = subprocess.Popen(command, env=clean_environment(tmp_path / "home"), stdout=said, stderr=said)
    address = until(
        lambda: next((line.split()[-1] for line in out.read_text().splitlines() if line.startswith("or")), "")
    )
    page.goto(address.replace("localhost", "127.0.0.1"))
    sound(page, "device")
    page.get_by_role("button", name="Look").click()
    assert page.get_by_text("Say yes only if you began this yourself").is_visible()
    sound(page, "device-asked")
    page.get_by_role("button", name="Yes, I began this").click()
    sound(page, "device-done")

    def ended() -> bool:
        door.on_time()
        return process.poll() is not None

    until(ended, instead=out.read_text)
    assert process.returncode == 0, out.read_text()
    assert "as Anna de Wit of uni-example" in out.read_text()
