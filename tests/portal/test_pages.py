"""The portal in a real browser: signing in by a link, every page, a growing log, and what axe has to say."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.factories.base_models import CARD, a_model
from tests.factories.wheels import a_wheel
from tests.servers.factory import Running, quickstarted, why_no_jobs

CHROMIUM = shutil.which("chromium") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
SCRIPT = """
import os, mlflow
with mlflow.start_run():
    for step in range(30):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_param("depth", "<b>3</b>")
print("<script>alert(1)</script> trained", flush=True)
"""

HOSTILE = """
<script>alert(1)</script> <img src=x onerror=alert(1)> <style>body { display: none }</style>

[run](javascript:alert(1)) [data](data:text/html,x) [ours](/projects) [theirs](https://example.org/a "x")
![a picture](https://example.org/beacon.png)

| left | right |
| :--- | ----: |
| 1 | <b>2</b> |

```python
print("<i>")
```
"""

pytestmark = [pytest.mark.browser, pytest.mark.sandbox, pytest.mark.xdist_group("portal")]


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the portal was not looked at")
    if reason := why_no_jobs():
        pytest.skip(reason)
    room = tmp_path_factory.mktemp("portal")
    (room / "home").mkdir(mode=0o700)
    (room / "home" / "fabriek.toml").write_text("packages_alone = true\n")
    with quickstarted(room / "home") as running:
        (room / "data").mkdir()
        (room / "data" / "numbers.csv").write_text("1,2,3\n")
        (room / "code").mkdir()
        a_model(room / "model", card=CARD + HOSTILE, modeling__py=b"print('hello')")
        wheel = room / "reqeusts-1.0-py3-none-any.whl"
        wheel.write_bytes(a_wheel("reqeusts", headers=["Summary: Asks <i>politely</i>."]))
        (room / "code" / "train.py").write_text(SCRIPT)
        for arguments in (
            ("data", "push", str(room / "data"), "numbers"),
            (
                "catalogue",
                "publish",
                "dataset",
                "numbers",
                "--title",
                "Numbers <i>",
                "--summary",
                "Three & more numbers.",
            ),
            ("ask", "What are <numbers>?"),
            ("model", "push", str(room / "model"), "acme/tiny", "--allow-code"),
            ("run", "--name", "many", "--sweep", "lr=0.1,0.2", "--", "echo", "{lr}"),
            ("package", "request", "reqeusts==1.0", "--reason", "<b>needed</b>"),
            ("run", "--name", "train", "--data", "numbers:/data", "--", "python", "train.py"),
        ):
            done = running.run(*arguments, cwd=room / "code")
            assert done.returncode == 0, done.stdout + done.stderr
            if arguments[:2] == ("package", "request"):
                added = running.run("package", "add", "--request", done.stdout.split()[0], str(wheel))
                assert added.returncode == 0, added.stderr
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def signed_in(factory: Running, browser: Browser, **options: Any) -> Page:
    """A window of its own, of somebody who followed their one-time link."""
    link = factory.run("login", "--portal").stdout.strip()
    shown = browser.new_context(viewport={"width": 1280, "height": 900}, **options).new_page()
    shown.goto(link)
    shown.get_by_role("button", name="Sign in").click()
    shown.wait_for_url(f"{factory.url}/")
    return shown


@pytest.fixture(scope="module")
def page(factory: Running, browser: Browser) -> Iterator[Page]:
    """Whose pages may not show one fault of a script."""
    shown = signed_in(factory, browser)
    faults: list[str] = []
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield shown
    assert faults == []


def addresses(factory: Running) -> dict[str, str]:
    """Every kind of page, by name."""
    environment = factory.environment()
    with httpx.Client(
        base_url=factory.url, headers={"Authorization": f"Bearer {environment['FABRIEK_TOKEN']}"}
    ) as client:
        job = client.get("/api/v1/projects/playground/jobs").json()["items"][0]
        card = client.get("/api/v1/catalogue").json()["items"][0]
        arrays = [
            one["array"] for one in client.get("/api/v1/projects/playground/jobs").json()["items"] if one["array"]
        ]
        asked = client.get("/api/v1/projects/playground/package-requests").json()["items"]
        wanted = next(one for one in asked if one["package"] == "reqeusts==1.0")
    return {
        "my work": "/", "project": "/projects/playground", "dataset": "/projects/playground/datasets/numbers",
        "job": f"/projects/playground/jobs/{job['id']}", "run": f"/projects/playground/runs/{job['run']}",
        "catalogue": "/catalogue?q=numbers", "card": f"/catalogue/{card['id']}", "questions": "/questions",
        "jobs": "/projects/playground/jobs", "new job": f"/projects/playground/jobs/new?like={job['id']}", "machine": "/machine",
        "queue": "/queue", "queue in Dutch": "/queue?lang=nl", "capacity": "/capacity", "capacity in Dutch": "/capacity?lang=nl",
        "forecast": "/projects/playground/forecast?cpus=1&lang=nl",
        "array": f"/projects/playground/arrays/{arrays[0]}", "packages": "/packages?ask=polars==1.9.0",
        "package request": f"/packages/requests/{wanted['id']}", "nothing": "/projects/nowhere",
        "base model": "/projects/playground/base-models/acme/tiny",
    }  # fmt: skip


def test_every_page_shows_its_heading_and_axe_finds_nothing_serious(factory: Running, page: Page) -> None:
    pictures = os.environ.get("FABRIEK_PICTURES", "")  # noqa: TID251  # for whoever wants to look
    for name, address in addresses(factory).items():
        if name == "nothing":
            continue
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(factory.url + address)
            assert page.locator("h1").inner_text().strip()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
            serious = [
                one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}
            ]
            assert serious == [], f"{name} at {width} px"
            if pictures:
                page.screenshot(path=str(Path(pictures) / f"{name.replace(' ', '-')}-{width}.png"), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_what_others_wrote_is_shown_as_text_and_never_run(factory: Running, page: Page) -> None:
    places = addresses(factory)
    page.goto(factory.url + places["job"])
    expect(page.locator("pre.log")).to_contain_text("<script>alert(1)</script> trained")
    page.goto(factory.url + places["run"])
    expect(page.get_by_text("<b>3</b>")).to_be_visible()
    page.goto(factory.url + places["questions"])
    expect(page.get_by_text("What are <numbers>?")).to_be_visible()


def test_a_package_is_asked_for_and_decided_on_in_the_browser(factory: Running, page: Page) -> None:
    page.goto(factory.url + "/packages?ask=polars==1.9.0")
    assert page.get_by_label("Package and version").input_value() == "polars==1.9.0"
    page.get_by_label("What for").fill("to count")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("h1")).to_contain_text("polars==1.9.0")
    page.get_by_role("button", name="Take this request back").click()
    expect(page.locator(".tag", has_text="withdrawn")).to_be_visible()
    page.goto(factory.url + addresses(factory)["package request"])
    expect(page.get_by_text("the name is easily taken for requests")).to_be_visible()
    expect(page.get_by_text("known vulnerabilities were not looked up")).to_be_visible()
    expect(page.get_by_text("<b>needed</b>")).to_be_visible()
    page.get_by_label("Reason to approve").fill("our own")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".tag", has_text="approved")).to_be_visible()
    expect(page.get_by_text("our own")).to_be_visible()
    page.goto(factory.url + "/packages?q=reqeusts")
    expect(page.get_by_text("Asks <i>politely</i>.")).to_be_visible()


def test_a_run_shows_its_curve(factory: Running, page: Page) -> None:
    page.goto(factory.url + addresses(factory)["run"])
    figure = page.locator("figure").first
    assert figure.locator("svg.curve polyline").count() == 1
    expect(figure.locator("figcaption")).to_contain_text("30 points")


def test_a_sweep_is_a_group_of_runs_by_itself(factory: Running, page: Page) -> None:
    page.goto(f"{factory.url}/projects/playground/runs")
    page.get_by_role("link", name="many", exact=True).last.click()
    expect(page.get_by_text("2 runs · a sweep")).to_be_visible()
    expect(page.locator("thead")).to_contain_text("lr")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_run_leads_to_its_data_and_data_to_the_runs_that_read_it(factory: Running, page: Page) -> None:
    page.goto(factory.url + addresses(factory)["run"])
    page.get_by_role("link", name="numbers@1").click()
    expect(page.locator("h1")).to_have_text("numbers")
    page.get_by_role("link", name="a run").first.click()
    expect(page.locator("h1")).to_have_text("train")
    page.locator("dl").get_by_role("link", name="train").click()
    expect(page).to_have_url(re.compile("/jobs/job_"))
    page.locator("#state dd a").click()
    expect(page).to_have_url(re.compile("/runs/"))


def test_a_running_jobs_log_grows_before_ones_eyes(factory: Running, page: Page) -> None:
    script = "for i in 1 2 3 4 5; do echo line $i; sleep 0.4; done"
    job = factory.run("run", "--detach", "--", "sh", "-c", script).stdout.strip()
    page.goto(f"{factory.url}/projects/playground/jobs/{job}")
    page.get_by_text("line 5").wait_for(timeout=20_000)
    page.locator("#state .tag", has_text="succeeded").wait_for(timeout=20_000)


def test_a_job_is_planned_submitted_and_cancelled_without_any_script(factory: Running, browser: Browser) -> None:
    page = signed_in(factory, browser, java_script_enabled=False)
    page.goto(f"{factory.url}/projects/playground/jobs/new")
    page.get_by_label("Command").fill("sh -c 'sleep 300' 'a b'")
    page.get_by_label("Longest time").fill("soon")
    page.get_by_role("button", name="What would become of it?").click()
    expect(page.get_by_role("alert")).to_contain_text("'soon' is not a duration")
    assert page.get_by_label("Command").input_value() == "sh -c 'sleep 300' 'a b'"
    page.get_by_label("Longest time").fill("10m")
    page.get_by_role("button", name="What would become of it?").click()
    expect(page.get_by_role("status")).to_contain_text("It would hold at most")
    page.get_by_role("button", name="Submit").click()
    assert "/jobs/job_" in page.url
    page.get_by_role("button", name="Cancel this job").click()
    expect(page.get_by_role("heading", name="sh -c sleep 300 a b")).to_be_visible()
    page.context.close()


def test_the_form_tells_what_stops_a_job_and_keeps_what_was_written(factory: Running, browser: Browser) -> None:
    page = signed_in(factory, browser)
    page.goto(f"{factory.url}/projects/playground/jobs/new")
    page.get_by_label("Command").fill("python train.py")
    page.get_by_label("GPUs").fill("7")
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        page.get_by_role("button", name="Submit").click()
    assert posted.value.status == 422
    expect(page.get_by_role("alert")).to_contain_text("the whole machine has")
    assert page.get_by_label("GPUs").input_value() == "7"
    page.context.close()


def test_a_lead_sets_a_secret_that_no_page_shows_and_removes_it(factory: Running, page: Page) -> None:
    page.goto(f"{factory.url}/projects/playground")
    secrets = page.locator("section", has=page.locator("#secrets"))
    for name in ("HF_TOKEN", "OTHER"):
        secrets.get_by_label("Name").fill(name)
        secrets.get_by_label("Value").fill("canary-value")
        secrets.get_by_role("button", name="Set").click()
        secrets.get_by_text(name, exact=True).wait_for()
    assert "canary" not in page.content()
    assert secrets.locator("tbody tr").count() == 2
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        serious = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}
        ]
        assert serious == [], f"at {width} px"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if pictures := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
            page.screenshot(path=str(Path(pictures) / f"secrets-{width}.png"), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    secrets.get_by_role("button", name="Remove OTHER").click()
    secrets.get_by_text("OTHER", exact=True).wait_for(state="detached")
    assert "HF_TOKEN" in factory.run("secret", "ls").stdout


def test_a_secret_comes_in_with_a_form_of_this_page_only(factory: Running) -> None:
    code = factory.run("login", "--portal").stdout.strip().rpartition("/")[2]
    with httpx.Client(base_url=factory.url, headers={"Accept": "text/html"}) as visitor:
        visitor.post(f"/sign-in/{code}")
        for address in ("/projects/playground/secrets", "/projects/playground/secrets/HF_TOKEN/remove"):
            refused = visitor.post(address, data={"name": "PLANTED", "value": "canary"})
            assert refused.status_code == 403
            assert "form.seal" in refused.text
    assert "PLANTED" not in factory.run("secret", "ls").stdout


def test_a_link_opens_once_and_a_form_without_its_seal_is_refused(factory: Running) -> None:
    code = factory.run("login", "--portal").stdout.strip().rpartition("/")[2]
    with httpx.Client(base_url=factory.url, headers={"Accept": "text/html"}) as visitor:
        assert visitor.get(f"/sign-in/{code}").status_code == 200
        first = visitor.post(f"/sign-in/{code}")
        assert first.status_code == 303
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert visitor.post(f"/sign-in/{code}").status_code == 401
        refused = visitor.post("/questions", data={"question": "from elsewhere"})
        assert refused.status_code == 403
        assert "form.seal" in refused.text
        assert visitor.get("/").status_code == 200


def test_a_visitor_without_a_session_sees_the_way_in_and_a_stranger_nothing(factory: Running) -> None:
    with httpx.Client(base_url=factory.url, headers={"Accept": "text/html"}) as visitor:
        shown = visitor.get("/projects/playground")
        assert shown.status_code == 401
        assert "Sign in" in shown.text
        assert "script-src 'self'" in shown.headers["content-security-policy"]
        assert visitor.get("/assets/fabriek.css").status_code == 200
        assert visitor.get("/assets/..%2Fapp.py").status_code == 404


def test_a_base_models_card_runs_loads_and_leads_nowhere_of_its_own(factory: Running, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{factory.url}/projects/playground")
    page.get_by_role("link", name="acme/tiny").click()
    card = page.locator(".prose")
    expect(card).to_contain_text("<script>alert(1)</script>")
    expect(card).to_contain_text("<b>2</b>")
    assert card.locator("script, img, style, b").count() == 0
    links = [one.get_attribute("href") for one in card.locator("a").all()]
    assert links == ["https://example.org/a"]
    assert "nofollow" in (card.locator("a").get_attribute("rel") or "")
    expect(card.locator("em")).to_have_text("a picture")
    assert all(one.startswith(factory.url) for one in asked)
    expect(page.get_by_text('AutoModel.from_pretrained("acme/tiny")')).to_be_visible()
    expect(page.get_by_text(f"HF_ENDPOINT={factory.url}/hub/playground")).to_be_visible()
    expect(page.get_by_text("apache-2.0")).to_be_visible()
    expect(page.locator(".tag.bad").first).to_have_text("code")
