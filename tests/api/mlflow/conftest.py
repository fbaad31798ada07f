"""A person with a project of their own for each; and MLflow's released client, set up for it."""

import http.client
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mlflow import MlflowClient

from fabriek.kernel.callers import Caller
from tests.factories.services import Town


@dataclass(frozen=True)
class Door:
    """One project and the way into it."""

    town: Town
    url: str
    slug: str
    person: Caller

    @property
    def project(self) -> str:
        return self.town.services.access.project(self.slug).id

    @property
    def token(self) -> str:
        return self.token_of(self.person)

    def token_of(self, person: Caller) -> str:
        return self.town.services.identity.issue_token(person.person, by=person)

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)

    def beside(self) -> "Door":
        """Another project, of another person, on the same server."""
        return a_door(self.town, self.url.rsplit("/lab/", 1)[0])

    def raw(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """One request whose path goes over the wire as it is written: a client library would tidy it first."""
        where = urlsplit(self.url)
        line = http.client.HTTPConnection(str(where.hostname), where.port)
        line.request(method, where.path + path, body, {"Authorization": f"Bearer {self.token}"})
        answer = line.getresponse()
        said = {"status": answer.status} | json.loads(answer.read() or b"{}")
        line.close()
        return said


def a_door(town: Town, server: str) -> Door:
    person = town.person(f"lab{secrets.token_hex(4)}")
    slug = town.project(person, gpu_hours=1)
    return Door(town, f"{server}/lab/{slug}", slug, town.again(person))


@pytest.fixture
def door(town: Town, server: str) -> Door:
    return a_door(town, server)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return monkeypatch


@pytest.fixture
def mlflow(door: Door, environment: pytest.MonkeyPatch) -> MlflowClient:
    environment.setenv("MLFLOW_TRACKING_TOKEN", door.token)
    return MlflowClient(door.url, door.url)


@pytest.fixture
def web(door: Door) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"{door.url}/api/2.0/mlflow", headers={"Authorization": f"Bearer {door.token}"}, trust_env=False
    ) as client:
        yield client


@dataclass(frozen=True)
class JobDoor:
    """A job's own run and its token, on the app behind the jobs' socket."""

    url: str
    run: str
    token: str


@pytest.fixture
def job_door(door: Door, job_server: str) -> JobDoor:
    services, job = door.town.services, f"job_{secrets.token_hex(8)}"
    run = services.lab.open_run(
        door.project, "", job=job, label="special-category", person=door.person.person, name="train"
    )
    ends = services.clock.now() + timedelta(hours=1)
    return JobDoor(job_server, run, services.job_secrets.issue(job, door.project, "lab", ends))


@pytest.fixture
def run(mlflow: MlflowClient) -> str:
    return str(mlflow.create_run("0").info.run_id)
