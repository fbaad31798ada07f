"""Coming in by oneself, in a real browser: a password with an app, passkeys of a virtual authenticator, showing again that it is you."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page, expect

from fabriek.access.login.passwords import Hashing
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.portal import app as portal
from fabriek.portal.entering import local_path
from fabriek.portal.forms import VISIT_COOKIE
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.portal.test_pages import CHROMIUM, browser
from tests.servers.app import serving

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal-proposals")]

PASSWORD = "veldmuis trombone lantaarn"
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


@dataclass
class House:
    town: Town
    url: str

    def link(self, person: Caller) -> str:
        return f"{self.url}/sign-in/{self.town.services.identity.issue_link(person.person, by=self.town.operator)}"

    def email(self, person: Caller) -> str:
        return self.town.services.access.person(person.person).email

    def code(self, secret: str) -> str:
        """One that was not used: the clock goes on."""
        self.town.clock.move(timedelta(seconds=90))
        return pyotp.TOTP(secret).at(self.town.clock.now())

    def enrolled(self, person: Caller) -> str:
        accounts = self.town.services.accounts
        accounts.begin(PASSWORD, by=person)
        secret = accounts.beginning(by=person).secret
        accounts.finish(self.code(secret), by=person)
        return secret


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    room = tmp_path_factory.mktemp("accounts")
    database = a_database(room / "fabriek.db")
    town = a_town(database, room / "home")
    town.services.accounts._hashing = Hashing(passes=1, memory_kib=1024)
    services = town.services
    with serving(api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))) as url:
        yield House(town, url.replace("127.0.0.1", "localhost"))
    database.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: nobody came in by the portal")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown, faults = context.new_page(), list[str]()
    shown.on("pageerror", lambda error: faults.append(str(error)))
    yield shown
    context.close()
    assert faults == []


def sound(page: Page, name: str) -> None:
    """No fault that axe finds serious, and nothing beside the window, narrow and wide."""
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == [], (name, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        if pictures := os.environ.get("FABRIEK_PICTURES", ""):  # noqa: TID251  # for whoever wants to look
            page.screenshot(path=str(Path(pictures) / f"{name}-{width}.png"), full_page=True)


def follow(house: House, page: Page, person: Caller) -> None:
    page.goto(house.link(person))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house.url}/")


def authenticator(page: Page) -> tuple[CDPSession, str]:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]


def enrol_passkey(house: House, page: Page, name: str) -> None:
    page.goto(f"{house.url}/account")
    page.get_by_label("What you call it").fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()


def test_from_a_link_to_a_password_with_its_app_and_in_by_them(house: House, page: Page) -> None:
    person = house.town.person("weefsel")
    follow(house, page, person)
    page.get_by_role("link", name="Set up a passkey").click()
    sound(page, "account-empty")
    page.get_by_label("Password, 12 characters or more").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Go on to the app").click()
    sound(page, "account-app")
    secret = page.locator("code").inner_text()
    page.get_by_label("The six digits").fill(house.code(secret))
    page.get_by_role("button", name="Done").click()
    codes = page.locator("pre").inner_text().split()
    assert len(codes) == 10
    sound(page, "account-codes")
    page.get_by_role("link", name="I have kept them").click()
    sound(page, "account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{house.url}/sign-in")
    sound(page, "sign-in")
    for code, then in ((house.code(secret), "/"), (codes[0], "/account")):
        page.goto(f"{house.url}{then}")
        page.get_by_label("Address").fill(house.email(person))
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Code of your app").fill(code)
        page.locator("form[action='/sign-in/by/password'] button").click()
        page.wait_for_url(f"{house.url}{then}")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{house.url}/sign-in")


def test_a_passkey_is_made_and_opens_and_confirms(house: House, page: Page) -> None:
    person = house.town.person("weefsel")
    follow(house, page, person)
    authenticator(page)
    enrol_passkey(house, page, "Laptop <b>")
    assert house.town.services.access.person(person.person).confirms
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{house.url}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{house.url}/")
    house.town.clock.move(timedelta(minutes=16))
    page.goto(f"{house.url}/account")
    page.get_by_role("link", name="Show it now").click()
    sound(page, "confirm")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{house.url}/account")
    assert not page.get_by_text("Show it now").is_visible()
    page.get_by_label("It is my last way in").check()
    page.get_by_role("button", name="Remove Laptop <b>").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert not house.town.services.access.person(person.person).confirms


@dataclass
class Taken:
    """A passkey's answer, as the browser would have sent it."""

    page: Page
    sent: dict[str, Any]
    headers: dict[str, str]


