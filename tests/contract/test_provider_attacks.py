"""Attacks on signing in by a provider: a real provider's answers in the wrong hands, and an issuer that signs badly. None opens a door."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import update

from fabriek.access.store import organisations
from fabriek.adapters.database import Database
from fabriek.kernel.clock import SystemClock
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.providers import Door, a_door
from tests.factories.tables import a_database
from tests.servers.attacker import Attacker, attacking
from tests.servers.oidc import OidcProvider, Visitor

ANYONE = 'admits = "anyone"\norganisation_claim = "schac_home_organization"\nscopes = ["openid", "organisation"]\n'
TESTS = "refused_subjects = ['test@.*']\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    opened = a_database(tmp_path / "fabriek.db")
    yield opened
    opened.close()


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    with attacking() as opened:
        opened.userinfo = {"schac_home_organization": "evil.example"}
        yield opened


@pytest.fixture
def lured(store: Database, tmp_path: Path, attacker: Attacker) -> Iterator[Door]:
    """A factory that trusts the attacker's place as a provider, as if it were an honest one that somebody got between."""
    with a_door(store, tmp_path / "home", None, more={"evil": (attacker.issuer, ANYONE + TESTS)}) as opened:
        yield opened


@pytest.fixture
def door(store: Database, tmp_path: Path, oidc_provider: OidcProvider) -> Iterator[Door]:
    with a_door(store, tmp_path / "home", oidc_provider, lines=ANYONE + TESTS) as opened:
        yield opened


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    made = Visitor()
    yield made
    made.close()


def answered(door: Door, attacker: Attacker, visitor: Visitor, **answer: str) -> httpx.Response:
    """The attacker's answer to a login that this visitor began."""
    asked = parse_qs(urlsplit(door.begun(visitor, "evil")).query)
    attacker.nonce = attacker.nonce or asked["nonce"][0]
    said = {"state": asked["state"][0], "code": "c"} | answer
    return visitor.get(f"{door.callback('evil')}?{urlencode(said)}")


def refused(answer: httpx.Response, rule: str, visitor: Visitor, case: str = "") -> None:
    assert answer.status_code == 403, f"{case} {answer.text}"
    assert f"login.{rule}" in answer.text, case
    assert visitor.cookie(SESSION_COOKIE) == "", case


def test_the_same_place_when_it_is_honest_lets_people_in(lured: Door, attacker: Attacker, visitor: Visitor) -> None:
    assert answered(lured, attacker, visitor).status_code == 303
    assert lured.caller(visitor).organisation
    (sent,) = attacker.tokens
    assert (len(sent["code_verifier"]), sent["redirect_uri"]) == (43, lured.callback("evil"))


NOW = SystemClock().now().timestamp
CLAIMS: dict[str, tuple[str, Callable[[], dict[str, object]]]] = {
    "another audience": ("audience", lambda: {"aud": "them"}),
    "no audience": ("audience", lambda: {"aud": None}),
    "two audiences and no party": ("audience", lambda: {"aud": ["us", "them"]}),
    "another party": ("audience", lambda: {"aud": ["us", "them"], "azp": "them"}),
    "another issuer": ("issuer", lambda: {"iss": "https://proxy.sram.surf.nl"}),
    "an issuer with a slash": ("issuer", lambda: {"iss": "http://127.0.0.1/"}),
    "another nonce": ("nonce", lambda: {"nonce": "of another login"}),
    "no nonce": ("nonce", lambda: {"nonce": None}),
    "expired": ("time", lambda: {"exp": NOW() - 60}),
    "no end": ("time", lambda: {"exp": None}),
    "an end that is no time": ("time", lambda: {"exp": "never"}),
    "made tomorrow": ("time", lambda: {"iat": NOW() + 86_400, "exp": NOW() + 90_000}),
    "made yesterday": ("time", lambda: {"iat": NOW() - 86_400}),
    "nobody": ("subject", lambda: {"sub": ""}),
    "not a text": ("subject", lambda: {"sub": ["mallory"]}),
    "somebody else than in the userinfo": ("subject", lambda: {"sub": "the-boss"}),
}


