"""The dataset's page in a real browser: terms accepted, a request decided, a grant ended, and what axe has to say."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.portal.test_pages import CHROMIUM, browser, signed_in
from tests.servers.factory import Running, quickstarted, why_no_jobs

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.sandbox, pytest.mark.xdist_group("portal")]


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the portal was not looked at")
    if reason := why_no_jobs():
        pytest.skip(reason)
    room = tmp_path_factory.mktemp("agreements")
    (room / "data").mkdir()
    (room / "data" / "numbers.csv").write_text("1,2,3\n")
    (room / "terms.md").write_text("# Terms\n\nBe <b>kind</b>.\n")
    with quickstarted(room / "home") as running:
        for arguments in (
            ("data", "push", str(room / "data"), "numbers"),
            ("data", "terms", "numbers", "--file", str(room / "terms.md"), "--question", "What <i>for</i>?"),
            ("data", "agree", "numbers", "--project", "playground", "--purpose", "civilian", "--until", "2099-01-01"),
            ("data", "request", "numbers", "--right", "view", "--answer", "What <i>for</i>?=A <script>study</script>"),
        ):
            done = running.run(*arguments, cwd=room)
            assert done.returncode == 0, done.stdout + done.stderr
        yield running


@pytest.fixture
def page(factory: Running, browser: Browser) -> Page:  # the fixture of the same name
    shown = signed_in(factory, browser)
    shown.goto(f"{factory.url}/projects/playground/datasets/numbers")
    return shown


def sound(page: Page, name: str) -> None:
    """No serious fault, light or dark, wide or narrow; with a picture where one is asked for."""
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}]
        assert found == []
        if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


def test_terms_are_accepted_a_request_is_approved_and_the_page_stays_sound(factory: Running, page: Page) -> None:
    assert "Be <b>kind</b>." in page.inner_text("pre >> nth=1")
    sound(page, "dataset-before")
    page.get_by_role("button", name="I accept these terms").click()
    assert page.get_by_role("button", name="I accept these terms").count() == 0
    page.get_by_label("Why not").fill("Which study?")
    page.get_by_role("button", name="Return").click()
    assert page.get_by_role("button", name="Approve").count() == 0
    request = json.loads(factory.run("data", "requests", "--json").stdout)[0]["id"]
    assert factory.run("data", "move", request, "sent").returncode == 0
    page.reload()
    page.get_by_label("Until the end of").fill("2098-12-31")
    page.get_by_role("button", name="Approve").click()
    assert "2098-12-31" in page.inner_text("main")
    sound(page, "dataset-after")
