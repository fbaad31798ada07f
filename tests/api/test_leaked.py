"""A token in an address: never taken, revoked where it is ours, and nowhere in our own log."""

import logging
from collections.abc import Callable

import httpx
import pytest

from fabriek.access.login.tokens import Wanted
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import NotAuthenticated
from fabriek.web.leaked import hidden, seen_in
from tests.factories.services import Town
from tests.factories.waiting import until


@pytest.fixture
def person(town: Town) -> Caller:
    return town.person("weefsel")


def a_token(town: Town, person: Caller) -> str:
    return town.services.tokens.create(Wanted(town.services.ids.new("x")), by=person)[1]


ADDRESSES: list[Callable[[str], str]] = [
    lambda token: f"/api/v1/whoami?token={token}",
    lambda token: f"/api/v1/whoami?access_token={token}",
    lambda token: f"/api/v1/whoami?api_key=Bearer%20{token}",
    lambda token: f"/api/v1/whoami?x={token}",
    lambda token: f"/api/v1/whoami?x={token.replace('_', '%5F')}",
    lambda token: f"/api/v1/whoami?{token}",
    lambda token: f"/api/v1/projects/{token}",
    lambda token: f"/lab/{token}/api/2.0/mlflow/experiments/get?experiment_id=0",
    lambda token: f"/nowhere/{token}/at/all",
]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda one: one("TOKEN"))
@pytest.mark.parametrize("header", ["", "Bearer "])
def test_it_is_refused_revoked_and_not_logged(
    town: Town, server: str, person: Caller, caplog: pytest.LogCaptureFixture, address: Callable[[str], str], header: str
) -> None:  # fmt: skip
    token = a_token(town, person)
    headers = {"Authorization": header + token} if header else {}
    with caplog.at_level(logging.DEBUG):
        answer = httpx.get(server + address(token), headers=headers, trust_env=False)
        # The line about a request is written when its answer is on its way.
        ours = until(lambda: [one.getMessage() for one in caplog.records if one.name.startswith("fabriek")])
    assert answer.status_code == 401
    assert answer.json()["rule"] == "token.in_address"
    assert "Authorization: Bearer" in answer.json()["fix"]
    assert token not in answer.text
    assert not any(token in message for message in ours)
    with pytest.raises(NotAuthenticated):
        town.services.identity.caller_of(token)


def test_an_older_token_and_a_sessions_cookie_are_known_where_they_are_called_tokens(
    town: Town, server: str, person: Caller
) -> None:
    identity = town.services.identity
    _, cookie = identity.redeem(identity.issue_link(person.person, by=person), session=True)
    assert httpx.get(f"{server}/api/v1/whoami?token={cookie}", trust_env=False).json()["rule"] == "token.in_address"
    with pytest.raises(NotAuthenticated):
        identity.caller_of_session(cookie)


def test_what_is_not_ours_is_nobodys_business(town: Town, server: str, person: Caller) -> None:
    token = a_token(town, person)
    headers = {"Authorization": f"Bearer {token}"}
    for query in (
        f"token=fbk_{'x' * 43}",
        "token=",
        "access_token=abc",
        "x=fbk_",
        "token=" + "&token=".join("abcdefghijkl"),
    ):
        assert httpx.get(f"{server}/api/v1/whoami?{query}", headers=headers, trust_env=False).status_code == 200
    assert town.services.identity.caller_of(token).person == person.person


def test_a_link_is_for_an_address_and_stays(town: Town, server: str, person: Caller) -> None:
    identity = town.services.identity
    code = identity.issue_link(person.person, by=person)
    httpx.get(f"{server}/api/v1/whoami?token={code}", trust_env=False)
    assert identity.redeem(code)[0].id == person.person


def test_a_token_in_the_place_of_a_cookie_opens_nothing(town: Town, server: str, person: Caller) -> None:
    token = a_token(town, person)
    identity = town.services.identity
    _, cookie = identity.redeem(identity.issue_link(person.person, by=person), session=True)
    for headers in (
        {"Cookie": f"fabriek_session={token}"},
        {"Authorization": f"Bearer {cookie}"},
        {"Cookie": f"token={token}"},
    ):
        assert httpx.get(f"{server}/api/v1/whoami", headers=headers, trust_env=False).status_code == 401


def test_addresses_without_one_are_not_looked_at_twice() -> None:
    assert seen_in("/api/v1/projects", b"") == []
    assert seen_in("/api/v1/runs", b"key=loss&limit=20") == []
    assert seen_in("/x", b"token=" + b"a" * 400) == []
    assert len(seen_in("/x", b"&".join(b"token=%d" % number for number in range(100)))) == 8
    assert hidden("/api/v1/projects/fbk_" + "y" * 43 + "/jobs") == "/api/v1/projects/fbk_[hidden]/jobs"
