"""A lower label and a release in a real browser: each of several people on their own page, and what is refused to who may not decide."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from fabriek.api import app as api
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.kernel.callers import Caller
from fabriek.lab.metrics import Metric
from fabriek.portal import app as portal
from fabriek.portal.pages.proposals import waiting_shown
from fabriek.vault.labelling.proposals import Outcome
from tests.contract.test_releasing import Lab
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-proposals")]


class Rooms:
    """A lab behind a real address, and a window for each of its people."""

    def __init__(self, lab: Lab, url: str, browser: Browser) -> None:
        self.lab, self.url, self._browser = lab, url, browser
        self.dataset = f"/projects/{lab.project}/datasets/scans"
        self.job = f"/projects/{lab.project}/jobs/{lab.job.id}"
        self.faults: list[str] = []

    def code(self, person: Caller) -> str:
        return self.lab.services.identity.issue_link(person.person, by=person)

    def page(self, person: Caller, path: str) -> Page:
        shown = self._browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        shown.on("pageerror", lambda error: self.faults.append(str(error)))
        shown.goto(f"{self.url}/sign-in/{self.code(person)}")
        shown.get_by_role("button", name="Sign in").click()
        shown.wait_for_url(f"{self.url}/")
        shown.goto(self.url + path)
        return shown

    def posted(self, person: Caller, path: str, **fields: str) -> httpx.Response:
        """A form as the page would have sent it, had it shown one; the seal is that of their own session."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html"}, trust_env=False) as visitor:
            visitor.post(f"/sign-in/{self.code(person)}")
            seal = visitor.get("/").text.partition('name="seal" value="')[2].partition('"')[0]
            assert seal
            return visitor.post(path, data=fields | {"seal": seal})


@pytest.fixture
def rooms(tmp_path: Path, browser: Browser) -> Iterator[Rooms]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: lowering and releasing in the browser were not tried")
    database = a_database(tmp_path / "fabriek.db")
    lab = Lab(a_town(database, tmp_path / "home"))
    services = lab.services
    services.vault.create(lab.project, "scans", label="personal", by=lab.hanna)
    fill(services, services.vault.open_upload(lab.project, "scans", by=lab.hanna), {"a": b"a"}, by=lab.hanna)
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url:
        made = Rooms(lab, url, browser)
        yield made
    database.close()
    assert made.faults == []


def sound(page: Page, name: str) -> None:
    """No serious fault and nothing wider than the window, light or dark; with a picture where one is asked for."""
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in {"serious", "critical"}]
        assert found == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
        if folder := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def has_buttons(page: Page, card: str, names: list[str]) -> None:
    """These and no others, once the page is there."""
    expect(page.locator(f"#{card}")).to_be_visible()
    expect(page.locator(f"#{card} button")).to_have_text(names)


def test_a_label_is_lowered_by_two_people_on_the_page_and_not_by_one(rooms: Rooms) -> None:
    lab = rooms.lab
    hers = rooms.page(lab.hanna, rooms.dataset)
    card = hers.locator("#lowering")
    expect(card).to_contain_text("one proposes a lower label and says why, and another one agrees")
    assert [one.inner_text() for one in card.get_by_label("Lower to").locator("option").all()][1:] == [
        "confidential-business", "internal", "open",
    ]  # fmt: skip
    card.get_by_label("Why it is less sensitive").fill("<b>names</b> were taken out")
    card.get_by_label("Lower to").select_option("internal")
    card.get_by_role("button", name="Propose").click()
    expect(hers.locator("#lowering").get_by_text("<b>names</b> were taken out")).to_be_visible()
    # Hers to take back, and not to agree to.
    has_buttons(hers, "lowering", ["Take it back"])
    sound(hers, "lowering-proposed")
    hers.goto(rooms.url)
    expect(hers.locator("#waiting")).to_have_count(0)

    his = rooms.page(lab.henk, "/")
    expect(his.locator("#waiting")).to_contain_text("personal to internal")
    sound(his, "waiting-lowering")
    his.get_by_role("link", name="Lower the label of scans").click()
    has_buttons(his, "lowering", ["Agree", "Refuse"])
    sound(his, "lowering-decides")
    his.locator("#lowering").get_by_role("button", name="Agree").click()
    expect(his.locator("#lowering .tag", has_text="lowered")).to_be_visible()
    expect(his.locator("#lowering h3")).to_contain_text("From personal to internal")
    expect(his.locator("#lowering")).to_contain_text("Proposed and signed by Somebody, ")
    expect(his.locator("#lowering")).to_contain_text("Agreed to by henk, ")
    expect(his.locator(".head .label")).to_have_text("internal")
    sound(his, "lowering-agreed")
    his.goto(rooms.url)
    expect(his.locator("#waiting")).to_have_count(0)


