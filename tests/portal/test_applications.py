"""A form in a real browser: without a script and with one, in both languages, nothing typed is lost, and what axe has to say."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories.calls import A_CALL
from tests.portal.test_agreements import sound
from tests.portal.test_pages import CHROMIUM, browser, signed_in
from tests.servers.factory import Running, quickstarted

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the portal was not looked at")
    room = tmp_path_factory.mktemp("applications")
    (room / "calls").mkdir()
    (room / "calls" / "harvest.toml").write_text(A_CALL.replace('"startup"', '"startup", "operator", "company"'))
    with quickstarted(room / "home", FABRIEK_CALLS=str(room / "calls")) as running:
        yield running


@pytest.fixture
def page(factory: Running, browser: Browser) -> Page:
    return signed_in(factory, browser)


def without_script(page: Page) -> Page:
    page.route("**/*.js", lambda route: route.abort())
    return page


def started(page: Page, factory: Running, call: str) -> str:
    page.goto(f"{factory.url}/applications")
    page.locator(f"form[action='/applications/new/{call}'] button").click()
    return page.url.rpartition("/")[2]


def test_an_added_call_is_filled_in_without_a_script_checked_and_submitted(factory: Running, page: Page) -> None:
    without_script(page)
    application = started(page, factory, "harvest")
    sound(page, "application-tasks")
    page.goto(f"{factory.url}/applications/{application}/check")
    assert "This is still missing" in page.inner_text("[role=alert]"), (
        "a step skipped by address leads to what is missing"
    )
    page.get_by_role("link", name="Needs", exact=True).click()
    page.get_by_label("Title?").fill("Rye & <b>oats</b> =1+1")
    page.get_by_label("Purpose?").select_option("civilian")
    page.get_by_label("Hours?").fill("twenty")
    page.get_by_label("Months?").select_option("2")
    page.get_by_role("button", name="Save and go on").click()
    assert page.get_by_label("Hours?").input_value() == "twenty"
    assert page.get_by_label("Title?").input_value() == "Rye & <b>oats</b> =1+1"
    assert page.get_by_label("Hours?").get_attribute("aria-describedby") == "e-gpu_hours"
    page.get_by_role("link", name="Hours?: must be a number").click()
    assert page.url.endswith("#f-gpu_hours")
    sound(page, "application-wrong")
    page.get_by_label("Hours?").fill("20")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="More", exact=True).click()
    page.get_by_label("Is it grain?").select_option("no")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="Plan", exact=True).click()
    place = "[id='f-plan.{}.{}']"
    for row, hours in ((1, "9"), (2, "8")):
        for name, value in (("month", str(row)), ("field", "a"), ("hours", hours)):
            page.locator(place.format(row, name)).fill(value)
        page.get_by_role("button", name="Add a row: Month by month?").click()
    assert "17 of 20 GPU-hours" in page.inner_text("main")
    page.locator(place.format(2, "hours")).fill("11")
    page.locator("[id='f-fields.1.field']").fill("a")
    page.locator("[id='f-fields.1.hours']").fill("20")
    sound(page, "application-plan")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="Check your answers").click()
    assert "Rye & <b>oats</b> =1+1" in page.inner_text("main")
    sound(page, "application-check")
    page.get_by_role("button", name="Submit").click()
    assert page.get_by_role("link", name="Check your answers").count() == 0
    page.goto(f"{factory.url}/applications/{application}/parts/needs")
    assert page.url.endswith(application), "a part that was submitted is read, not edited"
    assert json.loads(factory.run("apply", "show", application, "--json").stdout)["answers"]["gpu_hours"] == 20


def test_what_is_typed_is_saved_by_itself_and_nobody_is_written_over(factory: Running, page: Page) -> None:
    application = started(page, factory, "harvest")
    page.goto(f"{factory.url}/applications/{application}/parts/needs")
    page.get_by_label("Title?").fill("Oats")
    expect(page.get_by_role("status")).to_contain_text("Saved ")
    page.get_by_label("Title?").fill("Oats and rye")
    expect(page.locator("[name=revision]")).to_have_value("3")
    other = page.context.new_page()
    without_script(other)
    other.goto(page.url)
    page.get_by_label("Title?").fill("Oats, rye and barley")
    expect(page.locator("[name=revision]")).to_have_value("4")
    other.get_by_label("Title?").fill("Wheat")
    other.get_by_role("button", name="Save and go on").click()
    assert "Somebody else changed this" in other.inner_text("[role=alert]")
    assert other.get_by_label("Title?").input_value() == "Wheat"
    page.goto(page.url)
    assert page.get_by_label("Title?").input_value() == "Oats, rye and barley"


def test_the_large_form_speaks_dutch_and_stays_sound(factory: Running, page: Page) -> None:
    application = started(page, factory, "large-scale")
    page.goto(f"{factory.url}/applications/{application}?lang=nl")
    assert "Wat er in te vullen is" in page.inner_text("main")
    for part in ("project", "request", "scaling"):
        page.goto(f"{factory.url}/applications/{application}/parts/{part}")
        assert page.locator("main").get_attribute("lang") == "nl"
        sound(page, f"application-large-{part}")


def test_a_form_that_another_site_sends_is_refused(factory: Running, page: Page) -> None:
    application = started(page, factory, "harvest")
    answer = page.request.post(
        f"{factory.url}/applications/{application}/parts/needs", form={"title": "Stolen", "revision": "1", "seal": "0" * 64}
    )  # fmt: skip
    assert answer.status == 403
    assert json.loads(factory.run("apply", "show", application, "--json").stdout)["answers"] == {}


def test_an_amount_that_a_call_does_not_give_leads_on_with_the_answers(factory: Running, page: Page) -> None:
    application = started(without_script(page), factory, "fast-lane")
    parts = page.locator("a[href*='/parts/']").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    for part in parts:
        page.goto(factory.url + part)
        if page.locator("#f-gpu_hours").count():
            page.locator("#f-gpu_hours").fill("50001")
        if page.locator("#f-title").count():
            page.locator("#f-title").fill("Forecasts for the grid")
        page.get_by_role("button", name="Save and go on").click()
    page.goto(factory.url)
    assert "Forecasts for the grid draft the applicant submits it" in page.inner_text("#applications")
    page.goto(f"{factory.url}/applications/{application}")
    sound(page, "application-moves")
    page.get_by_role("button", name="Go on there, with your answers").click()
    assert page.url.rpartition("/")[2] != application
    assert "Large Scale" in page.inner_text("main")
    assert page.inner_text("h1") == "Forecasts for the grid"
