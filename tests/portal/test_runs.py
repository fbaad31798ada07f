"""Runs in a real browser: the table of them, a comparison, a group, and a run's page as it grows."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.lab.groups import PARENT_TAG
from fabriek.lab.metrics import Metric
from fabriek.portal import app as portal
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_pages import ARGUMENTS, CHROMIUM
from tests.servers.app import serving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

RATES = (0.3, 0.1, 0.03, 0.01)


@dataclass
class Place:
    """A factory with a project of runs, and somebody of the project in front of a browser."""

    town: Town
    person: Caller
    slug: str
    project: str
    url: str
    page: Page
    runs: list[str]

    def log(self, run: str, *metrics: Metric, tags: dict[str, str] | None = None, **params: str) -> None:
        self.town.services.lab.log(self.project, run, metrics=metrics, params=params, tags=tags or {}, by=self.person)

    def run(self, name: str, *metrics: Metric, tags: dict[str, str] | None = None, **params: str) -> str:
        lab = self.town.services.lab
        made = lab.create_run(self.project, "0", name=name, person="", started_ms=0, tags=tags or {}, by=self.person)
        self.log(made.run.id, *metrics, **params)
        return made.run.id

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}/projects/{self.slug}{path}")


def a_curve(rate: float, key: str = "loss", steps: int = 60) -> list[Metric]:
    start = 1_767_225_600_000
    found = [
        Metric(key, math.exp(-rate * step / 3) + 0.02 * math.sin(step), start + step * 1000, step)
        for step in range(steps)
    ]
    return (
        [*found[:20], Metric(key, math.nan, start + 20_000, 20), *found[21:]] if rate == 0.3 and steps > 20 else found
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the portal was not looked at")
    folder = tmp_path_factory.mktemp("runs")
    database = a_database(folder / "fabriek.db")
    town = a_town(database, folder / "home")
    person = town.person("weefsel")
    slug = town.project(person)
    person = town.again(person)
    services = town.services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url, sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        made = Place(town, person, slug, services.access.project(slug).id, url, page, [])
        for number, rate in enumerate(RATES):
            system = a_curve(rate, "system/cpu_utilization_percentage", 6)
            run = made.run(
                f"rate {rate}", *a_curve(rate), *a_curve(rate / 2, "accuracy"), *system,
                lr=str(rate), optimizer="adam" if number % 2 else "sgd", seed="7",
            )  # fmt: skip
            services.grouping.join_sweep(made.project, "arr_1", run, name="over rates", person=person.person)
            made.runs.append(run)
        made.log(made.runs[0], tags={"mlflow.note.content": "# Why\n\nIt **diverges**. <script>alert(1)</script>"})
        made.run("child", tags={PARENT_TAG: made.runs[1]})
        page.goto(f"{url}/sign-in/{services.identity.issue_link(person.person, by=person)}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        yield made
        browser.close()
        assert [one for one in faults if "422" not in one and "503" not in one] == [], (
            "a filter that is none is answered with a page that says so"
        )
    database.close()


def looked_at(page: Page, name: str) -> None:
    """At both widths: nothing serious for axe, nothing wider than the window, and a picture for whoever wants one."""
    pictures = os.environ.get("FABRIEK_PICTURES", "")  # noqa: TID251  # for whoever wants to look
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        serious = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}
        ]
        if pictures:
            page.screenshot(path=str(Path(pictures) / f"{name}-{width}.png"), full_page=True)
        assert serious == [], f"{name} at {width} px"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_runs_are_filtered_ordered_and_chosen_to_be_compared(place: Place) -> None:
    page = place.page
    place.open("/runs")
    page.get_by_label("Filter").fill("params.optimizer = 'sgd'")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("tbody tr")).to_have_count(3)  # two runs and the group
    page.get_by_role("link", name="loss", exact=True).click()
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("rate 0.3")
    expect(first).to_contain_text("best")
    looked_at(page, "runs")
    page.get_by_label("Filter").fill("params.optimizer ~ 'sgd'")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_be_visible()
    place.open("/runs")
    for rate in (0.3, 0.1, 0.03):
        page.get_by_label(f"Choose rate {rate}").check()
    page.get_by_role("button", name="Compare those chosen").click()
    expect(page.locator("h1")).to_have_text("3 runs compared")


def test_a_comparison_shows_what_differs_and_every_curve(place: Place) -> None:
    page = place.page
    place.open("/compare?" + "&".join(f"run={one}" for one in place.runs))
    table = page.get_by_role("region", name="Differences")
    expect(table).to_contain_text("optimizer")
    expect(table).not_to_contain_text("seed")
    figure = page.locator("figure", has_text="loss").first
    assert figure.locator("svg.curve > polyline").count() == len(RATES) + 1, (
        "one of them is broken where it was no number"
    )
    assert figure.locator("text.odd").count() == 1
    looked_at(page, "compare")
    page.get_by_role("link", name="All", exact=True).click()
    expect(table).to_contain_text("seed")
    page.get_by_role("link", name="By time since the start").click()
    expect(page.locator("svg.curve title").first).to_contain_text("seconds since the start")
    expect(table).to_contain_text("seed")
    page.get_by_label("Keep them as a group named").fill("mine <i>")
    page.get_by_role("button", name="Make the group").click()
    expect(page.locator("h1")).to_have_text("mine <i>")
    page.get_by_role("button", name="Remove this group").click()
    expect(page.locator("h1")).to_have_text("Runs")


def test_a_sweep_shows_its_best_and_the_way_of_each_run(place: Place) -> None:
    page = place.page
    place.open("/runs")
    page.get_by_role("link", name="over rates").click()
    page.get_by_label("Metric").select_option("loss")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr").first).to_contain_text("rate 0.3")
    assert page.locator("svg.parallel .best").count() == 1
    assert page.locator("svg.parallel .other").count() == len(RATES) - 1
    looked_at(page, "group")


def test_a_note_is_written_changed_and_removed_and_runs_nothing(place: Place) -> None:
    page = place.page
    place.open(f"/runs/{place.runs[0]}")
    expect(page.locator(".noted strong")).to_have_text("diverges")
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    page.get_by_label("New note").fill("Try *half* the rate.")
    page.get_by_role("button", name="Write it").click()
    expect(page.locator(".noted em")).to_have_text("half")
    looked_at(page, "run")
    page.get_by_text("Change", exact=True).click()
    page.locator(".noted textarea").fill("Try a *third*.")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".noted em")).to_have_text("third")
    page.get_by_text("Change", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".noted em")).to_have_count(0)


def test_a_run_leads_to_its_groups_and_a_parent_to_its_children(place: Place) -> None:
    page = place.page
    place.open(f"/runs/{place.runs[1]}")
    expect(page.get_by_role("link", name="over rates")).to_be_visible()
    page.get_by_role("link", name="rate 0.1").click()
    expect(page.locator("tbody")).to_contain_text("child")


def test_a_run_grows_before_ones_eyes_and_says_when_it_has_ended(place: Place) -> None:
    page, run = place.page, place.run("growing", Metric("loss", 1.0, 1_000, 0))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_event("requestfinished", lambda request: request.url.endswith("/curves")):
        place.open(f"/runs/{run}")
    caption = page.locator("figcaption", has_text="loss")
    expect(caption).to_contain_text("last 1")
    for step in (1, 2):
        place.log(run, Metric("loss", 1 / (step + 1), 1_000 + step, step))
        expect(caption).to_contain_text(f"{step + 1} points")
    place.town.services.lab.update_run(place.project, run, status="FINISHED", ended_ms=2_000, name="", by=place.person)
    expect(page.locator("#curves .tag")).to_have_text("finished")
    expect(page.locator("[data-events]")).to_have_count(0)
    assert sum("/events" in one for one in asked) == 1


def test_where_no_channel_opens_the_page_asks_now_and_then(place: Place) -> None:
    page, run = place.page, place.run("polled", Metric("loss", 1.0, 1_000, 0))
    page.route("**/events?*", lambda route: route.fulfill(status=503, body=""))
    place.open(f"/runs/{run}")
    place.log(run, Metric("loss", 0.5, 2_000, 1))
    expect(page.locator("figcaption", has_text="loss")).to_contain_text("2 points", timeout=10_000)
    page.unroute("**/events?*")


def test_a_deleted_run_is_among_the_deleted(place: Place) -> None:
    page, run = place.page, place.run("gone")
    place.town.services.lab.delete_run(place.project, run, by=place.person)
    place.open("/runs")
    expect(page.get_by_role("link", name="gone", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Deleted").click()
    expect(page.locator("tbody tr").first).to_contain_text("gone")


def test_a_run_leads_to_the_model_that_came_of_it(place: Place) -> None:
    services, page, run = place.town.services, place.page, place.run("fitted")
    empty: dict[str, str] = {}
    model = services.registry.log_model(
        place.project, "0", run, name="m", model_type="", tags=empty, params=empty, by=place.person
    )
    services.keeping.put(place.project, f"0/models/{model.id}/artifacts/model.skops", [b"weights"], by=place.person)
    services.registry.register(place.project, "tree", by=place.person)
    services.registry.add_version(
        place.project, "tree", source="", run_id=run, model_id=model.id, description="", tags=empty, by=place.person
    )
    place.open(f"/runs/{run}")
    page.get_by_role("link", name="tree version 1").click()
    expect(page.locator("h1")).to_contain_text("tree")
