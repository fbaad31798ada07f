"""Nobody without a token is told anything: not by any route of the dialect, and not by those that MLflow's server has beside it."""

import itertools

import httpx
import pytest
from starlette.routing import Route

from fabriek.api import app as api
from fabriek.api.mlflow.routes import build_job_app
from tests.api.mlflow_bad_input.conftest import Door
from tests.factories.services import Town
from tests.servers.app import serving

OPEN = {"/version", "/health", "/api/3.0/mlflow/server-info"}
"""What answers to everybody: which dialect is spoken here. It says nothing of anybody."""

BESIDE = [
    "/ajax-api/2.0/mlflow/experiments/search", "/ajax-api/2.0/mlflow/runs/search", "/ajax-api/2.0/mlflow/artifacts/list", "/ajax-api/2.0/mlflow/get-artifact",
    "/graphql", "/get-artifact?path=x&run_uuid=y", "/model-versions/get-artifact?name=x&version=1&path=y", "/ajax-api/2.0/mlflow/upload-artifact",
    "/ajax-api/2.0/mlflow/gateway-proxy?gateway_path=x", "/api/2.0/mlflow/gateway-proxy", "/api/3.0/mlflow/gateway/secrets/list", "/gateway/x/mlflow/invocations",
    "/api/2.0/mlflow/users/get?username=admin", "/api/2.0/mlflow/users/create", "/signup", "/api/2.0/mlflow/experiments/permissions/get", "/v1/traces",
    "/api/3.0/mlflow/traces/search", "/api/2.0/mlflow/webhooks", "/api/3.0/mlflow/jobs/search", "/static-files/../../etc/passwd", "/api/2.0/preview/mlflow/runs/search",
    "/api/2.0mlflow/experiments/search-datasets", "/api/3.0/mlflow/assistant/chat", "/api/2.0/mlflow//runs/search", "/API/2.0/mlflow/runs/search",
    "/api/2.0/mlflow/runs/search/", "/./api/2.0/mlflow/runs/search", "/api/2.0/mlflow/../mlflow/runs/search",
]  # fmt: skip


def routes(app: object, prefix: str) -> list[tuple[str, str]]:
    """(method, path) of each route of the dialect."""
    found = [one for one in app.router.routes if isinstance(one, Route) and one.path.startswith(prefix)]  # type: ignore[attr-defined]  # any of ours
    return [(method, one.path) for one in found for method in sorted(one.methods or ()) if method != "HEAD"]


def filled(path: str, project: str, run: str) -> str:
    for name, value in (("{project}", project), ("{place:path}", f"0/{run}/artifacts/x"), ("{rest:path}", "2.0/x")):
        path = path.replace(name, value)
    while "{" in path:
        path = path[: path.index("{")] + "x" + path[path.index("}") + 1 :]
    return path


NOBODY = [
    {}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}, {"Authorization": ""}, {"X-Forwarded-User": "admin", "Remote-User": "admin"},
]  # fmt: skip


def test_every_route_of_the_dialect_asks_for_a_token(door: Door, town: Town) -> None:
    server, project = door.url.rsplit("/lab/", 1)
    known = routes(api.build(town.services), "/lab/{project}")
    assert len(known) > 30
    with httpx.Client(trust_env=False) as nobody:
        for (method, path), headers in itertools.product(known, NOBODY):
            said = {} if method == "GET" else {"json": {}}
            answer = nobody.request(method, server + filled(path, project, door.run), headers=headers, **said)
            if path.removeprefix("/lab/{project}") in OPEN:
                assert answer.status_code == 200
            elif "{rest" in path:
                assert answer.status_code in {401, 404}, path
            else:
                assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
                assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_every_route_of_the_jobs_app_does_too(town: Town, door: Door) -> None:
    app = build_job_app(town.services)
    with serving(app) as url, httpx.Client(trust_env=False) as nobody:
        for method, path in routes(app, "/api"):
            answer = nobody.request(method, url + filled(path, "", door.run))
            if path not in OPEN:
                assert answer.status_code == 404 if "{rest" in path else answer.status_code == 401, f"{method} {path}"


@pytest.mark.parametrize("path", BESIDE)
def test_mlflows_side_doors_are_walls(door: Door, path: str) -> None:
    server = door.url.rsplit("/lab/", 1)[0]
    with httpx.Client(trust_env=False) as nobody:
        for method, root in itertools.product(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"), (door.url, server)):
            answer = nobody.request(method, root + path)
            assert answer.status_code in {307, 400, 401, 404, 405, 501}, (method, root, answer.status_code)
            assert door.run not in answer.text
