"""Signing in from a command line, on both databases: at the provider's page for devices, and at our own."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabriek.access.login.credentials import hash_of
from fabriek.access.login.device_login import DeviceLogin
from fabriek.access.login.devices import DEVICE_FOR, GUESSES_MAX
from fabriek.adapters.database import Database
from fabriek.kernel.errors import NotAuthenticated, NotFound, NotPermitted, RateLimited
from fabriek.web.callers import SESSION_COOKIE
from tests.factories.providers import MFA, Door, a_door
from tests.factories.tables import a_database
from tests.servers.oidc import OidcProvider, Visitor, running

LINES = 'admits = "anyone"\norganisation_claim = "schac_home_organization"\nscopes = ["openid", "profile", "organisation"]\n'


@pytest.fixture
def door(database: Database, tmp_path: Path, oidc_provider: OidcProvider) -> Iterator[Door]:
    with a_door(database, tmp_path / "home", oidc_provider, lines=LINES) as opened:
        yield opened


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    made = Visitor()
    yield made
    made.close()


def devices(door: Door) -> DeviceLogin:
    return door.town.services.by_provider.devices


def test_a_device_is_let_in_at_the_providers_page(door: Door, visitor: Visitor, oidc_provider: OidcProvider) -> None:
    oidc_provider.account("anna", name="Anna", schac_home_organization="uni.example")
    begun = devices(door).begin("", "10.0.0.1")
    assert begun.whole.startswith(oidc_provider.issuer)
    assert devices(door).poll(begun.secret).token == ""
    slower = devices(door).poll(begun.secret)
    assert (slower.token, slower.interval_seconds) == ("", begun.interval_seconds + 5), "asked too soon"
    assert "Sign-in Success" in visitor.approve(begun.whole, "anna")
    door.town.clock.move(timedelta(seconds=slower.interval_seconds))
    polled = devices(door).poll(begun.secret)
    assert polled.person is not None
    identity = door.town.services.identity
    caller = identity.caller_of(polled.token)
    login = identity.login_behind(caller)
    assert login is not None
    assert (caller.person, login.issuer) == (polled.person.id, oidc_provider.issuer)
    with pytest.raises(NotAuthenticated):
        devices(door).poll(begun.secret)


def test_a_person_lets_a_device_in_at_our_page_and_it_has_their_login(
    store_door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    door = store_door
    oidc_provider.account("bas", name="Bas", schac_home_organization="uni.example")
    person = door.signed_in(visitor, "bas", "home", acr=MFA)
    begun = devices(door).begin("", "10.0.0.1")
    assert begun.address == ""
    page = door.sealed_post(visitor, "/device", "/device", code=begun.user_code.lower().replace("-", " "))
    assert "10.0.0.1" in page.text
    assert devices(door).poll(begun.secret).token == "", "looking lets nobody in"
    assert visitor.post(f"{door.url}/device/decide", code=begun.user_code, do="yes").status_code == 403, "no seal"
    assert door.sealed_post(visitor, "/device", "/device/decide", code=begun.user_code, do="yes").status_code == 200
    assert door.sealed_post(visitor, "/device", "/device", code=begun.user_code).status_code == 404, "a code works once"
    door.town.clock.move(timedelta(seconds=6))
    identity = door.town.services.identity
    caller = identity.caller_of(devices(door).poll(begun.secret).token)
    login = identity.login_behind(caller)
    assert login is not None
    assert (caller.person, login.acr, login.strong) == (person.person, MFA, True)
    with pytest.raises(NotAuthenticated):
        devices(door).poll(begun.secret)


def test_a_device_that_was_let_in_gets_nothing_once_who_let_it_in_has_nothing_open(
    store_door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    door = store_door
    oidc_provider.account("dirk", schac_home_organization="uni.example")
    person = door.signed_in(visitor, "dirk")
    begun = devices(door).begin("", "")
    devices(door).decide(begun.user_code, yes=True, by=person)
    door.town.services.identity.close_person(person.person, by=door.town.operator)
    with pytest.raises(NotPermitted, match="ended their own login"):
        devices(door).poll(begun.secret)


def test_a_stale_factor_does_not_become_a_fresh_one_on_a_device(
    store_door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    door = store_door
    oidc_provider.account("cas", schac_home_organization="uni.example")
    door.signed_in(visitor, "cas", acr=MFA)
    door.town.clock.move(timedelta(hours=1))
    begun = devices(door).begin("", "")
    devices(door).decide(begun.user_code, yes=True, by=door.caller(visitor))
    token = devices(door).poll(begun.secret).token
    identity = door.town.services.identity
    assert identity.is_confirmed(identity.caller_of(token)) is False


def test_who_says_no_who_comes_late_and_who_guesses(
    store_door: Door, visitor: Visitor, oidc_provider: OidcProvider
) -> None:
    door = store_door
    oidc_provider.account("dirk", schac_home_organization="uni.example")
    door.signed_in(visitor, "dirk")
    by = door.caller(visitor)
    refused, late = devices(door).begin("", ""), devices(door).begin("", "")
    devices(door).decide(refused.user_code, yes=False, by=by)
    with pytest.raises(NotPermitted):
        devices(door).poll(refused.secret)
    door.town.clock.move(DEVICE_FOR)
    for act in (lambda: devices(door).poll(late.secret), lambda: devices(door).poll("never begun")):
        with pytest.raises(NotAuthenticated):
            act()
    with pytest.raises(NotFound):
        devices(door).decide(late.user_code, yes=True, by=by)
    for _ in range(GUESSES_MAX - 1):
        with pytest.raises(NotFound):
            devices(door).asked("BBBB-BBBB", by=by)
    right = devices(door).begin("", "")
    with pytest.raises(RateLimited):
        devices(door).decide(right.user_code, yes=True, by=by)
    assert visitor.cookie(SESSION_COOKIE)


@pytest.fixture
def store_door(database: Database, tmp_path: Path, oidc_provider: OidcProvider) -> Iterator[Door]:
    """Two providers are known, so that devices come to our own page."""
    more = {"other": (oidc_provider.issuer, LINES)}
    with a_door(database, tmp_path / "home", oidc_provider, lines=LINES, more=more) as opened:
        yield opened


def test_where_no_more_devices_may_wait_the_provider_is_not_asked(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, oidc_provider: OidcProvider
) -> None:
    monkeypatch.setattr("fabriek.access.login.device_login.OPEN_MAX", 1)
    with running() as own, a_door(database, tmp_path / "home", own, lines=LINES) as opened:
        assert devices(opened).begin("", "10.0.0.1").address
        own.fall_silent()  # who asks it from now on is told that it does not answer
        with pytest.raises(RateLimited, match="too many devices wait"):
            devices(opened).begin("", "10.0.0.1")


@pytest.mark.parametrize(("trusted", "origin"), [("127.0.0.1", "203.0.113.9"), ("", "127.0.0.1")])
def test_where_a_device_waits_is_what_a_trusted_proxy_says_and_nobody_else(
    tmp_path: Path, oidc_provider: OidcProvider, trusted: str, origin: str
) -> None:
    """Who is asked to let it in judges by that."""
    database = a_database(tmp_path / "fabriek.db")
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    with a_door(database, tmp_path / "home", oidc_provider, lines=LINES, trusted_proxies=trusted) as door:
        said = httpx.post(f"{door.url}/api/v1/login/device", json={}, headers=headers, trust_env=False)
        found = devices(door)._devices.with_hash(hash_of(said.json()["device"]))
        assert found is not None, said.text
        assert found.origin == origin
    database.close()