def answered(house: House, page: Page) -> Taken:
    """What a passkey signs for a fresh challenge of this browser, kept from the server."""
    kept: list[Any] = []
    page.goto(f"{house.url}/sign-in")
    page.route("**/sign-in/by/passkey", lambda route: (kept.append(route.request), route.abort()))
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("[data-wrong]")).not_to_be_empty()
    page.unroute("**/sign-in/by/passkey")
    request = kept[0]
    return Taken(page, json.loads(request.post_data), {"X-Fabriek-Seal": request.headers["x-fabriek-seal"]})


def send(house: House, taken: Taken, sent: dict[str, Any] | None = None, *, visit: str = "", seal: str = "") -> int:
    cookies = {
        VISIT_COOKIE: visit or next(one["value"] for one in taken.page.context.cookies() if one["name"] == VISIT_COOKIE)
    }
    headers = {"X-Fabriek-Seal": seal} if seal else taken.headers
    with httpx.Client(base_url=house.url, cookies=cookies, trust_env=False) as client:
        return client.post("/sign-in/by/passkey", json=sent or taken.sent, headers=headers).status_code


def test_attacks_on_a_passkeys_answer(house: House, page: Page) -> None:
    person = house.town.person("weefsel")
    follow(house, page, person)
    cdp, authenticator_id = authenticator(page)
    enrol_passkey(house, page, "Key")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{house.url}/sign-in")

    taken = answered(house, page)
    with httpx.Client(base_url=house.url, trust_env=False) as other:
        seal = re.search(r'data-seal="(\w+)"', other.get("/sign-in").text)
        assert seal is not None
        visit = other.cookies[VISIT_COOKIE]
    assert send(house, taken, visit=visit, seal=seal.group(1)) == 401, "the challenge of another browser"
    assert send(house, taken) == 401, "which used it up"

    taken = answered(house, page)
    assert send(house, taken) == 200
    assert send(house, taken) == 401, "replayed"

    taken = answered(house, page)
    house.town.clock.move(timedelta(minutes=5))
    assert send(house, taken) == 401, "too late"

    taken = answered(house, page)
    forged = json.loads(json.dumps(taken.sent))
    forged["answer"]["response"]["signature"] = forged["answer"]["response"]["signature"][::-1]
    assert send(house, taken, forged) == 401, "another signature"
    for junk in (
        {},
        {"answer": []},
        {"answer": {"id": 1, "response": "x"}},
        {"answer": {"response": {"clientDataJSON": "e30"}}},
    ):
        assert send(house, taken, junk) in {401, 422}, junk

    key = cdp.send("WebAuthn.getCredentials", {"authenticatorId": authenticator_id})["credentials"][0]
    cdp.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator_id})
    cdp.send("WebAuthn.addCredential", {"authenticatorId": authenticator_id, "credential": {**key, "signCount": 1}})
    taken = answered(house, page)
    assert send(house, taken) == 401, "a copy whose counter fell behind"
    kept = house.town.services.passkeys._store.passkeys_of(person.person)[0]
    assert kept.uses > 2


def test_an_answer_for_another_site_is_refused(house: House, page: Page) -> None:
    """The same browser, the same authenticator: what a page at another port signs does not hold here."""
    person = house.town.person("weefsel")
    follow(house, page, person)
    authenticator(page)
    enrol_passkey(house, page, "Key")
    page.get_by_role("button", name="Sign out").click()
    services = house.town.services
    taken = answered(house, page)
    with serving(api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))) as elsewhere:
        house_elsewhere = House(house.town, elsewhere.replace("127.0.0.1", "localhost"))
        assert send(house_elsewhere, taken) == 401
        taken = answered(house, page)
        with httpx.Client(base_url=elsewhere, trust_env=False) as forging:
            forging.cookies.set(
                VISIT_COOKIE, next(one["value"] for one in page.context.cookies() if one["name"] == VISIT_COOKIE)
            )
            host = {**taken.headers, "Host": house.url.removeprefix("http://"), "X-Forwarded-Host": "localhost"}
            assert forging.post("/sign-in/by/passkey", json=taken.sent, headers=host).status_code == 401


def visitor(house: House) -> httpx.Client:
    return httpx.Client(base_url=house.url, headers={"Accept": "text/html"}, trust_env=False)


def sealed(page: str) -> str:
    found = re.search(r'name="seal" value="(\w+)"', page)
    assert found is not None
    return found.group(1)


