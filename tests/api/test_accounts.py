"""The routes of built-in accounts: a code confirms the token it came with, and is never said again."""

import httpx
import pyotp

from tests.factories.services import Town


def test_a_code_confirms_the_token_it_came_with(town: Town, server: str) -> None:
    person, services = town.person("weefsel"), town.services
    services.accounts.begin("veldmuis trombone lantaarn", by=person)
    secret = services.accounts.beginning(by=person).secret
    services.accounts.finish(pyotp.TOTP(secret).at(town.clock.now()), by=person)
    town.clock.sleep(90)
    token = services.identity.issue_token(person.person, by=person)
    with httpx.Client(
        base_url=f"{server}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as mine:
        assert services.identity.caller_of(token).unconfirmed
        for wrong, status in (
            ({"code": "canary-000000"}, 403),
            ({}, 422),
            ({"code": "x" * 41}, 422),
            ({"code": 123456}, 422),
        ):
            answer = mine.post("/confirm", json=wrong)
            assert answer.status_code == status, wrong
            assert "canary" not in answer.text
        good = pyotp.TOTP(secret).at(town.clock.now())
        assert mine.post("/confirm", params={"code": good}, json={}).status_code == 422, "in the address"
        assert mine.post("/confirm", json={"code": good}).status_code == 200
        assert not services.identity.caller_of(token).unconfirmed
        assert mine.post("/confirm", json={"code": good}).status_code == 403, "it counts once"
        assert mine.delete(f"/people/{town.operator.person}/factors").status_code == 403
    assert httpx.post(f"{server}/api/v1/confirm", json={"code": good}, trust_env=False).status_code == 401
