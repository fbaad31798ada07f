"""Inviting in a browser: a lead invites, a stranger comes in by the address, and the pages hold at both widths."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import text

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated
from fabriek.portal import app as portal
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_pages import ARGUMENTS, CHROMIUM
from tests.servers.app import serving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def look_at(page: Page, name: str) -> None:
    """Both widths, and what axe has to say."""
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        if pictures := os.environ.get("FABRIEK_PICTURES"):  # noqa: TID251  # where somebody wants to look
            page.screenshot(path=Path(pictures) / f"{name}-{width}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    assert not [one["id"] for one in found if one["impact"] in {"serious", "critical"}], (name, found)


def change_and_take_out(mine: Page, theirs: Page, slug: str) -> None:
    """The new one is made lead, and then nothing: the project is not there for them any more."""
    mine.goto("/organisations/weefsel")
    expect(mine.get_by_role("cell", name="New <b>One</b>")).to_have_count(2)
    look_at(mine, "organisation")
    mine.goto(f"/projects/{slug}")
    mine.get_by_label("Role of New <b>One</b>", exact=True).select_option("lead")
    mine.get_by_role("button", name="Change the role of New <b>One</b>").click()
    expect(mine.get_by_role("row", name="New <b>One</b> Weefsel lead")).to_be_visible()
    mine.get_by_label("Role of New <b>One</b>", exact=True).select_option("none")
    mine.get_by_role("button", name="Change the role of New <b>One</b>").click()
    theirs.goto(f"/projects/{slug}")
    expect(theirs.get_by_text("there is no such thing").first).to_be_visible()


def look_over(town: Town, mine: Page, slug: str, lead: Caller) -> None:
    """A lead keeps somebody on the list of the quarter."""
    colleague = town.person("weefsel")
    town.services.access.add_member(slug, colleague.person, "member", by=town.again(lead))
    town.services.joining.quarterly.open_due()
    with town.services.database.transaction():
        town.services.database.execute(text("update access_quarters set quarter = '2026-Q1'"))
    assert town.services.joining.quarterly.open_due() > 0
    mine.goto(f"/projects/{slug}")
    look_at(mine, "review")
    mine.get_by_role("button", name="Keep Somebody").last.click()
    expect(mine.get_by_text("Review of access")).to_have_count(0)


@contextmanager
def a_house(tmp_path: Path, **settings: str) -> Iterator[tuple[Town, httpx.Client]]:
    """A factory and somebody without a session, who follows nothing."""
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home", **settings)
    app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, headers={"Accept": "text/html"}) as guest:
        yield town, guest
    database.close()


def test_the_code_of_an_invitation_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with a_house(tmp_path) as (town, guest):
        code = town.services.joining.inviting.to_organisation("factory", "new@factory.example", by=town.operator).code
        with caplog.at_level(logging.DEBUG):
            assert guest.get(f"/invitations/{code}").status_code == 200
            guest.post(f"/invitations/{code}/accept")
            assert guest.post(f"/invitations/{code}", data={"name": "New"}).status_code == 303
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("fabriek")]
    assert any("/invitations/[hidden]" in one for one in ours), ours
    assert not any(code in one for one in ours)


def test_no_other_site_lets_somebody_in_and_a_cookie_from_before_is_worth_nothing_after(tmp_path: Path) -> None:
    with a_house(tmp_path, portal_url="https://factory.example") as (town, guest):
        inviting, identity = town.services.joining.inviting, town.services.identity
        code = inviting.to_organisation("factory", "new@factory.example", by=town.operator).code
        refused = guest.post(f"/invitations/{code}", headers={"Sec-Fetch-Site": "cross-site"}, data={"name": "New"})
        assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
        assert inviting.look(code).name == ""  # it was not used up
        link = identity.issue_link(town.operator.person, by=town.operator)
        _, before = identity.redeem(link, session=True)
        came = guest.post(
            f"/invitations/{code}", headers={"Cookie": f"{SESSION_COOKIE}={before}"}, data={"name": "New"}
        )
        assert came.status_code == 303
        (cookie,) = [one for one in came.headers.get_list("set-cookie") if one.startswith(SESSION_COOKIE)]
        assert "Secure" in cookie and "HttpOnly" in cookie  # noqa: PT018  # one cookie, behind a proxy that speaks TLS
        with pytest.raises(NotAuthenticated):
            identity.caller_of_session(before)
        fresh = identity.caller_of_session(cookie.partition("=")[2].partition(";")[0])
        assert town.services.access.person(fresh.person).email == "new@factory.example"


def test_a_lead_invites_and_whoever_it_is_for_comes_in(tmp_path: Path) -> None:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the portal was not looked at")
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    services = town.services
    lead = town.person("weefsel", "organisation_administrator")
    other = town.person("hospital")
    slug = town.project(lead)
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url, sync_playwright() as playwright:
        base = url.replace("127.0.0.1", "localhost")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        theirs, mine, elses = (browser.new_context(base_url=base).new_page() for _ in range(3))
        for page, person in ((mine, lead), (elses, other)):
            page.goto(f"/sign-in/{services.identity.issue_link(person.person, by=person)}")
            page.get_by_role("button", name="Sign in").click()
        mine.goto(f"/projects/{slug}")
        look_at(mine, "project-people")
        people = mine.locator("section", has=mine.locator("#people"))
        people.get_by_label("Address").fill("new+one@weefsel.example")
        people.get_by_label("Of").select_option("weefsel")
        people.get_by_role("button", name="Invite").click()
        expect(mine.get_by_text("Hand this address over yourself")).to_be_visible()
        look_at(mine, "invited")
        link = mine.locator("pre").inner_text()
        elses.goto(link)
        elses.get_by_role("button", name="Accept").click()
        expect(elses.get_by_text("for another address than yours").first).to_be_visible()
        assert "new+one" not in elses.content()
        theirs.goto(link)
        look_at(theirs, "invitation")
        theirs.get_by_label("Your name").fill("New <b>One</b>")
        theirs.get_by_role("button", name="Come in").click()
        expect(theirs.get_by_role("heading", name="My work")).to_be_visible()
        change_and_take_out(mine, theirs, slug)
        look_over(town, mine, slug, lead)
        email = services.access.person(other.person).email
        sent = services.joining.inviting.to_project(slug, email, by=town.again(lead))
        elses.goto("/")
        expect(elses.get_by_text("An invitation was sent to your address")).to_be_visible()
        look_at(elses, "my-invitations")
        title = services.access.project(slug).title
        assert title not in elses.content()  # what for is in the mail, for whoever reads it
        elses.goto(f"/invitations/{sent.code}")
        elses.get_by_role("button", name="Accept").click()
        expect(elses.get_by_role("heading", name="People")).to_be_visible()
        browser.close()
    database.close()
