"""Secrets over HTTP: a value goes in, and no answer, however wrong the question, has it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabriek.api import app as api
from fabriek.compute.requests import JobAsked
from fabriek.compute.secrets.secrets import use_of
from fabriek.kernel.errors import NotFound
from fabriek.sdk.client import Client
from fabriek.sdk.secrets import Secrets, given_to
from fabriek.worker.admission import admit_jobs
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving

CANARY = "canary-4d1e"


@dataclass
class Place:
    town: Town
    url: str
    project: str
    token: str

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"} | options.pop("headers", {})
        with httpx.Client(base_url=self.url, trust_env=False, headers=headers) as client:
            said = options if "content" in options else {"json": body}
            return client.request(method, f"/api/v1{path}", **said)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    lead = town.person("hospital")
    project = town.project(lead)
    token = town.services.identity.issue_token(lead.person, by=lead)
    with serving(api.build(town.services)) as url:
        yield Place(town, url, project, token)
    database.close()


def test_a_value_goes_in_through_the_client_and_comes_out_to_the_node_alone(place: Place) -> None:
    services = place.town.services
    client = Client(place.url, place.token, place.project)
    secrets = Secrets(client)
    kept = secrets.set("TOKEN", CANARY)
    assert (kept.name, kept.used_at) == ("TOKEN", None)
    lead = services.identity.caller_of(place.token)
    job = services.compute.submit(place.project, JobAsked(("sleep", "9"), secrets=(use_of("TOKEN"),)), by=lead)
    home = services.access.project(place.project).id
    ends = services.clock.now() + timedelta(hours=1)
    node = Client(place.url, services.job_secrets.issue(job.id, home, "node", ends))
    refused = place.ask("GET", f"/jobs/{job.id}/secrets", token=node.token)
    assert (refused.status_code, refused.json()["code"]) == (
        409,
        "wrong_state",
    )  # it waits: there is nothing to give yet
    admit_jobs(services)
    services.progress.begin(job.id)
    assert given_to(node, job.id) == {"TOKEN": CANARY}
    assert secrets.list()[0].used_at is not None
    lab = services.job_secrets.issue(job.id, home, "lab", ends)
    assert place.ask("GET", f"/jobs/{job.id}/secrets", token=lab).status_code == 401
    assert place.ask("GET", f"/jobs/{job.id}/secrets").status_code == 404
    secrets.remove("TOKEN")
    with pytest.raises(NotFound, match="the secret TOKEN was removed"):
        given_to(node, job.id)
    for one in (client, node):
        one.close()


@pytest.mark.parametrize(
    "body",
    [
        {"name": "not a name", "value": CANARY},
        {"name": "TOKEN", "value": CANARY * 10_000},
        {"name": "TOKEN", "value": f"{CANARY}\0"},
        {"name": "NOTIFY_KEY", "value": CANARY},
        {"name": "TOKEN", "value": [CANARY]},
        {"name": "TOKEN", "value": CANARY, "other": CANARY},
        {"name": "TOKEN", "valeu": CANARY},
    ],
)
def test_no_refusal_repeats_a_value(place: Place, body: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refused = place.ask("PUT", f"/projects/{place.project}/secrets", body)
    assert refused.status_code == 422
    assert CANARY not in refused.text
    assert CANARY not in caplog.text


def test_a_body_that_is_no_json_is_not_repeated(place: Place) -> None:
    headers = {"Content-Type": "application/json"}
    path = f"/projects/{place.project}/secrets"
    refused = place.ask("PUT", path, content=f'{{"value": "{CANARY}"'.encode(), headers=headers)
    assert refused.status_code == 422
    assert CANARY not in refused.text
