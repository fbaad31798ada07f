"""Sessions as people use them: a notebook in a browser, an app behind its own door, a shell inside, and strangers outside."""

import http.client
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.factories.waiting import until
from tests.portal.test_pages import ARGUMENTS
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(400), pytest.mark.xdist_group("portal")]

APP = """
import http.server, os
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.headers.get("Cookie", "none") + " " + self.path).encode()
        self.send_response(200)
        self.send_header("Set-Cookie", "theirs=1; Domain=localhost")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), App).serve_forever()
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path_factory.mktemp("sessions") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def app(factory: Running) -> str:
    """A session that serves: its job's number."""
    words = ("session", "start", "app", "--port", "8000", "--json", "--", "python", "-c", APP)
    started = factory.run(*words)
    assert started.returncode == 0, started.stderr
    job = json.loads(started.stdout)["job"]
    until(lambda: visit(factory, job)[0] == 200)
    return str(job)


def ask(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request to the gate, as a browser would send it that knows where the name leads."""
    parts = urlsplit(address)
    line = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
    line.request("GET", path, headers={"Host": parts.netloc, **headers})
    answer = line.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    line.close()
    return found


def entered(factory: Running, job: str) -> tuple[str, str]:
    """The address of a session, and the cookie of a visit."""
    door = json.loads(factory.run("session", "open", job, "--json").stdout)
    status, headers, _ = ask(door["url"], f"/.fabriek/enter?code={door['code']}")
    assert (status, headers["location"]) == (303, "/")
    return door["url"], headers["set-cookie"].partition(";")[0]


def visit(factory: Running, job: str) -> tuple[int, dict[str, str], bytes]:
    address, cookie = entered(factory, job)
    return ask(address, "/x?y=1", Cookie=f"{cookie}; mine=1")


def test_the_app_sees_the_request_and_not_the_visitors_secret(factory: Running, app: str) -> None:
    status, headers, body = visit(factory, app)
    assert (status, body) == (200, b"mine=1 /x?y=1")
    assert headers["set-cookie"] == "theirs=1"


def test_strangers_and_other_sites_stay_outside(factory: Running, app: str) -> None:
    address, cookie = entered(factory, app)
    parts = urlsplit(address)
    assert ask(address, "/")[0] == 401
    assert ask(address, "/", Cookie="fabriek_door=guess")[0] == 401
    assert ask(address, "/", Cookie=cookie, Origin="http://localhost:1")[0] == 404
    assert ask(address, "/", Cookie=cookie, Origin=f"http://{parts.netloc}")[0] == 200
    another = f"http://job-{'0' * 26}.localhost:{parts.port}/"
    assert ask(another, "/", Cookie=cookie)[0] == 401
    assert ask(f"http://localhost:{parts.port}/", "/", Cookie=cookie)[0] == 404
    token = factory.variables["FABRIEK_TOKEN"]
    assert ask(address, "/", Authorization=f"Bearer {token}")[0] == 401
    assert ask(address, f"/.fabriek/enter?code={token}")[0] == 401


def test_a_link_that_a_job_lays_in_the_place_of_its_socket_is_not_followed(factory: Running) -> None:
    """The job would have the server speak to a socket of its choice."""
    trick = "import os, time; os.unlink('/run/job/port.sock'); os.symlink('/run/fabriek/lab.sock', '/run/job/port.sock'); time.sleep(99)"
    started = json.loads(factory.run("session", "start", "app", "--json", "--", "python", "-c", trick).stdout)
    until(lambda: visit(factory, started["job"])[0] == 503)
    factory.run("session", "stop", started["job"])


def test_a_shell_runs_within_the_walls(factory: Running, app: str) -> None:
    told = factory.run("job", "shell", app, input_text="hostname; id -u; ls /etc/shadow; exit\n")
    assert told.returncode == 0, told.stderr
    assert {"job", "1000"} <= set(told.stdout.split())
    assert "No such file or directory" in told.stdout


def test_its_end_is_shown_and_moved(factory: Running, app: str) -> None:
    before = json.loads(factory.run("session", "ls", "--json").stdout)[0]["ends_at"]
    assert factory.run("session", "extend", app, "--time", "1h").returncode == 0
    after = json.loads(factory.run("session", "ls", "--json").stdout)[0]["ends_at"]
    assert after > before


def test_a_notebook_opens_from_the_portal_and_computes(factory: Running, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed: no notebook was opened")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(factory.run("login", "--portal").stdout.strip())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        page.goto(f"{factory.url}/projects/playground")
        page.get_by_label("What").select_option("jupyter")
        page.get_by_role("button", name="Start").click()
        page.wait_for_selector("text=Open the session", timeout=240_000)
        page.get_by_role("button", name="An hour more").click()
        page.wait_for_selector("text=at most 3 h")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the session").click()
        notebook = opened.value
        notebook.wait_for_selector(".jp-LauncherCard", timeout=60_000)
        notebook.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
        notebook.wait_for_selector("text=| Idle", timeout=60_000)  # before that, the notebook drops what is run
        cell = notebook.locator(".jp-Notebook .cm-content").first
        cell.click()
        notebook.keyboard.type("print(6 * 7)")
        notebook.keyboard.press("Shift+Enter")
        notebook.wait_for_selector(".jp-OutputArea-output >> text=42", timeout=60_000)
        if shots := os.environ.get("FABRIEK_SHOTS"):  # noqa: TID251  # where somebody wants to look
            notebook.screenshot(path=f"{shots}/notebook.png")
            page.screenshot(path=f"{shots}/session.png")
        page.goto(f"{factory.url}/projects/playground")
        page.locator("section", has=page.get_by_role("heading", name="Sessions")).get_by_role(
            "link", name="session jupyter"
        ).click()
        page.get_by_role("button", name="Cancel this job").click()
        page.wait_for_selector("text=cancelled", timeout=60_000)
        browser.close()


def test_a_terminal_opens_in_a_browser_and_its_shell_is_within_the_walls(factory: Running) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed: no terminal was opened")
    job = begun(factory, "terminal")
    door = json.loads(factory.run("session", "open", job, "--json").stdout)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(door["url"])
        page.wait_for_selector(".jp-Terminal .xterm-helper-textarea", state="attached", timeout=60_000)
        page.locator(".jp-Terminal .xterm-screen").click()
        page.keyboard.type("echo $(hostname) $((6 * 7)) > /tmp/typed")
        page.keyboard.press("Enter")
        until(lambda: "job 42" in factory.run("job", "shell", job, input_text="cat /tmp/typed; exit\n").stdout)
        browser.close()
    assert factory.run("session", "stop", job).returncode == 0


def test_tensorboard_serves_behind_its_door(factory: Running) -> None:
    job = begun(factory, "tensorboard")
    address, cookie = entered(factory, job)
    told = json.loads(ask(address, "/data/environment", Cookie=cookie)[2])
    assert told["data_location"] == "."
    assert told["version"]
    assert b"<title>TensorBoard</title>" in ask(address, "/", Cookie=cookie)[2]
    assert factory.run("session", "stop", job).returncode == 0


def begun(factory: Running, kind: str) -> str:
    """A session of a kind whose packages come from the index, once it serves: its job's number."""
    started = factory.run("session", "start", kind, "--json")
    assert started.returncode == 0, started.stderr
    job = str(json.loads(started.stdout)["job"])
    address, cookie = entered(factory, job)
    until(lambda: ask(address, "/", Cookie=cookie)[0] in {200, 302}, seconds_max=120)
    return job
