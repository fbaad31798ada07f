"""Each endpoint of the pinned MLflow is spoken, or refused with a reason, or another product's: read from its package, asked of the server."""

import httpx
import pytest

from fabriek.api.app import build
from fabriek.api.mlflow.endpoints import RULES, Verdict
from tests.api.mlflow.catalogue import endpoints, verdicts
from tests.api.mlflow.conftest import Door, JobDoor
from tests.factories.services import Town


def test_the_package_is_read_whole() -> None:
    """A few of each way in which MLflow writes its endpoints: were one no longer read, nobody would miss its verdict."""
    found = endpoints()
    assert len(found) >= 240
    assert {
        ("POST", "/api/2.0/mlflow/runs/log-batch"), ("PATCH", "/api/2.0/mlflow/logged-models/{}/tags"),
        ("GET", "/api/2.0/mlflow/registered-models/alias"), ("POST", "/api/2.0/mlflow-artifacts/mpu/create/{}"),
        ("DELETE", "/api/2.0/mlflow/webhooks/{}"), ("PUT", "/api/3.0/mlflow/scorers/online-config"),
        ("GET", "/get-artifact"), ("POST", "/v1/traces"), ("GET", "/api/3.0/mlflow/server-info"),
        ("POST", "/gateway/mlflow/v1/chat/completions"), ("PATCH", "/ajax-api/3.0/mlflow/jobs/cancel/{}"),
        ("GET", "/health"),
    } <= set(found)  # fmt: skip


def test_each_endpoint_has_a_verdict(town: Town) -> None:
    said = verdicts(build(town.services))
    assert [endpoint for endpoint, verdict, _ in said if verdict is None] == []
    assert all(why for _, verdict, why in said if verdict is not Verdict.DONE)


def test_each_rule_is_of_an_endpoint_that_there_is() -> None:
    paths = [path.replace("{}", "x") for _, path in endpoints()]
    assert [rule.pattern.pattern for rule in RULES if not any(rule.pattern.fullmatch(path) for path in paths)] == []


def test_what_is_not_spoken_says_so_in_mlflows_shape(town: Town, door: Door) -> None:
    sides = ("/api/", "/ajax-api/", "/v1/", "/gateway/")
    words = {Verdict.REFUSED: (501, "NOT_IMPLEMENTED"), Verdict.NOT_OURS: (404, "ENDPOINT_NOT_FOUND")}
    with httpx.Client(trust_env=False) as client:
        for (method, path), verdict, why in verdicts(build(town.services)):
            if verdict not in words or "transition-stage" in path or not path.startswith(sides):
                continue
            answer = client.request(method, door.url + path.replace("{}", "x"))
            assert (answer.status_code, answer.json()["error_code"]) == words[verdict], path
            said = answer.json()["message"]
            assert why.split(":")[0] in said or "is not supported for the current artifact repository" in said, path


@pytest.mark.parametrize("path", ["/api/2.0/mlflow/nothing", "/api/9.9/mlflow/runs/get", "/api/2.0/mlflow/runs/get/x"])  # fmt: skip
def test_what_mlflow_has_not_either_is_not_there(door: Door, job_door: JobDoor, path: str) -> None:
    for url in (door.url, job_door.url):
        answer = httpx.post(url + path, json={}, trust_env=False)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
