"""The rules of money in a real browser: a funder proposes, another sees what it loses and signs, and a wrong row is said above the form."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from fabriek.api import app as api
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import jobs
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]

FIFTH = '[[part]]\nfunder = "defence"\npart = 0.20\nvalid_from = {day}\nsource = "letter of the <b>minister</b>"\n'


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the rules of money were not looked at")
    database = a_database(tmp_path / "fabriek.db")
    yield a_town(database, tmp_path / "home")
    database.close()


def entered(browser: Browser, url: str, town: Town, person: Caller) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=True).new_page()
    page.goto(f"{url}/sign-in/{town.services.identity.issue_link(person.person, by=person)}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    page.goto(f"{url}/machine")
    page.get_by_role("link", name="by which rules").click()
    page.wait_for_url(f"{url}/funding/policy")
    return page


def ran_last_quarter(town: Town) -> None:
    """Two jobs of four hours, one after the other."""
    services, person = town.services, town.person("weefsel")
    project = town.project(person)
    for _ in range(2):
        made = services.compute.submit(
            project, JobAsked(("true",), cpus=4, wall_seconds_max=4 * 3600), by=town.again(person)
        )
        at = datetime(2026, 8, 1, tzinfo=UTC)
        with services.database.transaction():
            services.database.execute(
                update(jobs).where(jobs.c.id == made.id).values(
                    state="succeeded", submitted_at=at, started_at=at, ended_at=at, ran_seconds=4 * 3600.0
                )
            )  # fmt: skip


def test_a_change_is_proposed_seen_and_signed_on_the_page(town: Town, browser: Browser) -> None:
    services = town.services
    defence, nation = town.person("defence", "funder", kind="funder"), town.person("factory", "funder")
    services.giving.contribute("defence", "defence", 100_000, {"gpu_hour": 10}, by=town.operator)
    ran_last_quarter(town)
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        page = entered(browser, url, town, defence)
        expect(page.locator("#in-force")).to_contain_text("Council Regulation (EU) 2021/1173")
        page.get_by_label("The rows, all from one day to come").fill(FIFTH.format(day="2026-11-24"))
        page.get_by_label("Why").fill("we agreed so")
        page.get_by_role("button", name="Propose, and see").click()
        expect(page.get_by_role("alert")).to_contain_text("No bill of the past changes".lower())
        assert "letter of the" in page.get_by_label("The rows, all from one day to come").input_value()
        page.get_by_label("The rows, all from one day to come").fill(FIFTH.format(day="2027-01-01"))
        page.get_by_role("button", name="Propose, and see").click()
        expect(page.get_by_role("heading", name="A change from 2027-01-01 proposed")).to_be_visible()
        expect(page.get_by_text("(letter of the <b>minister</b>)")).to_be_visible()
        expect(page.get_by_role("button", name="Sign for")).to_have_count(0)  # who gains is not asked
        theirs = entered(browser, url, town, nation)
        theirs.goto(f"{url}/")
        expect(theirs.locator("#waiting")).to_contain_text("we agreed so (to sign by 2026-12-22)")
        sound(theirs, "policy-waiting")
        theirs.get_by_role("link", name="Change the rules of money from 2027-01-01").click()
        change = theirs.locator("section", has=theirs.get_by_role("heading", name="A change from 2027-01-01"))
        expect(change.locator("tbody tr", has_text="factory")).to_contain_text("90.9091 % → 80 %")
        expect(change).to_contain_text("its part of the machine falls from 90.9091 % to 80 % on 2027-01-01")
        expect(change.locator("tbody tr", has_text="factory")).to_contain_text("32 CPU-hours")
        expect(change).to_contain_text("2 of its 2 jobs")
        sound(theirs, "policy-to-sign")
        theirs.get_by_label("We know what factory loses by it").check()
        theirs.get_by_role("button", name="Sign for factory").click()
        expect(change.locator("h2 .tag")).to_have_text("signed")
        assert services.changing.waiting(by=nation) == []
        expect(theirs.get_by_role("button", name="Refuse")).to_have_count(0)
        sound(theirs, "policy-signed")
        for width in (320, 1280):
            theirs.set_viewport_size({"width": width, "height": 900})
            assert theirs.evaluate("document.documentElement.scrollWidth") <= width
        with httpx.Client(base_url=url, headers={"Accept": "text/html"}, trust_env=False) as visitor:
            visitor.post(
                f"/sign-in/{services.identity.issue_link((member := town.person('weefsel')).person, by=member)}"
            )
            assert visitor.get("/funding/policy").status_code == 403
