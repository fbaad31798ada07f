"""The pages of shares and of auditors in a real browser, wide and narrow."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.portal import app as portal
from tests.factories.giving import agree_on, carry, gives, supply
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
        pytest.skip("Chromium is not installed: no page of shares was looked at")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(database.engine)
    made = a_town(database, tmp_path / "home")
    agree_on(made, supply(1_000) + carry(0.5))
    gives(made, "europe", "eu", 70_000_000)
    gives(made, "region", "regional", 60_000_000)
    made.project(made.person("weefsel"), gpu_hours=100)
    yield made
    database.close()


def test_shares_are_shown_to_funders_and_the_ledger_to_an_auditor(town: Town, browser: Browser) -> None:
    services = town.services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        page = entered(browser, url, town, town.operator)
        page.goto(f"{url}/funding/shares")
        expect(page.locator("#parts")).to_contain_text("europe eu")
        expect(page.locator("#parts")).to_contain_text("50.0 %")
        expect(page.locator("#contributions tbody tr")).to_have_count(3)
        expect(page.locator("#quarter")).to_contain_text("2026Q4")
        expect(page.locator("#caps")).to_contain_text("Playground and fast-lane: at most 10 %")
        sound(page, "funding-shares")
        page.get_by_role("link", name="2026Q3").click()
        expect(page.locator("#quarter")).to_contain_text("Nothing came in this quarter")
        stranger = entered(browser, url, town, town.person("weefsel"))
        answer = stranger.goto(f"{url}/funding/shares")
        assert answer is not None
        assert answer.status == 403

        _, secret = services.auditing.make(
            "Ada Auditor", "ada@audit.example", town.clock.today() + timedelta(days=9), by=town.operator
        )
        guest = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        guest.goto(f"{url}/auditor#{secret}")
        expect(guest.get_by_label("The secret")).to_have_value(secret)
        assert secret not in guest.url
        sound(guest, "auditor-door")
        guest.get_by_role("button", name="Open").click()
        expect(guest.get_by_text("For Ada Auditor")).to_be_visible()
        sound(guest, "auditor")
        guest.get_by_role("link", name="Ledger").click()
        expect(guest.locator("tbody tr").first).to_be_visible()
        sound(guest, "auditor-ledger")
        guest.get_by_role("link", name="Policy").click()
        expect(guest.get_by_role("cell", name="cap.eu_machine")).to_be_visible()
        sound(guest, "auditor-policy")
        guest.get_by_role("button", name="Close").click()
        expect(guest.get_by_label("The secret")).to_have_value("")

        # Without scripts the secret is pasted.
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(f"{url}/auditor#{secret}")
        plain.get_by_label("The secret").fill(f"{url}/auditor#{secret}")
        plain.get_by_role("button", name="Open").click()
        expect(plain.get_by_text("For Ada Auditor")).to_be_visible()
