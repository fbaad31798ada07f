"""The guide in a real browser, by somebody who has no account and no JavaScript; and the same by HTTP and on the command line."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.portal import app as portal
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving
from tests.servers.factory import COMMAND, clean_environment

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]

HOSPITAL = {
    "aim": "compute", "who": "hospital", "country": "north", "data": "special", "purpose": "civilian", "node_hours": "1000",
}  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("guide")
    database = a_database(folder / "fabriek.db")
    services = a_town(database, folder / "home").services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as served:
        yield served
    database.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the guide was not looked at")
    with browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False) as context:
        yield context.new_page()


def sound(browser: Browser, address: str, name: str) -> None:
    """No fault that axe knows and nothing wider than the window; with a picture where one is asked for."""
    with browser.new_context() as context:
        page = context.new_page()
        for width, scheme in ((1280, "light"), (320, "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
            found = [
                one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}
            ]
            assert found == [], f"{name} at {width} px"
            if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
                page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def test_a_stranger_without_javascript_answers_goes_back_and_gets_a_route(
    url: str, page: Page, browser: Browser
) -> None:
    page.goto(f"{url}/sign-in")
    page.get_by_role("link", name="How to get in").click()
    for label in ("To compute: a notebook", "A start-up with a register number"):
        page.get_by_label(label).check()
        page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Question 3, of eight at most")).to_be_visible()
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page.locator("legend")).to_have_text("For whom do you come?")
    page.get_by_label("A hospital").check()
    page.get_by_role("button", name="Go on").click()
    sound(browser, page.url, "guide-question")
    for label in ("Groningen or the north", "About patients", "Civilian use only", "Up to 1,250"):
        page.get_by_label(label).check()
        page.get_by_role("button", name="Go on").click()
    route = page.locator("#route")
    expect(route.locator(".big")).to_have_text("Playground")
    expect(route).to_contain_text("5,000 GPU-hours are 1,250 node-hours")
    expect(route.locator(".note")).to_have_count(2)
    expect(route.locator("pre")).to_contain_text("--answer label_ceiling=special-category --answer purpose=civilian")
    sound(browser, page.url, "guide-route")
    page.get_by_role("link", name="In het Nederlands").click()
    expect(page.locator("#route")).to_contain_text("Playground is genoeg voor een eerste project")
    expect(page.locator(".guide")).to_have_attribute("lang", "nl")
    page.get_by_role("link", name="Wijzig: Namens wie komt u?").click()
    expect(page.locator("legend")).to_have_text("Namens wie komt u?")


@pytest.mark.parametrize(
    "query", ["aim=<script>alert(1)</script>", "who=startup&nothing=1", "lang=xx", "aim=compute&gpu_hours=-1"]
)
def test_an_address_with_an_answer_that_is_none_gets_a_page_that_says_so(url: str, query: str) -> None:
    answer = httpx.get(f"{url}/apply/guide?{query}", headers={"Accept": "text/html"}, trust_env=False)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "guide" in answer.text


def test_the_same_by_http_one_question_after_the_other(url: str) -> None:
    said: dict[str, str] = {}
    while True:
        answer = httpx.post(f"{url}/api/v1/guide", json={"answers": said}, trust_env=False).json()
        if answer["question"] is None:
            break
        said[answer["question"]["name"]] = HOSPITAL[answer["question"]["name"]]
    assert said == HOSPITAL
    assert answer["route"]["name"] == answer["route"]["call"] == "playground"
    assert answer["route"]["carries"] == {"label_ceiling": "special-category", "purpose": "civilian"}
    refused = httpx.post(f"{url}/api/v1/guide", json={"answers": {"aim": "x"}}, trust_env=False)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "aim")


def test_on_the_command_line_without_an_account(url: str, tmp_path: Path) -> None:
    def ran(*words: str) -> "subprocess.CompletedProcess[str]":
        named = clean_environment(tmp_path / "home") | {"FABRIEK_URL": url}
        argv = [*COMMAND, "apply", "guide", *words]
        return subprocess.run(argv, env=named, input="", capture_output=True, text=True, check=False, timeout=60)

    told = ran("--lang", "nl", *(f"--answer={name}={value}" for name, value in HOSPITAL.items()))
    assert told.returncode == 0, told.stderr
    assert "Playground is genoeg voor een eerste project" in told.stdout
    assert told.stdout.rstrip().endswith(
        "apply new playground --draft --answer label_ceiling=special-category --answer purpose=civilian"
    )
    # Where nobody sits at a terminal, the question that is open is named, with what may be answered.
    open_yet = ran("--answer", "aim=compute")
    assert open_yet.returncode == 2
    assert "--answer who=startup|forming|sme" in open_yet.stderr
    assert ran("--answer", "aim").returncode == 2
