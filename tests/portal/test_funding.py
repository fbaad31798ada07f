"""Funding in a real browser: a funder's report with its charts and lines, at two widths, and what nobody else may open."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from fabriek.portal.bars import bars
from tests.factories.bookkeeper import GPU, Bookkeeper
from tests.factories.services import a_town
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-funding")]


class House:
    """A town with four weeks of use behind it, and a window without JavaScript for whoever looks."""

    def __init__(self, keeper: Bookkeeper, url: str, browser: Browser) -> None:
        self.keeper, self.town, self.url, self._browser = keeper, keeper.town, url, browser

    def page(self, person: Caller, path: str, *, script: bool = False) -> Page:
        context = self._browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=script)
        shown = context.new_page()
        link = self.town.services.identity.issue_link(person.person, by=person)
        shown.goto(f"{self.url}/sign-in/{link}")
        shown.get_by_role("button", name="Sign in").first.click()
        shown.wait_for_url(f"{self.url}/")
        shown.goto(self.url + path)
        return shown

    def sound(self, person: Caller, paths: dict[str, str]) -> None:
        """No serious fault on any of them, and nothing wider than the window."""
        shown = self.page(person, "/", script=True)
        for name, path in paths.items():
            shown.goto(self.url + path)
            for width, scheme in ((1280, "light"), (320, "dark")):
                shown.set_viewport_size({"width": width, "height": 900})
                shown.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
                found = Axe().run(shown).response["violations"]
                assert [one for one in found if one["impact"] in {"serious", "critical"}] == [], name
                if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
                    shown.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
                assert shown.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width} px"


@pytest.fixture
def house(tmp_path: Path, browser: Browser) -> Iterator[House]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: funding in the browser was not tried")
    database = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    metadata.create_all(database.engine)
    keeper = Bookkeeper(a_town(database, tmp_path / "home"))
    services = keeper.services
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        yield House(keeper, url, browser)
    database.close()


def test_a_report_is_read_opened_and_taken_along(house: House) -> None:
    keeper, town = house.keeper, house.town
    member = town.person("weefsel")
    slug = town.project(member, gpu_hours=100)
    project = town.services.access.project(slug)
    own = next(one for one in town.services.funding.allocations(by=town.operator) if one.project == project.id)
    bodies = {"a": "health", "b": "health", "c": "energy", "d": "energy", "e": "education"}
    others = [keeper.award(name, 80, sector=sector) for name, sector in bodies.items()]
    start = town.clock.today()
    for week in range(4):
        keeper.to(start + timedelta(days=7 * week))
        keeper.use(own, 5 + week)
        for number, one in enumerate(others):
            keeper.use(one, 2 + number, waited=300)
    keeper.to(start + timedelta(days=28))
    for number, one in enumerate(others[:2]):
        keeper.services.funding.hold(one.project, project.purpose, GPU, 10**6, f"job_held_{number}")
    desk = house.page(town.operator, "/funding")
    desk.get_by_role("link", name="nation, 2026Q4").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Report on share nation, 2026Q4")
    expect(desk.locator("svg.bars title").first).to_contain_text("Bars. GPU-hours used by sector: ")
    desk.locator("#gpu_hour").get_by_role("link", name="used", exact=True).click()
    expect(desk.locator("table tbody tr")).to_have_count(24)
    with desk.expect_download() as sheet:
        desk.goto(f"{house.url}/funding/reports/nation/2026Q4")
        desk.get_by_role("link", name="For a spreadsheet").click()
    assert "gpu_hour" in Path(sheet.value.path()).read_text()
    mine = house.page(town.again(member), f"/projects/{slug}")
    expect(mine.locator("#burndown")).to_contain_text(
        "GPU-hours: it lasts until it ends on 2026-12-25. 6.5 in a usual week."
    )
    assert mine.get_by_role("link", name="Funding").count() == 0
    mine.goto(f"{house.url}/funding/reports/nation/2026Q4")
    expect(mine.locator("main")).to_contain_text("funding.view")
    house.sound(
        town.operator,
        {
            "funding": "/funding", "report": "/funding/reports/nation/2026Q4", "public": "/funding/public/2026",
            "entries": "/funding/reports/nation/2026Q4/entries?row=used.sector.health&resource=gpu_hour",
        },
    )  # fmt: skip
    house.sound(town.again(member), {"burndown": f"/projects/{slug}"})


def test_bars_say_in_words_what_they_show_and_escape_what_others_wrote() -> None:
    drawn = bars('Bars: "<x>" 120 %', [("<script>alert(1)</script>", 120), ("b", -5)])
    assert "<script" not in drawn
    assert "<title>Bars: &#34;&lt;x&gt;&#34; 120 %</title>" in drawn
    assert drawn.count("<rect") == 2