def test_a_token_that_says_something_else_opens_nothing(lured: Door, attacker: Attacker, visitor: Visitor) -> None:
    for case, (rule, claims) in CLAIMS.items():
        attacker.claims, attacker.nonce = claims(), ""
        refused(answered(lured, attacker, visitor), rule, visitor, case)


def test_a_token_that_the_provider_did_not_sign_opens_nothing(
    lured: Door, attacker: Attacker, visitor: Visitor
) -> None:
    for sign in ("none", "HS256", "other", "unknown kid", "tampered"):
        attacker.sign, attacker.nonce = sign, ""
        refused(answered(lured, attacker, visitor), "signature", visitor, sign)


def test_a_shared_key_among_the_providers_keys_is_none(lured: Door, attacker: Attacker, visitor: Visitor) -> None:
    attacker.shown = {"keys": [{"kty": "oct", "kid": "1", "k": "c2VjcmV0", "alg": "HS256"}]}
    refused(answered(lured, attacker, visitor), "signature", visitor)


def test_unknown_keys_make_us_look_once_in_a_minute(lured: Door, attacker: Attacker, visitor: Visitor) -> None:
    attacker.sign = "unknown kid"
    for _ in range(4):
        attacker.nonce = ""
        refused(answered(lured, attacker, visitor), "signature", visitor)
    assert attacker.asked.count("/jwks") == 1


def test_a_provider_that_is_somebody_else_is_gone_to_by_nobody(
    lured: Door, attacker: Attacker, visitor: Visitor
) -> None:
    attacker.metadata = {"issuer": "https://proxy.sram.surf.nl"}
    assert visitor.post(f"{lured.url}/sign-in/providers/evil").status_code == 403


def test_an_answer_of_another_provider_is_refused(lured: Door, attacker: Attacker, visitor: Visitor) -> None:
    refused(answered(lured, attacker, visitor, iss="https://proxy.sram.surf.nl"), "mix_up", visitor)
    assert attacker.tokens == [], "the code of the honest one was not given to this one"