def test_who_may_not_lower_sees_no_button_and_is_refused_when_they_post(rooms: Rooms) -> None:
    lab, vault = rooms.lab, rooms.lab.services.vault
    partner = rooms.page(lab.stef, rooms.dataset)
    has_buttons(partner, "lowering", [])
    low = vault.propose_lowering("scans", "internal", "names were taken out", project=lab.project, by=lab.hanna)
    partner.reload()
    has_buttons(partner, "lowering", [])
    assert "names were taken out" not in partner.content()
    partner.goto(rooms.url)
    expect(partner.locator("#waiting")).to_have_count(0)
    for person, rule, path, fields in (
        (lab.stef, "data.owner", f"/lowerings/{low.id}/sign", {}),
        (lab.stef, "data.owner", f"/lowerings/{low.id}/refuse", {"reason": "no"}),
        (lab.stef, "data.owner", "/lowerings", {"label": "open", "reason": "why not"}),
        (lab.hanna, "proposal.second_person", f"/lowerings/{low.id}/sign", {}),
    ):
        refused = rooms.posted(person, rooms.dataset + path, **fields)
        assert (refused.status_code, rule in refused.text) == (403, True)
        assert "<h1>" in refused.text
    stranger = lab.town.person("stranger")
    for path in ("/lowerings", f"/lowerings/{low.id}/sign", f"/lowerings/{low.id}/refuse"):
        assert rooms.posted(stranger, rooms.dataset + path).status_code == 404
    assert vault.find("scans", project=lab.project, by=lab.hanna).label == "personal"
    assert [one.outcome for one in vault.lowerings_of("scans", project=lab.project, by=lab.hanna)] == [Outcome.OPEN]


def test_what_was_pushed_since_takes_the_button_away_and_a_refusal_says_why(rooms: Rooms) -> None:
    lab, services = rooms.lab, rooms.lab.services
    vault = services.vault
    low = vault.propose_lowering("scans", "internal", "names were taken out", project=lab.project, by=lab.hanna)
    fill(services, vault.open_upload(lab.project, "scans", by=lab.hanna), {"b": b"b"}, by=lab.hanna)
    his = rooms.page(lab.henk, rooms.dataset)
    has_buttons(his, "lowering", ["Refuse"])
    expect(his.locator("#lowering")).to_contain_text("Versions were pushed since")
    late = rooms.posted(lab.henk, f"{rooms.dataset}/lowerings/{low.id}/sign")
    assert (late.status_code, "ersions were pushed since" in late.text) == (409, True)
    his.locator("#lowering").get_by_label("Why not").fill("There is more <i>now</i>. " + "X" * 300)
    his.locator("#lowering").get_by_role("button", name="Refuse").click()
    expect(his.locator("#lowering .tag", has_text="refused")).to_be_visible()
    expect(his.get_by_text("Refused by henk: There is more <i>now</i>.")).to_be_visible()
    has_buttons(his, "lowering", ["Propose"])
    sound(his, "lowering-refused")


def with_metrics(lab: Lab) -> str:
    """The lab's job as if its node had kept a run; which."""
    services, job = lab.services, lab.job
    run = services.lab.open_run(job.project, "Default", job=job.id, label=job.label, person=lab.hanna.person, name="r")
    node = Caller("", job=job.id, project_rights={job.project: frozenset({"lab.view", "lab.write"})})
    points = [Metric("loss", 1 / (step + 1), step, step) for step in range(8)]
    services.lab.log(job.project, run, metrics=points, by=node)
    services.progress.note(job.id, run=run)
    return run


