"""A job whose lab is on another host: there is no socket here, and what it says goes over TCP to the server's own address."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fabriek.api import app as api
from fabriek.schemas.node import JOBS_LAB
from fabriek.web.router import PUBLIC, access_table
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.servers.app import serving
from tests.servers.machine import Machine, Seen, a_machine

pytestmark = pytest.mark.sandbox

ELSEWHERE = "/where/only/the/server/is"

LOG_WITH_MLFLOW = """
import os
from mlflow import MlflowClient
from mlflow.entities import Metric
client, run = MlflowClient(), os.environ["MLFLOW_RUN_ID"]
client.log_batch(run, metrics=[Metric("loss", 0.5, 1, step) for step in range(3)])
with open("model.bin", "wb") as out:
    out.write(os.urandom(3 << 20))
client.log_artifact(run, "model.bin")
kept = client.download_artifacts(run, "model.bin", "/tmp")
print(open(kept, "rb").read() == open("model.bin", "rb").read(), len(client.get_metric_history(run, "loss")))
"""


@dataclass(frozen=True)
class Apart:
    """A machine, and a factory that it reaches by TCP alone."""

    town: Town
    machine: Machine
    url: str

    def run(self, *argv: str, unsandboxed: bool = False) -> Seen:
        services = self.town.services
        person = self.town.person(f"lab{secrets.token_hex(4)}")
        project = services.access.project(self.town.project(person, gpu_hours=1))
        job = services.ids.new("job")
        run = services.lab.open_run(
            project.id, "Default", job=job, label="open", person=person.person, name="x", parameters={}
        )
        token = services.job_secrets.issue(job, project.id, "lab", services.clock.now() + timedelta(hours=1))
        variables = {
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000", "MLFLOW_TRACKING_TOKEN": token, "MLFLOW_RUN_ID": run,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true", "SLUG": project.slug,
        }  # fmt: skip
        return self.machine.run(
            *argv,
            job=job,
            lab_socket_dir=ELSEWHERE,
            server_url=self.url,
            environment=variables,
            memory_bytes=1 << 30,
            unsandboxed=unsandboxed,
        )


@contextmanager
def a_factory(folder: Path) -> Iterator[tuple[Town, str]]:
    database = a_database(folder / "fabriek.db")
    town = a_town(database, folder / "home")
    services = town.services
    object.__setattr__(services, "settings", replace(services.settings, nodes_url="https://factory.example"))
    with serving(api.build(town.services)) as url:
        yield town, url
    database.close()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with a_machine() as machine, a_factory(tmp_path_factory.mktemp("factory")) as (town, url):
        yield Apart(town, machine, url)


def test_mlflows_own_client_logs_to_a_lab_on_another_host(apart: Apart) -> None:
    seen = apart.run("python", "-c", LOG_WITH_MLFLOW)
    assert (seen.state.exit_code, seen.log.splitlines()[-1]) == (0, "True 3"), seen.log


def test_a_job_reaches_nothing_of_the_server_but_its_lab(apart: Apart) -> None:
    paths = (
        "/api/v1/projects", "/../../api/v1/projects", "/%2e%2e/%2e%2e/api/v1/projects", "/..%2f..%2fapi/v1/projects", "/.%252e/api/v1",
        "/lab/$SLUG/version", "/", "//api/v1/projects", "/x%3F/../../../api/v1/projects", "/x%253F/../../../api/v1/projects",
        "/x%23/../../../api/v1/projects",
    )  # fmt: skip
    ask = "curl -s --path-as-is -o /dev/null -w '%{http_code} ' -H \"Authorization: Bearer $MLFLOW_TRACKING_TOKEN\" "
    script = "; ".join(f'{ask} "http://127.0.0.1:5000{path}"' for path in paths)
    seen = apart.run(
        "sh",
        "-c",
        f"{script}; {ask} -x http://127.0.0.1:5000 http://127.0.0.1:1/health; {ask} http://127.0.0.1:5000/health",
    )
    codes = seen.log.split()
    assert codes[-1] == "200"
    assert set(codes[:-1]) == {"404"}, codes


def test_another_jobs_token_or_none_opens_nothing(apart: Apart) -> None:
    ask = "curl -s -o /dev/null -w '%{http_code} '"
    path = "http://127.0.0.1:5000/api/2.0/mlflow/runs/get?run_id=$MLFLOW_RUN_ID"
    seen = apart.run("sh", "-c", f'{ask} -H \'Authorization: Bearer nobody\' "{path}"; {ask} "{path}"')
    assert seen.log.split() == ["401", "401"]


def test_a_job_without_walls_finds_the_lab_of_another_host_too(apart: Apart) -> None:
    seen = apart.run("sh", "-c", "curl -s -o /dev/null -w '%{http_code}' $MLFLOW_TRACKING_URI/health", unsandboxed=True)
    assert (seen.state.exit_code, seen.log, seen.state.reason) == (0, "200", "")


def test_every_route_below_the_nodes_path_is_for_lab_tokens_alone(apart: Apart) -> None:
    services = apart.town.services
    app = api.build(services)
    person = apart.town.person(f"lab{secrets.token_hex(4)}")
    project = services.access.project(apart.town.project(person, gpu_hours=1)).id
    ends = services.clock.now() + timedelta(hours=1)
    tokens = {
        "nothing": "", "a guess": secrets.token_urlsafe(32), "a node's": services.job_secrets.issue("job_1", project, "node", ends),
        "a person's": services.identity.issue_token(person.person, by=person),
    }  # fmt: skip
    asked = [one for one in access_table(app.routes) if one[1].startswith(JOBS_LAB) and one[2] is not PUBLIC]
    opened = []
    with httpx.Client(base_url=apart.url, trust_env=False) as client:
        for method, path, _ in asked:
            place = re.sub(r"{[^}]*}", "x", path)
            for kind, token in tokens.items():
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = client.request(method, place, json=None if method == "GET" else {}, headers=headers)
                opened += [f"{method} {path} with {kind}: {answer.status_code}"] if answer.status_code != 401 else []
    assert len(asked) > 30
    assert opened == []


def test_where_all_nodes_are_this_host_there_is_no_such_path(tmp_path: Path) -> None:
    database = a_database(tmp_path / "fabriek.db")
    paths = [path for _, path, _ in access_table(api.build(a_town(database, tmp_path / "home").services).routes)]
    database.close()
    assert [path for path in paths if path.startswith("/node")] == []


def test_many_requests_and_a_body_of_unknown_length_pass_on_one_connection(apart: Apart) -> None:
    code = """
import http.client, os
line = http.client.HTTPConnection("127.0.0.1", 5000, timeout=60)
bearer = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
said = []
for _ in range(5):
    line.request("GET", "/health", headers=bearer)
    said.append(line.getresponse().read())
place = "/api/2.0/mlflow-artifacts/artifacts/nowhere"
line.request("PUT", place, body=iter([b"x" * 70000] * 5), headers=bearer, encode_chunked=True)
answer = line.getresponse()
answer.read()
print(len(set(said)), 400 <= answer.status < 500)
"""
    assert apart.run("python", "-c", code).log.split() == ["1", "True"]


def test_a_request_waits_for_a_server_that_comes_back(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with a_machine() as machine:
        handle = machine.start(
            "curl", "-sS", "http://127.0.0.1:5000/x", lab_socket_dir=ELSEWHERE, server_url=f"http://127.0.0.1:{port}"
        )
        until(lambda: machine.state(handle).started_at is not None)
        with socket.create_server(("127.0.0.1", port)) as back:
            line, _ = back.accept()
            with line:
                head = line.recv(65_536)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback")
            assert head.startswith(b"GET /node/lab/x HTTP/1.1\r\n")
            assert machine.ended(handle).log == "back"