def test_an_account_for_trying_out_is_refused(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("test@myaccessid.org", schac_home_organization="uni.example")
    refused(visitor.get(door.answer(visitor, "test@myaccessid.org")), "subject", visitor)


def test_an_answer_counts_once_and_its_code_with_it(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("hans", schac_home_organization="uni.example")
    answer = door.answer(visitor, "hans")
    assert visitor.get(answer).status_code == 303
    code = parse_qs(urlsplit(answer).query)["code"][0]
    second = Visitor()
    refused(second.get(answer), "state", second)
    state = parse_qs(urlsplit(door.begun(second)).query)["state"][0]
    stolen = urlencode({"state": state, "code": code, "iss": oidc_provider.issuer})
    refused(second.get(f"{door.callback()}?{stolen}"), "code", second)
    second.close()


def test_an_answer_in_another_browser_signs_nobody_in(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account("ines", schac_home_organization="uni.example")
    answer, victim = door.answer(visitor, "ines"), Visitor()
    refused(victim.get(answer), "state", victim)
    other = door.answer(visitor, "ines")
    door.begun(victim)
    refused(victim.get(other), "state", victim)
    victim.close()


def test_an_answer_without_the_providers_name_or_a_state_is_refused(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account("joep", schac_home_organization="uni.example")
    said = parse_qs(urlsplit(door.answer(visitor, "joep")).query)
    nameless = urlencode({name: said[name][0] for name in ("state", "code")})
    refused(visitor.get(f"{door.callback()}?{nameless}"), "mix_up", visitor)
    refused(visitor.get(f"{door.callback()}?code=x"), "state", visitor)


def test_a_late_answer_is_refused(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    from datetime import timedelta  # noqa: PLC0415

    oidc_provider.account("kees", schac_home_organization="uni.example")
    answer = door.answer(visitor, "kees")
    door.town.clock.move(timedelta(minutes=10))
    refused(visitor.get(answer), "state", visitor)


def test_a_session_that_was_there_before_is_not_the_one_after(
    door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    oidc_provider.account("lotte", schac_home_organization="uni.example")
    fixed = "a-session-that-the-attacker-knows"
    visitor.put_cookie(SESSION_COOKIE, fixed, door.url)
    door.signed_in(visitor, "lotte")
    assert visitor.cookie(SESSION_COOKIE) not in {"", fixed}


def test_after_signing_in_nobody_is_led_elsewhere(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("maud", schac_home_organization="uni.example")
    for then in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "machine",
    ):
        answer = visitor.get(door.answer(visitor, "maud", then=then))
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), then


def test_no_other_site_begins_a_login_here(door: Door) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ):
        answer = httpx.post(
            f"{door.url}/sign-in/providers/home", headers={"Accept": "text/html", **headers}, trust_env=False
        )
        assert answer.status_code == 403, headers
        assert "set-cookie" not in answer.headers


def test_who_was_not_invited_is_told_so(store: Database, tmp_path: Path, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("noor", name="Noor")
    visitor = Visitor()
    with a_door(store, tmp_path / "invited", oidc_provider) as door:
        refused(visitor.get(door.answer(visitor, "noor")), "unknown", visitor)
    visitor.close()


def test_the_same_acting_person_for_two_bodies_is_two_people(
    store: Database, tmp_path: Path, oidc_provider: OidcProvider
) -> None:
    lines = 'profile = "eherkenning"\nadmits = "anyone"\nscopes = ["openid", "organisation"]\n'
    acting, body = "urn:etoegang:core:ActingSubjectID", "urn:etoegang:1.9:EntityConcernedID:KvKnr"
    people, visitor = [], Visitor()
    with a_door(store, tmp_path / "tenants", oidc_provider, lines=lines) as door:
        door.town.services.access.create_organisation("Weefsel", "startup", "NL", "12345678", by=door.town.operator)
        for number in ("12345678", "87654321", "12345678"):
            oidc_provider.account("piet", **{acting: "pseudonym-1", body: number})
            people.append(door.signed_in(visitor, "piet"))
        oidc_provider.account("piet", **{acting: "pseudonym-1", body: "1234"})
        assert "login.tenant" in visitor.get(door.answer(visitor, "piet")).text
        slugs = [door.town.services.access.organisation(one.organisation).slug for one in people]
    assert people[0].person == people[2].person != people[1].person
    assert slugs == ["weefsel", "kvk-87654321", "weefsel"]
    visitor.close()


def test_a_number_that_two_organisations_have_leads_into_neither(
    store: Database, tmp_path: Path, oidc_provider: OidcProvider
) -> None:
    lines = 'profile = "eherkenning"\nadmits = "anyone"\nscopes = ["openid", "organisation"]\n'
    acting, body = "urn:etoegang:core:ActingSubjectID", "urn:etoegang:1.9:EntityConcernedID:KvKnr"
    visitor = Visitor()
    with a_door(store, tmp_path / "two", oidc_provider, lines=lines) as door:
        access = door.town.services.access
        access.create_organisation("Weefsel", "startup", "NL", "12345678", by=door.town.operator)
        copy = access.create_organisation("Copy", "startup", "NL", by=door.town.operator)
        with store.transaction():  # as one could be before a number was noted by an administrator alone
            store.execute(update(organisations).where(organisations.c.id == copy.id).values(kvk="12345678"))
        oidc_provider.account("piet", **{acting: "pseudonym-1", body: "12345678"})
        refused(visitor.get(door.answer(visitor, "piet")), "organisation", visitor)
        assert [access.people_of(one, by=door.town.operator) for one in ("weefsel", "copy")] == [[], []]
    visitor.close()


def test_behind_a_proxy_that_speaks_tls_the_cookies_of_a_login_are_for_tls_alone(
    store: Database, tmp_path: Path, oidc_provider: OidcProvider
) -> None:
    visitor = Visitor()
    with a_door(store, tmp_path / "tls", oidc_provider, portal_url="https://factory.example") as door:
        answer = visitor.post(f"{door.url}/sign-in/providers/home")
        cookies = answer.headers.get_list("set-cookie")
        assert answer.status_code == 200
        assert cookies
        assert all("Secure" in one for one in cookies), cookies
    visitor.close()