def test_what_a_job_emitted_is_released_by_two_who_see_the_metrics_that_they_decide_about(rooms: Rooms) -> None:
    lab = rooms.lab
    run = with_metrics(lab)
    hers = rooms.page(lab.hanna, f"/projects/{lab.project}/runs/{run}")
    hers.get_by_role("link", name="ask for it on its job's page").click()
    card = hers.locator("#release")
    expect(card).to_contain_text("two named people of Hospital agree")
    expect(card.locator("table")).to_have_count(0)
    sound(hers, "release-author")
    card.get_by_label("Why it may be shown").fill("the figures name <b>nobody</b>")
    card.get_by_role("button", name="Ask for its release").click()
    expect(hers.locator("#release").get_by_text("the figures name <b>nobody</b>")).to_be_visible()
    has_buttons(hers, "release", ["Take it back"])
    assert "0.125" not in hers.content()
    expect(hers.locator("#release")).to_contain_text("Proposed by Somebody, ")
    expect(hers.locator("#release .tag", has_text="waits for two people")).to_be_visible()
    hers.goto(rooms.url)
    expect(hers.locator("#waiting")).to_have_count(0)

    for person, left in ((lab.henk, True), (lab.hilde, False)):
        theirs = rooms.page(person, "/")
        sound(theirs, "waiting-release")
        theirs.locator("#waiting").get_by_role("link").click()
        card = theirs.locator("#release")
        expect(card.get_by_role("cell", name="0.125")).to_be_visible()
        has_buttons(theirs, "release", ["Agree", "Refuse"])
        sound(theirs, "release-decides")
        card.get_by_role("button", name="Agree").click()
        has_buttons(theirs, "release", (["Refuse"] if left else []))
        expect(
            theirs.locator("#release .tag", has_text="waits for a second person" if left else "released")
        ).to_be_visible()
        theirs.goto(rooms.url)
        expect(theirs.locator("#waiting")).to_have_count(0)
    hers.goto(rooms.url + rooms.job)
    expect(hers.locator("#release .tag", has_text="released")).to_be_visible()
    has_buttons(hers, "release", [])
    expect(hers.locator("pre.log")).to_be_visible()
    sound(hers, "release-agreed")


def test_who_may_not_release_sees_no_button_and_no_metric_and_is_refused_when_they_post(rooms: Rooms) -> None:
    lab, releasing = rooms.lab, rooms.lab.services.releasing
    with_metrics(lab)
    release = releasing.propose(lab.project, lab.job.id, "it names nobody", by=lab.henk)
    for person in (lab.stef, lab.hanna):
        theirs = rooms.page(person, rooms.job)
        has_buttons(theirs, "release", [])
        expect(theirs.locator("#release table")).to_have_count(0)
        expect(theirs.locator("main")).to_contain_text("withheld until it is released")
    for person, rule, path in (
        (lab.stef, "release.owner", "sign"),
        (lab.stef, "release.owner", "refuse"),
        (lab.hanna, "proposal.author", "sign"),
        (lab.hanna, "release.owner", "refuse"),
        (lab.henk, "proposal.second_person", "sign"),
    ):
        refused = rooms.posted(person, f"{rooms.job}/releases/{release.id}/{path}", reason="no")
        assert (refused.status_code, rule in refused.text) == (403, True)
    again = rooms.posted(lab.hanna, f"{rooms.job}/releases", reason="again")
    assert (again.status_code, "waits for its second person" in again.text) == (409, True)
    stranger = lab.town.person("stranger")
    for path in ("", f"/{release.id}/sign", f"/{release.id}/refuse"):
        assert rooms.posted(stranger, f"{rooms.job}/releases{path}", reason="x").status_code == 404
    assert [one.outcome for one in releasing.of_job(lab.project, lab.job.id, by=lab.hanna)] == [Outcome.OPEN]

    his = rooms.page(lab.henk, rooms.job)
    his.locator("#release").get_by_label("Why you take it back").fill("It names somebody.")
    his.locator("#release").get_by_role("button", name="Take it back").click()
    expect(his.locator("#release .tag", has_text="taken back")).to_be_visible()
    has_buttons(his, "release", ["Ask for its release, and agree"])
    sound(his, "release-taken-back")


