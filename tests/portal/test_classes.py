"""A class in a real browser: a teacher adds, drops and ends; a student sees when to take out what they made."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]

LIST = "email,name\njo@uni.example,Jo <i>\nmo@uni.example,Mo\n"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: no class was looked at")
    database = a_database(tmp_path / "fabriek.db")
    yield a_town(database, tmp_path / "home")
    database.close()


def entered(browser: Browser, url: str, town: Town, person: Caller) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=True).new_page()
    page.goto(f"{url}/sign-in/{town.services.identity.issue_link(person.person, by=person)}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def test_a_teacher_sees_adds_drops_and_ends_and_a_student_is_told(town: Town, browser: Browser) -> None:
    services = town.services
    teacher = town.person("uni", "organisation_administrator", kind="university")
    project = town.project(teacher, gpu_hours=100)
    ends = town.clock.today() + timedelta(days=20)
    _, seats = services.teaching.create("Deep learning 101", project, LIST, 10, ends, by=town.again(teacher))
    student, stranger = town.caller(seats[1].person), town.person("weefsel")
    stranger_project = town.project(stranger)
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        page = entered(browser, url, town, teacher)
        expect(page.locator(".cards h2")).to_have_count(1)  # and not a card for each student's project
        page.get_by_role("link", name="Deep learning 101").click()
        expect(page.locator("#students tbody tr")).to_have_count(2)
        expect(page.get_by_text("Jo <i>")).to_be_visible()
        page.get_by_label("The list, as CSV").fill("email,name\nno address,X\n=1,Y\n")
        page.get_by_role("button", name="Add them").click()
        expect(page.get_by_role("alert")).to_contain_text("line 3: begins its email")
        assert "no address" in page.get_by_label("The list, as CSV").input_value()
        page.get_by_label("The list, as CSV").fill("email,name\nbo@uni.example,Bo\n")
        page.get_by_role("button", name="Add them").click()
        expect(page.locator("#added code")).to_contain_text("/sign-in/")
        sound(page, "class")
        page.goto(f"{url}/classes/deep-learning-101")
        expect(page.locator("#added")).to_have_count(0)
        page.get_by_role("button", name="Drop Jo <i>").click()
        expect(page.locator("#students .tag", has_text="dropped")).to_be_visible()
        theirs = entered(browser, url, town, student)
        expect(theirs.locator("#classes")).to_contain_text(f"Deep learning 101 open until {ends}")
        sound(theirs, "class-student")
        page.get_by_label("I mean it").check()
        page.get_by_role("button", name="End it now").click()
        expect(page.locator(".head .tag")).to_have_text("ended")
        theirs.reload()
        expect(theirs.locator("#classes")).to_contain_text("has ended: take out what you made before")
        # Who leads another project knows of no such class.
        other = entered(browser, url, town, stranger)
        assert stranger_project
        answer = other.goto(f"{url}/classes/deep-learning-101")
        assert answer is not None
        assert answer.status == 404
        unsealed = httpx.post(f"{url}/classes/deep-learning-101/end", data={}, trust_env=False)
        assert unsealed.status_code == 401