def test_a_cookie_from_before_signing_in_is_worth_nothing_after_it(house: House) -> None:
    person = house.town.person("weefsel")
    secret, victim = house.enrolled(person), house.town.person("weefsel")
    _, fixed = house.town.services.identity.redeem(
        house.town.services.identity.issue_link(victim.person, by=victim), session=True
    )
    with visitor(house) as guest:
        guest.cookies.set(SESSION_COOKIE, fixed, domain="localhost.local")
        guest.cookies.set(VISIT_COOKIE, "chosen-by-somebody-else", domain="localhost.local")
        given = {"email": house.email(person), "password": PASSWORD, "code": house.code(secret)}
        came = guest.post("/sign-in/by/password", data={**given, "seal": sealed(guest.get("/sign-in").text)})
        assert came.status_code == 303
        fresh = came.cookies[SESSION_COOKIE]
        assert fresh not in {fixed, "chosen-by-somebody-else"}
    for cookie, status in ((fixed, 401), (fresh, 200)):
        assert (
            httpx.get(f"{house.url}/account", cookies={SESSION_COOKIE: cookie}, trust_env=False).status_code == status
        )
    with visitor(house) as owner:
        owner.cookies.set(SESSION_COOKIE, fresh, domain="localhost.local")
        owner.post("/sign-out", data={"seal": sealed(owner.get("/account").text)})
    assert httpx.get(f"{house.url}/account", cookies={SESSION_COOKIE: fresh}, trust_env=False).status_code == 401


def test_each_form_is_refused_without_its_seal(house: House) -> None:
    person = house.town.person("weefsel")
    secret = house.enrolled(person)
    with visitor(house) as guest:
        given = {"email": house.email(person), "password": PASSWORD, "code": house.code(secret)}
        for seal in ("", "0" * 64, "é"):
            assert guest.post("/sign-in/by/password", data={**given, "seal": seal}).status_code == 403
        guest.get("/sign-in")
        assert guest.post("/sign-in/by/password", params=given, data={"seal": "x"}).status_code == 403
        seal = sealed(guest.get("/sign-in").text)
        assert guest.post("/sign-in/by/password", params=given, data={"seal": seal}).status_code == 401, (
            "in the address"
        )
        assert guest.get("/sign-in/by/password", params=given).status_code in {401, 404, 405}
        assert guest.post("/sign-in/by/passkey/challenge").status_code == 403
        link = house.link(person)
        assert guest.post(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert guest.post(link, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
        for form in (
            "/account/password", "/account/app", "/account/codes", "/account/password/remove", "/account/passkeys/pky_1/remove",
            "/account/passkeys/challenge", "/account/passkeys", "/confirm", "/confirm/passkey", "/confirm/passkey/challenge",
        ):  # fmt: skip
            refused = guest.post(form, data={"last": "yes", "code": house.code(secret)})
            assert refused.status_code == 403, form
            assert "form.seal" in refused.text
    assert house.town.services.accounts.held(by=person).password_set_at


def test_who_is_not_here_gets_the_same_page(house: House) -> None:
    person = house.town.person("weefsel")
    house.enrolled(person)
    said = []
    for email in (house.email(person), "nobody@nowhere.example"):
        with visitor(house) as guest:
            seal = sealed(guest.get("/sign-in").text)
            given = {"email": email, "password": "canary-never-said", "code": "123456", "seal": seal}
            answer = guest.post("/sign-in/by/password", data=given, headers={"X-Forwarded-For": "198.51.100.9"})
            assert "canary-never-said" not in answer.text
            said.append((answer.status_code, answer.text.replace(seal, ""), sorted(answer.headers)))
    assert said[0] == said[1]
    assert said[0][0] == 401


def test_a_slowed_guess_says_when_to_come_back_and_a_forged_address_does_not_help(house: House) -> None:
    with visitor(house) as guest:
        seal = sealed(guest.get("/sign-in").text)
        given = {"email": "slow@nowhere.example", "password": "wrong", "code": "1", "seal": seal}
        answers = [
            guest.post("/sign-in/by/password", data=given, headers={"X-Forwarded-For": f"198.51.100.{number}"})
            for number in range(8)
        ]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) > 0
        others = [
            guest.post(
                "/sign-in/by/password", data={**given, "email": f"{number}@nowhere.example"},
                headers={"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"},
            ).status_code
            for number in range(25)
        ]  # fmt: skip
        assert others[-1] == 429
    house.town.clock.move(timedelta(hours=25))


def test_an_act_that_asks_again_leads_to_the_page_that_asks_and_back(house: House, page: Page) -> None:
    person = house.town.person("weefsel")
    secret = house.enrolled(person)
    follow(house, page, person)
    page.goto(f"{house.url}/account")
    page.get_by_role("button", name="Ten new recovery codes").click()
    page.get_by_role("link", name="Show that it is you").click()
    page.get_by_label("Code of your app").fill(house.code(secret))
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(f"{house.url}/account")
    page.get_by_role("button", name="Ten new recovery codes").click()
    expect(page.locator("pre")).to_contain_text("-")


@pytest.mark.parametrize(
    "asked",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil.example", "",
     "/\n/evil.example", " //evil.example", "/ /evil.example", "http:evil.example", "///evil.example"],
)  # fmt: skip
def test_nobody_is_led_elsewhere(asked: str) -> None:
    assert local_path(asked) == "/"
    assert local_path("/projects/a?b=c") == "/projects/a?b=c"