def test_no_form_of_another_site_proposes_or_decides(rooms: Rooms) -> None:
    lab, services = rooms.lab, rooms.lab.services
    low = services.vault.propose_lowering("scans", "internal", "x", project=lab.project, by=lab.hanna)
    release = services.releasing.propose(lab.project, lab.job.id, "x", by=lab.hanna)
    with httpx.Client(base_url=rooms.url, headers={"Accept": "text/html"}, trust_env=False) as visitor:
        visitor.post(f"/sign-in/{rooms.code(lab.henk)}")
        for path in (
            f"{rooms.dataset}/lowerings",
            f"{rooms.dataset}/lowerings/{low.id}/sign",
            f"{rooms.dataset}/lowerings/{low.id}/refuse",
            f"{rooms.job}/releases",
            f"{rooms.job}/releases/{release.id}/sign",
            f"{rooms.job}/releases/{release.id}/refuse",
        ):
            refused = visitor.post(path, data={"label": "open", "reason": "planted"})
            assert (refused.status_code, "form.seal" in refused.text) == (403, True)
    assert [one.outcome for one in services.vault.lowerings_of("scans", project=lab.project, by=lab.hanna)] == [
        Outcome.OPEN
    ]
    assert [one.signatures for one in services.releasing.of_job(lab.project, lab.job.id, by=lab.hanna)] == [()]


def test_a_reason_that_is_none_is_refused_in_words_that_fit_a_page(rooms: Rooms) -> None:
    lab = rooms.lab
    for path in (f"{rooms.dataset}/lowerings", f"{rooms.job}/releases"):
        refused = rooms.posted(lab.hanna, path, label="internal", reason="  ")
        assert (refused.status_code, "Say why, in at most 2,000 characters" in refused.text) == (422, True)
        assert "--reason" not in refused.text


def test_where_two_organisations_decide_the_page_says_whose_answer_is_missing(rooms: Rooms) -> None:
    lab, services = rooms.lab, rooms.lab.services
    services.vault.create(lab.project, "theirs", label="export-controlled", by=lab.stef)
    fill(services, services.vault.open_upload(lab.project, "theirs", by=lab.stef), {"a": b"a"}, by=lab.stef)
    services.vault.agree(
        "theirs", home=lab.project, project=lab.project, purposes=["civilian"], right="take_away",
        until=date(2027, 1, 1), by=lab.stef,
    )  # fmt: skip
    both = (InputAsked("cells", "/ours"), InputAsked("theirs", "/theirs"))
    job = services.compute.submit(lab.project, JobAsked(("true",), inputs=both), by=lab.hanna)
    services.compute.cancel(lab.project, job.id, by=lab.hanna)
    services.releasing.propose(lab.project, job.id, "it names nobody", by=lab.henk)
    theirs = rooms.page(lab.stef, "/")
    theirs.locator("#waiting").get_by_role("link").click()
    card = theirs.locator("#release")
    expect(card).to_contain_text("two named people of Hospital and Partner agree, somebody of each")
    expect(card).to_contain_text("Somebody of Partner has to agree still.")
    sound(theirs, "release-two-owners")
    theirs.locator("#release").get_by_role("button", name="Agree").click()
    expect(theirs.locator("#release .tag", has_text="released")).to_be_visible()


def test_my_work_lists_many_with_as_many_questions_as_one(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    lab, services = rooms.lab, rooms.lab.services
    asked, rows = list[object](), services.database.rows
    counted = []
    for names in (["one"], ["two", "three", "four"]):
        for name in names:
            services.vault.create(lab.project, name, label="personal", by=lab.hanna)
            services.vault.propose_lowering(name, "internal", "x", project=lab.project, by=lab.hanna)
            services.releasing.propose(lab.project, lab.ran(lab.hanna).id, "x", by=lab.hanna)
        with monkeypatch.context() as patch:
            patch.setattr(services.database, "rows", lambda *said: (asked.append(said), rows(*said))[1])
            found = waiting_shown(services, lab.henk)
        counted.append((len(found), len(asked)))
        asked.clear()
    assert [found for found, _ in counted] == [2, 8]
    assert counted[0][1] == counted[1][1]


def test_a_job_whose_label_withholds_nothing_has_no_release(rooms: Rooms) -> None:
    lab = rooms.lab
    job = lab.services.compute.cancel(lab.project, lab.services.compute.submit(
        lab.project, JobAsked(("true",)), by=lab.hanna).id, by=lab.hanna)  # fmt: skip
    hers = rooms.page(lab.hanna, f"/projects/{lab.project}/jobs/{job.id}")
    expect(hers.locator("#log")).to_be_visible()
    expect(hers.locator("#release")).to_have_count(0)
