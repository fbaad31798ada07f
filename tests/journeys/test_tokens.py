"""Tokens from the command line, against a whole factory: made, narrowed, used by MLflow's way in, seen, revoked, and all others ended."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.factory import Running, quickstarted


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Running]:
    with quickstarted(tmp_path / "home") as running:
        yield running


def test_a_token_is_made_for_one_purpose_used_for_it_and_for_nothing_else(factory: Running) -> None:
    made = factory.run("token", "create", "nightly", "--scope", "lab", "--project", "playground", "--days", "90")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert token.startswith("fbk_")
    assert "not shown again" in made.stderr
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
        asked = client.get(f"{factory.url}/lab/playground/api/2.0/mlflow/experiments/get?experiment_id=0")
        assert asked.status_code == 200, asked.text
        refused = client.post(f"{factory.url}/api/v1/projects/playground/datasets", json={"name": "numbers"})
        assert (refused.status_code, refused.json()["rule"]) == (403, "data.write")
        widened = client.post(f"{factory.url}/api/v1/tokens", json={"name": "more"})
        assert (widened.status_code, widened.json()["rule"]) == (403, "token.narrowed")
    listed = json.loads(factory.run("token", "ls", "--json").stdout)
    assert [(one["name"], one["scopes"], one["project"]) for one in listed] == [("nightly", ["lab"], "playground")]
    assert listed[0]["used_at"]
    assert token not in json.dumps(listed)
    assert factory.run("token", "revoke", "nightly").returncode == 0
    assert (
        httpx.get(
            f"{factory.url}/api/v1/whoami", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ).status_code
        == 401
    )
    wrong = factory.run("token", "create", "x", "--scope", "everything")
    assert wrong.returncode == 2
    assert "read, lab, data, jobs" in wrong.stderr


def test_everything_open_is_listed_and_all_others_end(factory: Running) -> None:
    link = factory.run("login", "--portal").stdout.strip()
    with httpx.Client(trust_env=False, follow_redirects=False) as browser:
        assert browser.post(link).status_code == 303
        assert browser.get(f"{factory.url}/").status_code == 200
        opened = json.loads(factory.run("door", "ls", "--json").stdout)
        assert {one["kind"] for one in opened} >= {"session", "token"}
        assert [one["method"] for one in opened if one["kind"] == "session"] == ["link"]
        assert sum(one["this"] for one in opened) == 1
        ended = factory.run("door", "end", "--others")
        assert ended.returncode == 0, ended.stderr
        assert browser.get(f"{factory.url}/").status_code == 401
    assert factory.run("whoami").returncode == 0
    assert factory.run("door", "end").returncode == 2
    assert factory.run("door", "end", "crd_nobody").returncode == 3


def test_a_service_is_made_comes_in_by_its_token_and_is_retired(factory: Running) -> None:
    made = factory.run("service", "create", "nightly-import")
    assert made.returncode == 0, made.stderr
    given = factory.run("service", "token", "nightly-import", "cron", "--scope", "data", "--days", "7")
    assert given.returncode == 0, given.stderr
    headers = {"Authorization": f"Bearer {given.stdout.strip()}"}
    with httpx.Client(trust_env=False, headers=headers, base_url=factory.url) as client:
        assert client.get("/api/v1/whoami").json()["name"] == "nightly-import"
        assert client.post("/api/v1/projects/playground/datasets", json={"name": "numbers"}).status_code == 201
        assert client.post("/api/v1/sign-in-links", json={}).json()["rule"] == "token.narrowed"
        listed = json.loads(factory.run("service", "ls", "--json").stdout)
        assert [(one["name"], one["opens"], len(one["tokens"])) for one in listed] == [("nightly-import", True, 1)]
        assert factory.run("service", "sign", "nightly-import").returncode == 6
        assert factory.run("service", "revoke", "nightly-import", "cron").returncode == 0
        assert client.get("/api/v1/whoami").status_code == 401
    assert factory.run("service", "create", "boss", "--role", "lead").returncode == 2
    assert factory.run("service", "retire", "nightly-import").returncode == 0
    assert json.loads(factory.run("service", "ls", "--json").stdout) == []
