"""One server for all of these tests, and a run in a project of its own for each module."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fabriek.api import app as api
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving

API = "/api/2.0/mlflow"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Door:
    """A project with one run, and who may come in."""

    town: Town
    web: httpx.Client
    url: str
    run: str

    def post(self, call: str, fields: Mapping[str, Any] | None = None, **how: Any) -> httpx.Response:
        return self.web.post(f"{API}/{call}", **({"json": fields} if fields is not None else {}), **how)

    def get(self, call: str, **fields: Any) -> httpx.Response:
        return self.web.get(f"{API}/{call}", params=fields)

    def of_run(self) -> Any:
        """All that the server knows of the run."""
        answer = self.get("runs/get", run_id=self.run)
        assert answer.status_code == 200, answer.text
        return answer.json()["run"]


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    database = a_database(folder / "fabriek.db")
    yield a_town(database, folder / "home")
    database.close()


@pytest.fixture(scope="package")
def server(town: Town) -> Iterator[str]:
    with serving(api.build(town.services)) as url:
        yield url


@pytest.fixture(scope="package")
def door(town: Town, server: str) -> Iterator[Door]:
    person = town.person("harmful")
    project = town.project(person, gpu_hours=1)
    person = town.again(person)
    token = town.services.identity.issue_token(person.person, by=person)
    url = f"{server}/lab/{project}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60) as web:
        made = web.post(f"{API}/runs/create", json={"experiment_id": "0", "run_name": "it's here"})
        run = made.json()["run"]["info"]["run_id"]
        yield Door(town, web, url, run)


@pytest.fixture(autouse=True)
def answered_after(door: Door) -> Iterator[None]:
    """Whatever was sent, the run is as it was, and the next call is answered."""
    before = door.of_run()
    yield
    assert door.of_run() == before


def refused(answer: httpx.Response) -> bool:
    """In MLflow's form, as a mistake of whoever asked."""
    return answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
