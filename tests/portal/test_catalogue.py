"""The catalogue and the services in a real browser without any script: found, narrowed, read and begun with; and by HTTP and in a terminal."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from fabriek.api import app as api
from fabriek.compute.jobs import JobInput
from fabriek.compute.store import SqlJobs
from fabriek.kernel.callers import Caller
from fabriek.knowledge.catalogue.entries import Face, Reach
from fabriek.knowledge.exchange.dcat import CONTEXT
from fabriek.portal import app as portal
from tests.factories.compute import a_job
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.portal.test_agreements import sound
from tests.portal.test_guide import sound as sound_to_all
from tests.portal.test_pages import CHROMIUM, HOSTILE, browser
from tests.servers.app import serving
from tests.servers.catalogue import Page, elsewhere
from tests.servers.factory import COMMAND, clean_environment

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-guide")]


class Hall:
    """A factory with some entries, served; and one who may look."""

    def __init__(self, town: Town) -> None:
        self.services, self.clock, person = town.services, town.clock, town.person("ziekenhuis")
        project = self.project = town.project(person)
        self.owner = town.again(person)
        for name, title, text, language, reach in (
            ("scans", "Longscans", "# Wat het is\n\nBeelden van **longen**." + HOSTILE, "nl", Reach.EVERYONE),
            ("wind", "Turbine vibrations", "Measured at ten kilohertz.", "en", Reach.EVERYONE),
            ("kept", "Turbine secrets", "Nobody else knows.", "en", Reach.PROJECT),
        ):
            self.services.vault.create(project, name, label="internal", by=self.owner)
            face = Face(title, f"<b>{title}</b> of 300 measurements.", language=language, keywords=("lung",), text=text)
            self.services.catalogue.publish(project, "dataset", name, face, reach=reach, by=self.owner)
        stranger = town.person("elders")
        town.project(stranger)
        self.stranger = town.again(stranger)

    def link(self, who: Caller) -> str:
        return f"/sign-in/{self.services.identity.issue_link(who.person, by=who)}"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[tuple[Hall, str]]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: the catalogue was not looked at")
    database = a_database(tmp_path / "fabriek.db")
    made = Hall(a_town(database, tmp_path / "home"))
    app = api.build(made.services, portal=portal.routes(made.services), page_of=portal.page_of(made.services))
    with serving(app) as url:
        yield made, url
    database.close()


def test_what_is_there_is_found_narrowed_and_read(hall: tuple[Hall, str], browser: Browser) -> None:
    made, url = hall
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(url + made.link(made.stranger))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Catalogue").click()
        expect(page.get_by_text("2 found")).to_be_visible()
        page.get_by_role("link", name="nl", exact=True).click()
        expect(page.locator("h2")).to_have_text(["Longscans"])
        page.get_by_role("link", name="language: nl").click()
        page.get_by_label("Words to look for").fill("turbin")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("h2")).to_have_text(["Turbine vibrations"])
        page.get_by_label("Words to look for").fill("longskans")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("Nothing has “longskans”; also looked for: longscans")).to_be_visible()
        page.get_by_role("link", name="Longscans").click()
        expect(page.get_by_role("heading", name="Wat het is")).to_be_visible()
        expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
        assert page.locator("main script, main img, main style").count() == 0
        expect(page.get_by_text("fabriek run --data")).to_be_visible()
        page.goto(f"{url}/catalogue?q=secrets")
        expect(page.get_by_text("Nothing found for “secrets”")).to_be_visible()


def test_who_may_know_sees_for_whom_it_is_and_all_pages_are_sound(hall: tuple[Hall, str], browser: Browser) -> None:
    made, url = hall
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url + made.link(made.owner))
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{url}/catalogue?q=turbine")
        expect(page.get_by_text("known to your project only")).to_be_visible()
        entry = page.get_by_role("link", name="Turbine secrets").get_attribute("href")
        for name, address in {
            "found": "/catalogue?q=turbine+lung",
            "entry": entry,
            "services": "/services/mine",
        }.items():
            page.goto(f"{url}{address}")
            sound(page, f"catalogue-{name}")


def test_a_search_that_is_kept_says_what_is_new(hall: tuple[Hall, str], browser: Browser) -> None:
    made, url = hall
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url + made.link(made.owner))
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{url}/catalogue?q=measurements&language=en")
        page.get_by_text("Keep this search").click()
        page.get_by_label("Name").fill("Everything measured")
        page.get_by_role("button", name="Keep it").click()
        expect(page.get_by_role("button", name="Everything measured", exact=True)).to_be_visible()
        made.clock.move(timedelta(minutes=1))
        face = Face("Measurements of wind", "At sea.")
        made.services.catalogue.publish(made.project, "guide", "wind", face, by=made.owner)
        page.goto(f"{url}/catalogue")
        page.get_by_role("button", name="Everything measured 1 new").click()
        expect(page.locator("li.card h2")).to_contain_text(["Measurements of wind"])
        sound(page, "catalogue-kept")
        page.get_by_role("button", name="Forget Everything measured").click()
        expect(page.get_by_text("Your searches")).to_have_count(0)


def test_an_entry_says_what_came_of_it_and_how_it_is_used(hall: tuple[Hall, str], browser: Browser) -> None:
    made, url = hall
    upload = made.services.vault.open_upload(made.project, "scans", by=made.owner)
    version = fill(made.services, upload, {"a.csv": b"1"}, by=made.owner)
    home = made.services.access.project(made.project).id
    given = JobInput(version.dataset, "scans", 1, version.id, "internal", "/data")
    with made.services.database.transaction():
        SqlJobs(made.services.database).add(
            [a_job("job_1", project=home, person=made.owner.person, name="segment", inputs=(given,))]
        )
    made.services.vault.grant_to_job(version.id, "job_1", project=home, purpose="civilian")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url + made.link(made.owner))
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{url}/catalogue?q=longscans")
        page.get_by_role("link", name="Longscans").click()
        expect(page.get_by_text("Fewer than three projects have used it.")).to_be_visible()
        expect(page.get_by_role("link", name="segment")).to_be_visible()
        page.get_by_text("In Python").click()
        expect(page.get_by_text("factory.vault.pull")).to_be_visible()
        sound(page, "catalogue-past")


def test_the_services_are_there_before_any_form_in_both_languages(hall: tuple[Hall, str], browser: Browser) -> None:
    made, url = hall
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{url}/sign-in")
        page.get_by_role("link", name="What there is").click()
        expect(page.locator("li.card")).to_have_count(10)
        expect(page.locator("#computing")).to_contain_text("Free of charge.")
        page.get_by_label("Who are you?").select_option("elsewhere")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#computing")).to_contain_text("Take part with a partner")
        page.get_by_role("link", name="In het Nederlands").click()
        expect(page.locator("#computing")).to_contain_text("Doe mee met een partner")
        page.goto(url + made.link(made.owner))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Services").click()
        expect(page.get_by_label("Who are you?")).to_have_value(made.services.offering.asker(made.owner))
    sound_to_all(browser, f"{url}/services?lang=nl", "services")


def test_the_same_services_by_http_and_in_a_terminal(hall: tuple[Hall, str], tmp_path: Path) -> None:
    _, url = hall
    found = httpx.get(f"{url}/api/v1/services?who=company&lang=en", trust_env=False).json()
    assert [one["price"] for one in found["items"] if one["name"] == "training"] == ["Paid by the place."]
    for query in ("who=%3Cb%3E", "lang=xx"):
        assert httpx.get(f"{url}/api/v1/services?{query}", trust_env=False).status_code == 422
    named = clean_environment(tmp_path / "home") | {"FABRIEK_URL": url}
    told = subprocess.run(
        [*COMMAND, "services", "--who", "startup", "--lang", "nl"], env=named, capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "Rekentijd" in told.stdout
    assert "binnen 2 werkdagen" in told.stdout


def test_search_engines_are_told_of_what_is_for_the_world_and_no_text_breaks_out(
    hall: tuple[Hall, str], browser: Browser
) -> None:
    made, url = hall
    by = made.services.catalogue
    out = "</script><script>document.title='broken'</script><!--"
    open_one = by.publish(made.project, "dataset", "wind", Face(f"Wind {out}", out), reach=Reach.WORLD, by=made.owner)
    kept = made.services.catalogue.publish(made.project, "dataset", "scans", Face("Scans", "x"), by=made.owner)
    with browser.new_context() as context:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text))
        page.goto(f"{url}/catalogue/{open_one.id}/open")
        (told,) = page.locator('script[type="application/ld+json"]').all_text_contents()
        assert json.loads(told)["name"] == f"Wind {out}"
        assert page.title() == f"Wind {out} · Fabriek"
        assert page.locator("script").count() == 2
        assert said == []
        page.goto(url + made.link(made.owner))
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{url}/catalogue/{kept.id}")
        assert page.locator('script[type="application/ld+json"]').count() == 0
        page.get_by_role("link", name="For other programs (Croissant)").focus()
        sound(page, "catalogue-entry-croissant")


def test_operators_see_how_each_catalogue_elsewhere_is(tmp_path: Path, browser: Browser) -> None:
    hostile = (
        "<script>document.title='broken'</script>Levels of <b>a harbour</b>. " + "Measured every ten minutes. " * 40
    )
    told = {"@context": CONTEXT, "@graph": [
        {"@id": "https://data.example.org/sets/water", "@type": "dcat:Dataset", "dct:title": "Water <i>levels</i>", "dct:description": hostile},
        {"@id": "https://data.example.org/sets/nothing", "@type": "dcat:Dataset"},
    ]}  # fmt: skip
    database = a_database(tmp_path / "fabriek.db")
    with elsewhere() as there, browser.new_context() as context:
        town = a_town(database, tmp_path / "home", harvest_hosts=there.url)
        app = api.build(town.services, portal=portal.routes(town.services), page_of=portal.page_of(town.services))
        with serving(app) as url:
            page = context.new_page()
            page.goto(f"{url}/sign-in/{town.services.identity.issue_link(town.operator.person, by=town.operator)}")
            page.get_by_role("button", name="Sign in").click()
            page.goto(f"{url}/catalogue")
            page.get_by_role("link", name="Catalogues elsewhere").click()
            page.get_by_label("Address of its DCAT").fill(f"{there.url}/dcat")
            page.get_by_label("What people here call it").fill("The port")
            page.get_by_role("button", name="Add it").click()
            there.pages["/dcat"] = Page(json.dumps(told).encode())
            page.get_by_role("button", name="Read The port now").click()
            expect(page.get_by_text("1 left out")).to_be_visible()
            there.pages["/dcat"] = Page(b"", status=503)
            page.get_by_role("button", name="Read The port now").click()
            expect(page.get_by_text("answered 503")).to_be_visible()
            page.get_by_text("1 left out").click()
            sound(page, "catalogue-sources")
            page.goto(f"{url}/catalogue?q=water")
            page.get_by_role("link", name="Water levels").click()
            link = page.get_by_role("link", name="Look at it where it is")
            expect(link).to_have_attribute("href", "https://data.example.org/sets/water")
            expect(page.get_by_text("Nothing here opens it.")).to_be_visible()
            assert page.title() == "Water levels · Fabriek"
            assert page.locator("main script, main b").count() == 0
            assert page.get_by_text("CITATION").count() == 0
            sound(page, "catalogue-elsewhere")
            page.goto(f"{url}/catalogue-sources")
            page.get_by_role("button", name="Remove The port with its entries").click()
            expect(page.get_by_text("None yet.")).to_be_visible()
    database.close()
