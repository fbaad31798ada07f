"""Models in a real browser: found from the project, promoted by two people on their own pages, a card written, a passport taken along."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from fabriek.sdk.passport import read_key, verify
from tests.factories.models import House, safetensors, trapped
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-models")]

README = b"---\nlicense: eupl-1.2\nlanguage: [nl, en]\n---\n# Tree <script>alert(1)</script>\n\nFor triage.\n"
MLMODEL = b"""signature:
  inputs: '[{"type": "double", "name": "radius"}, {"type": "string", "name": "kind_of_tissue", "required": false}]'
  outputs: '[{"type": "long"}]'
"""


class Rooms:
    """A start-up's project behind a real address, and a window for each of its people."""

    def __init__(self, house: House, url: str, browser: Browser) -> None:
        self.house, self.url, self._browser = house, url, browser
        self.version = f"/projects/{house.slug}/models/tree%20of%20life/1"
        self.faults: list[str] = []

    def code(self, person: Caller) -> str:
        return self.house.services.identity.issue_link(person.person, by=person)

    def page(self, person: Caller, path: str) -> Page:
        shown = self._browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        shown.on("pageerror", lambda error: self.faults.append(str(error)))
        shown.goto(f"{self.url}/sign-in/{self.code(person)}")
        shown.get_by_role("button", name="Sign in").click()
        shown.wait_for_url(f"{self.url}/")
        shown.goto(self.url + path)
        return shown

    def posted(self, person: Caller, path: str, **fields: str) -> httpx.Response:
        """A form as the page would have sent it, had it shown one."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html"}, trust_env=False) as visitor:
            visitor.post(f"/sign-in/{self.code(person)}")
            seal = visitor.get("/").text.partition('name="seal" value="')[2].partition('"')[0]
            assert seal
            return visitor.post(path, data=fields | {"seal": seal})


@pytest.fixture
def rooms(tmp_path: Path, browser: Browser) -> Iterator[Rooms]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: models in the browser were not tried")
    database = a_database(tmp_path / "fabriek.db")
    house = House(a_town(database, tmp_path / "home"))
    services = house.services
    services.vault.create(house.slug, "biopsies", label="personal", by=house.lena)
    fill(services, services.vault.open_upload(house.slug, "biopsies", by=house.lena), {"a.csv": b"1"}, by=house.lena)
    services.vault.agree(
        "biopsies", home=house.slug, project=house.slug, purposes=["civilian"], right="compute", until=date(2027, 6, 1), by=house.lena
    )  # fmt: skip
    job = house.job(house.max, "python", "train.py", reads="biopsies")
    files = {"model.safetensors": safetensors(), "MLmodel": MLMODEL, "README.md": README}
    house.version(house.max, files, name="tree of life", metrics={"test_auc": 0.9312, "test_loss": 0.21}, job=job)
    house.settle(job)
    house.version(house.nina, {"model.pkl": trapped(tmp_path / "sprung")}, name="brought in")
    services.promoting.set_rule(house.project, "champion", limits=["test_auc>=0.9"], by=house.lena)
    services.promoting.set_rule(house.project, "production", jobs=["evaluate"], by=house.lena)
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        made = Rooms(house, url, browser)
        yield made
    database.close()
    assert made.faults == []
    assert not (tmp_path / "sprung").exists()


def sound(page: Page, name: str) -> None:
    """No serious fault and nothing wider than the window, light or dark; with a picture where one is asked for."""
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}]
        assert found == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
        if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_version_is_promoted_by_two_people_on_the_page(rooms: Rooms) -> None:
    house = rooms.house
    his = rooms.page(house.max, f"/projects/{house.slug}")
    his.get_by_role("link", name="tree of life").click()
    expect(his.locator("main")).to_contain_text("test_auc>=0.9, a second person agrees, all its files are data")
    sound(his, "model")
    his.get_by_role("link", name="@1").first.click()
    expect(his.locator("main")).to_contain_text("biopsies@1")
    expect(his.locator("main")).to_contain_text("radius double, kind_of_tissue string (optional)")
    expect(his.locator("#card")).to_contain_text("Tree <script>alert(1)</script>")
    expect(his.locator("#promotion")).to_contain_text(
        "the job evaluate succeeded on it · none that names models:/tree of life/1"
    )
    expect(his.locator("#promotion button")).to_have_text(["Propose"])
    sound(his, "model-version")
    his.get_by_label("Why this version for champion").fill("<b>better</b> than before")
    his.get_by_role("button", name="Propose").click()
    expect(his.locator("#promotion button")).to_have_text(["Take it back"])
    expect(his.locator("#promotion")).to_contain_text("<b>better</b> than before")

    hers = rooms.page(house.nina, "/")
    expect(hers.locator("#waiting")).to_contain_text("Promote tree of life version 1 to champion")
    hers.get_by_role("link", name="Promote tree of life version 1 to champion").click()
    expect(hers.locator("#promotion button")).to_have_text(["Agree", "Refuse"])
    sound(hers, "model-promotion")
    hers.get_by_role("button", name="Agree").click()
    expect(hers.locator("#promotion .tag", has_text="promoted")).to_be_visible()
    expect(hers.locator(".head .tag", has_text="champion")).to_be_visible()
    expect(hers.locator("#promotion")).to_contain_text("Agreed to by Nina, ")
    hers.goto(rooms.url)
    expect(hers.locator("#waiting")).to_have_count(0)
    hers.goto(f"{rooms.url}/projects/{house.slug}")
    expect(hers.locator("main")).to_contain_text("champion @1")
    sound(hers, "model-project")


def test_a_passport_is_taken_along_and_opens_without_any_server(rooms: Rooms, tmp_path: Path) -> None:
    house = rooms.house
    made = house.services.promoting.propose(house.project, "tree of life", "1", "champion", "better", by=house.max)
    house.services.promoting.agree(made.id, by=house.nina)
    hers = rooms.page(house.lena, rooms.version)
    with hers.expect_download() as coming:
        hers.get_by_role("link", name="Get its passport").click()
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    assert file.name == "passport-tree-of-life-1.html"
    verify(file.read_bytes(), read_key(house.services.passports.key()))
    asked: list[str] = []
    hers.on("request", lambda request: asked.append(request.url))
    hers.goto(file.as_uri())
    assert asked == [file.as_uri()]
    expect(hers.locator("h1")).to_have_text("tree of life version 1")
    expect(hers.locator("main")).to_contain_text("proposed by Max (Startup), agreed to by Nina (Startup)")
    for width in (1280, 320):
        hers.set_viewport_size({"width": width, "height": 900})
        assert hers.evaluate("document.documentElement.scrollWidth") <= width
        if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
            hers.screenshot(path=Path(folder) / f"passport-{width}.png", full_page=True)
    found = [one for one in Axe().run(hers).response["violations"] if one["impact"] in {"serious", "critical"}]
    assert found == []


def test_what_was_brought_in_shows_its_mark_and_gets_a_card(rooms: Rooms) -> None:
    house = rooms.house
    hers = rooms.page(house.nina, f"/projects/{house.slug}/models/brought%20in/1")
    expect(hers.locator("main")).to_contain_text("Nobody here knows: no job of this factory made it.")
    expect(hers.locator("main")).to_contain_text("a pickle runs what it says when it is opened")
    expect(hers.locator("#promotion button")).to_have_count(0)
    sound(hers, "model-brought-in")
    hers.get_by_text("Write the card").click()
    box = hers.get_by_label("Markdown, behind front matter")
    box.fill("---\nlicense: nonsense\n---\n# Mine\n")
    hers.get_by_role("button", name="Keep it").click()
    expect(hers.locator("main")).to_contain_text("is not a licence of SPDX")
    hers.goto(f"{rooms.url}/projects/{house.slug}/models/brought%20in/1")
    hers.get_by_text("Write the card").click()
    sound(hers, "model-card")
    box.fill("---\nlicense: mit\ntags: [pathology]\n---\n# Mine\n")
    hers.get_by_role("button", name="Keep it").click()
    expect(hers.locator("#card")).to_contain_text("Written by Nina, ")
    expect(hers.locator("#card")).to_contain_text("pathology")
    expect(hers.locator("main")).to_contain_text("MIT")


def test_who_may_not_decide_sees_no_button_and_is_refused_when_they_post(rooms: Rooms) -> None:
    house, services = rooms.house, rooms.house.services
    made = services.promoting.propose(house.project, "tree of life", "1", "champion", "better", by=house.nina)
    his = rooms.page(house.max, rooms.version)
    expect(his.locator("#promotion")).to_contain_text("You registered it, so another colleague agrees.")
    expect(his.locator("#promotion button")).to_have_text(["Refuse"])
    stranger = house.town.person("stranger")
    for person, path, says in (
        (house.max, f"{rooms.version}/promotions/{made.id}/sign", "promotion.author"),
        (house.nina, f"{rooms.version}/promotions/{made.id}/sign", "promotion.second_person"),
        (house.max, f"{rooms.version}/promotions", "promotion.tests"),
        (stranger, f"{rooms.version}/promotions/{made.id}/sign", "no such thing"),
        (stranger, f"{rooms.version}/card", "no such thing"),
    ):
        answer = rooms.posted(person, path, alias="production", reason="x", text="x")
        assert answer.status_code in {403, 404}
        assert says in answer.text
    assert services.registry.registered(house.project, "tree of life", by=house.lena).aliases == {}
