"""The box that sends files, in a real browser, with tus-js-client as it was released."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from fabriek.kernel.clock import SystemClock
from fabriek.portal.pages.vault import CLIENT
from tests.portal.test_pages import ARGUMENTS, CHROMIUM, signed_in
from tests.servers.factory import Running, quickstarted

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-uploads")]

PAGE = "/projects/playground/datasets/scans"
BIG = 200 * 2**20
SENT_MILLISECONDS = 120_000


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: uploads in the browser were not tried")
    if not CLIENT.exists():
        pytest.skip("the package was built without npm: uploads in the browser were not tried")
    room = tmp_path_factory.mktemp("portal-uploads")
    with quickstarted(room / "home") as running:
        (room / "first").mkdir()
        (room / "first" / "readme").write_text("what was there")
        assert running.run("data", "push", str(room / "first"), "scans").returncode == 0
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(factory: Running, browser: Browser) -> Iterator[Page]:
    shown = signed_in(factory, browser)
    faults: list[str] = []
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.goto(f"{factory.url}{PAGE}")
    yield shown
    shown.context.close()
    assert faults == []


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("big") / "big.bin"
    with file.open("wb") as out:
        for _ in range(BIG // 2**20):
            out.write(os.urandom(2**20))
    return file


def pulled(factory: Running, into: Path) -> Path:
    shutil.rmtree(into, ignore_errors=True)
    done = factory.run("data", "pull", "scans", str(into))
    assert done.returncode == 0, done.stderr
    return into


def kill(factory: Running) -> None:
    os.kill(factory.variables["pid"], signal.SIGKILL)  # type: ignore[arg-type]


def start(factory: Running) -> None:
    port = factory.url.rpartition(":")[2]
    started = factory.run("up", "--quickstart", "--home", str(factory.home), "--port", port, "--detach", "--json")
    assert started.returncode == 0, started.stderr
    factory.variables["pid"] = json.loads(started.stdout)["pid"]


def wait_until_sent(page: Page, share: float) -> None:
    clock = SystemClock()
    give_up = clock.monotonic() + SENT_MILLISECONDS / 1_000
    while page.locator("[data-all]").evaluate("bar => bar.value") < share:
        assert clock.monotonic() < give_up
        clock.sleep(0.05)


def offsets(page: Page) -> list[int]:
    """Where each PATCH from here on begins."""
    seen: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            seen.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return seen


def test_chosen_files_become_one_version_and_the_page_says_so(factory: Running, page: Page, tmp_path: Path) -> None:
    (tmp_path / "-rf <b>.txt").write_bytes(b"one")
    (tmp_path / "empty").write_bytes(b"")
    page.locator("[data-files]").set_input_files([tmp_path / "-rf <b>.txt", tmp_path / "empty"])
    expect(page.locator("[data-status]")).to_contain_text("scans@2 is made: 3 files", timeout=SENT_MILLISECONDS)
    assert Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"] == []
    folder = tmp_path / "sub"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "er.txt").write_bytes(b"two")
    page.locator("[data-folder]").set_input_files(folder)
    expect(page.locator("[data-status]")).to_contain_text("scans@3 is made: 4 files", timeout=SENT_MILLISECONDS)
    page.get_by_role("link", name="scans@3").click()
    expect(page.locator("table").first).to_contain_text("@3")
    out = pulled(factory, tmp_path / "out")
    assert (out / "-rf <b>.txt").read_bytes() == b"one"
    assert (out / "sub/deep/er.txt").read_bytes() == b"two"
    assert (out / "readme").read_text() == "what was there"


def test_an_upload_that_is_paused_and_reloaded_goes_on_where_it_stood(
    factory: Running, page: Page, big: Path, tmp_path: Path
) -> None:
    page.locator("[data-files]").set_input_files(big)
    expect(page.locator("[data-rate]")).to_contain_text("/s", timeout=SENT_MILLISECONDS)
    wait_until_sent(page, 0.4)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-status]")).to_contain_text("Paused")
    page.reload()
    expect(page.locator("[data-interrupted]")).to_contain_text("0 of 1 files are here whole")
    begun = offsets(page)
    page.locator("[data-files]").set_input_files(big)
    expect(page.locator("[data-status]")).to_contain_text("is made", timeout=SENT_MILLISECONDS)
    assert begun[0] >= 64 * 2**20
    assert (pulled(factory, tmp_path / "out") / "big.bin").read_bytes() == big.read_bytes()


def test_an_upload_goes_on_by_itself_when_the_server_was_killed_under_it(
    factory: Running, page: Page, big: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(big.read_bytes()[::-1])
    begun = offsets(page)
    page.locator("[data-files]").set_input_files(other)
    wait_until_sent(page, 0.4)
    kill(factory)
    start(factory)
    expect(page.locator("[data-status]")).to_contain_text("is made", timeout=SENT_MILLISECONDS)
    assert len(begun) > BIG // (64 * 2**20)  # one was cut, and begun again
    assert begun.count(0) == 1
    assert (pulled(factory, tmp_path / "out") / "other.bin").read_bytes() == other.read_bytes()


def test_an_upload_whose_last_byte_came_as_the_page_went_is_made_by_hand(
    factory: Running, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "late.txt").write_bytes(b"late")
    page.route("**/finish", lambda route: route.abort())
    # The page asks for the version after it has said that all is here: not before that was cut off may it be let through again.
    with page.expect_event("requestfailed", lambda one: one.url.endswith("/finish"), timeout=SENT_MILLISECONDS):
        page.locator("[data-files]").set_input_files(tmp_path / "late.txt")
    expect(page.locator("[data-list]")).to_contain_text("here", timeout=SENT_MILLISECONDS)
    page.unroute("**/finish")
    page.reload()
    expect(page.locator("[data-interrupted]")).to_contain_text("when all of it was here")
    page.get_by_role("button", name="Make the version").click()
    expect(page.locator("[data-status]")).to_contain_text("is made", timeout=SENT_MILLISECONDS)
    assert (pulled(factory, tmp_path / "out") / "late.txt").read_bytes() == b"late"


def test_what_is_given_up_is_gone(factory: Running, page: Page, big: Path) -> None:
    page.locator("[data-files]").set_input_files(big)
    wait_until_sent(page, 0.1)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Give up").click()
    expect(page.locator("[data-status]")).to_contain_text("nothing of it is kept")
    page.reload()
    expect(page.locator("[data-drop]")).to_be_visible()
    expect(page.locator("[data-interrupted]")).to_be_hidden()


def test_without_scripts_the_page_says_what_sends_a_folder(factory: Running, browser: Browser) -> None:
    plain = signed_in(factory, browser, java_script_enabled=False)
    plain.goto(f"{factory.url}{PAGE}")
    expect(plain.locator("[data-shown]")).to_be_hidden()
    assert "Scripts are off" in plain.locator("#upload").inner_text()
    plain.context.close()
