"""Proofs of an organisation, and proposals for a project, in a browser: typed once, wrong once, and right without a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_joining import look_at
from tests.portal.test_pages import ARGUMENTS, CHROMIUM
from tests.servers.app import serving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


@contextmanager
def a_house(tmp_path: Path) -> Iterator[tuple[Town, str]]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url:
        yield town, url.replace("127.0.0.1", "localhost")
    database.close()


@contextmanager
def a_browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the portal was not looked at")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def signed_in(browser: Browser, base: str, town: Town, person: Caller) -> Page:
    """Without scripts: every form here works by itself."""
    page = browser.new_context(base_url=base, java_script_enabled=False).new_page()
    page.goto(f"/sign-in/{town.services.identity.issue_link(person.person, by=person)}")
    page.get_by_role("button", name="Sign in").click()
    return page


def looked_at(browser: Browser, page: Page, base: str, *names: tuple[str, str]) -> None:
    """The same pages with scripts, which the eyes of a test need."""
    context = browser.new_context(base_url=base, storage_state=page.context.storage_state())
    seen = context.new_page()
    for address, name in names:
        seen.goto(address)
        for one in seen.locator("details > summary").all():
            one.click()
        look_at(seen, name)
    context.close()


def test_a_new_firm_shows_what_it_has_and_a_slip_costs_nothing_that_was_typed(tmp_path: Path) -> None:
    with a_house(tmp_path) as (town, base), a_browser() as browser:
        admin = town.person("weefsel", "organisation_administrator")
        page = signed_in(browser, base, town, admin)
        page.goto("/organisations/weefsel")
        page.get_by_text("Founded before a notary").click()
        page.get_by_label("Day of the notarial deed").fill("2026-11-01")
        page.get_by_label("The number follows by").first.fill("2020-01-01")
        page.get_by_role("button", name="Show this: in registration").click()
        expect(page.get_by_role("alert")).to_contain_text("must lie within a year from now")
        expect(page.get_by_label("Day of the notarial deed")).to_have_value("2026-11-01")
        page.get_by_label("The number follows by").first.fill("2027-01-15")
        page.get_by_role("button", name="Show this: in registration").click()
        expect(page.get_by_text("Something better follows by 2027-01-15")).to_be_visible()
        page.get_by_text("The number in the Dutch business register").click()
        page.get_by_label("KvK number").fill("12345678")
        page.get_by_role("button", name="Show this: kvk").click()
        expect(page.get_by_text("As the organisation states")).to_be_visible()
        looked_at(browser, page, base, ("/organisations/weefsel", "organisation-proof"))
        kept = town.services.joining.proving.of_organisation("weefsel", by=town.operator)
        assert kept is not None
        assert (kept.kind, dict(kept.fields)) == ("kvk", {"number": "12345678"})


def test_a_lead_proposes_another_purpose_and_an_operator_signs_it(tmp_path: Path) -> None:
    with a_house(tmp_path) as (town, base), a_browser() as browser:
        lead = town.person("weefsel")
        slug = town.project(lead)
        page, theirs = signed_in(browser, base, town, lead), signed_in(browser, base, town, town.operator)
        page.goto(f"/projects/{slug}")
        page.get_by_role("link", name="Propose another purpose or ceiling").click()
        purpose = page.locator("section", has=page.get_by_role("heading", name="Propose another purpose"))
        purpose.get_by_label("To become").select_option("dual_use")
        purpose.get_by_label("Why").fill("A partner makes <b>sensors</b> for both.")
        purpose.get_by_role("button", name="Propose this purpose").click()
        expect(page.get_by_text("Purpose civilian, to become dual use")).to_be_visible()
        ceiling = page.locator("section", has=page.get_by_role("heading", name="Propose another ceiling"))
        ceiling.get_by_label("To become").select_option("open")
        ceiling.get_by_label("Why").fill("   ")
        ceiling.get_by_role("button", name="Propose this ceiling").click()
        expect(page.get_by_role("alert")).to_contain_text("Say why, in at most 2,000 characters")
        expect(ceiling.get_by_label("To become")).to_have_value("open")
        ceiling.get_by_label("Why").fill("The data went back.")
        ceiling.get_by_role("button", name="Propose this ceiling").click()
        expect(page.get_by_text("to become open: The data went back.")).to_be_visible()
        theirs.goto("/")
        theirs.get_by_role("link", name="2 proposals wait").click()
        looked_at(browser, page, base, (f"/projects/{slug}/proposals", "project-proposals"))
        looked_at(browser, theirs, base, ("/oversight", "oversight"))
        theirs.get_by_role("button", name=f"Sign: purpose of {slug}").click()
        theirs.get_by_role("button", name=f"Refuse: ceiling of {slug}").click()
        expect(theirs.locator("section", has=theirs.locator("#proposals")).get_by_text("None.")).to_be_visible()
        found = town.services.access.project(slug)
        assert (str(found.purpose), found.label_ceiling == "open") == ("dual_use", False)


def test_forms_of_strangers_and_of_other_sites_change_nothing(tmp_path: Path) -> None:
    with a_house(tmp_path) as (town, base):
        lead, stranger = town.person("weefsel", "organisation_administrator"), town.person("rival")
        slug = town.project(lead)
        tries = (
            (lead, f"/projects/{slug}/proposals", {"what": "purpose", "value": "dual_use", "why": "x"}, 403),
            (lead, "/organisations/weefsel/proof", {"kind": "kvk", "field-number": "12345678"}, 403),
            (stranger, f"/projects/{slug}/proposals", {"what": "purpose", "value": "dual_use", "why": "x"}, 404),
            (lead, "/oversight/proposals", {"proposal": "chg_1", "act": "sign"}, 403),
            (lead, "/oversight", None, 403),
        )
        for person, path, form, status in tries:
            link = town.services.identity.issue_link(person.person, by=person)
            _, cookie = town.services.identity.redeem(link, session=True)
            with httpx.Client(base_url=base, trust_env=False, cookies={"fabriek_session": cookie}) as client:
                headers = {"Accept": "text/html"}
                answer = (
                    client.get(path, headers=headers) if form is None else client.post(path, data=form, headers=headers)
                )
            assert answer.status_code == status, (path, answer.text[:500])
        assert town.services.joining.steering.waiting(by=town.operator) == []
        assert town.services.joining.proving.of_organisation("weefsel", by=town.operator) is None
