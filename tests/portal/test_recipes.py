"""Recipes in a real browser without any script: found, read, planned, run; and refused with the reason above the form."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

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


class Hall:
    """A factory, served; somebody with a project and somebody without."""

    def __init__(self, town: Town) -> None:
        self.services, person = town.services, town.person("weefsel")
        self.project = town.project(person)
        self.person, self.stranger = town.again(person), town.person("elders")
        self.services.recipes._installed = lambda: {"lightgbm": "4.6", "mlflow-skinny": "3.1", "scikit-learn": "1.7"}

    def link(self, who: Caller) -> str:
        return f"/sign-in/{self.services.identity.issue_link(who.person, by=who)}"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[tuple[Hall, str]]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the recipes were not looked at")
    database = a_database(tmp_path / "fabriek.db")
    made = Hall(a_town(database, tmp_path / "home"))
    app = api.build(made.services, portal=portal.routes(made.services), page_of=portal.page_of(made.services))
    with serving(app) as url:
        yield made, url
    database.close()


def test_a_recipe_is_found_planned_refused_and_run(hall: tuple[Hall, str], browser: Browser) -> None:
    made, url = hall
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(url + made.link(made.person))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Catalogue").click()
        page.get_by_role("link", name="Recipes: jobs that are ready to run").click()
        expect(page.locator("h2")).to_have_count(7)
        expect(page.locator("#sweep")).to_contain_text("6 jobs, each 0.5 min: about")
        expect(page.locator("#text")).to_contain_text("Jobs here do not find numpy>=1.26, torch>=2.2")
        page.get_by_role("link", name="Sweep over hyper-parameters").click()
        page.get_by_label("leaves").fill("1")
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("alert")).to_contain_text(
            "The parameter leaves cannot be 1. --set leaves=7,31 (2 … 512)"
        )
        assert page.get_by_label("leaves").input_value() == "1"
        page.get_by_label("leaves").fill("7,15")
        page.get_by_role("button", name="What would become of it?").click()
        expect(page.get_by_role("status")).to_contain_text("It would hold")
        expect(page.locator("pre").first).to_have_text(
            f"fabriek recipe run sweep --project {made.project} --set leaves=7,15 --wait"
        )
        assert list(made.services.compute.list(made.project, limit=9, cursor="", by=made.person).items) == []
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("recipe sweep")
        jobs = made.services.compute.list(made.project, limit=9, cursor="", by=made.person).items
        assert len(jobs) == 6
        page.goto(f"{url}/recipes/tabular?lang=nl")
        page.get_by_label("method").select_option("forest")
        page.get_by_label("register").fill("<b>mine</b>")
        page.get_by_role("button", name="Start").click()
        job = made.services.compute.list(made.project, limit=9, cursor="", by=made.person).items[0]
        assert page.url == f"{url}/projects/{made.project}/jobs/{job.id}"
        assert {"--method=forest", "--register=<b>mine</b>"} <= set(job.argv)


def test_pages_are_sound_in_both_languages_and_who_has_no_project_is_told_how(
    hall: tuple[Hall, str], browser: Browser
) -> None:
    made, url = hall
    page = browser.new_page()
    page.goto(url + made.link(made.person))
    page.get_by_role("button", name="Sign in").click()
    for name, address in (
        ("recipes", "/recipes"), ("recipe", "/recipes/images"), ("recipe-sweep", "/recipes/sweep"), ("recipes-dutch", "/recipes?lang=nl"),
        ("recipe-dutch", "/recipes/batch?lang=nl"),
    ):  # fmt: skip
        page.goto(url + address)
        sound(page, name)
        page.set_viewport_size({"width": 320, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    answer = page.goto(f"{url}/recipes?lang=de")
    assert answer is not None
    assert answer.status == 422
    answer = page.goto(f"{url}/recipes/nothing")
    assert answer is not None
    assert answer.status == 404
    page.context.clear_cookies()
    page.goto(url + made.link(made.stranger))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{url}/recipes/images")
    expect(page.get_by_role("link", name="Apply for one")).to_be_visible()
    expect(page.get_by_role("button", name="Run")).to_have_count(0)
    page.close()
