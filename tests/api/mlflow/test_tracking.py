"""The MLflow dialect, spoken by MLflow's own released client: for people below /lab/PROJECT, for a job on its socket's app."""

import http.client
import json
import math
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from fabriek.web.envelope import JSON_BYTES_MAX
from tests.api.mlflow.conftest import Door, JobDoor
from tests.factories.services import Town

NOBODYS_RUN = "0" * 32


def begun(mlflow: MlflowClient) -> str:
    return str(mlflow.create_run("0").info.run_id)


def test_a_run_is_logged_and_read_back(mlflow: MlflowClient) -> None:
    experiment = mlflow.create_experiment("trees", tags={"team": "a"})
    run = mlflow.create_run(experiment, run_name="first", tags={"kind": "trial"}).info.run_id
    mlflow.log_param(run, "depth", 3)
    for step in range(5):
        mlflow.log_metric(run, "loss", 1 / (step + 1), step=step)
    mlflow.set_tag(run, "note", "good")
    mlflow.set_terminated(run)
    read = mlflow.get_run(run)
    assert (read.info.status, read.info.run_name) == ("FINISHED", "first")
    assert read.data.params == {"depth": "3"}
    assert read.data.metrics == {"loss": 0.2}
    assert read.data.tags.items() >= {"kind": "trial", "note": "good"}.items()
    assert [one.value for one in mlflow.get_metric_history(run, "loss")] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert mlflow.get_experiment_by_name("trees").tags == {"team": "a"}


def test_numbers_that_are_none_arrive(mlflow: MlflowClient) -> None:
    run = begun(mlflow)
    for step, value in enumerate([math.nan, math.inf, -math.inf]):
        mlflow.log_metric(run, "odd", value, step=step)
    history = [one.value for one in mlflow.get_metric_history(run, "odd")]
    assert math.isnan(history[0])
    assert history[1:] == [math.inf, -math.inf]


def test_points_that_come_late_or_twice_stand_once_each(mlflow: MlflowClient) -> None:
    run = begun(mlflow)
    points = [Metric("loss", step / 7, 1_000 + step, step) for step in (4, 1, 3, 3, 0, 1)]
    mlflow.log_batch(run, points)
    mlflow.log_batch(run, points)
    assert sorted(one.step for one in mlflow.get_metric_history(run, "loss")) == [0, 1, 3, 4]
    assert mlflow.get_run(run).data.metrics["loss"] == 4 / 7


def test_a_batch_is_taken_whole_or_not_at_all(mlflow: MlflowClient) -> None:
    run = begun(mlflow)
    mlflow.log_param(run, "depth", 3)
    with pytest.raises(MlflowException) as refused:
        mlflow.log_batch(run, [Metric("loss", 1.0, 1, 1)], [Param("depth", "4")], [RunTag("late", "yes")])
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    read = mlflow.get_run(run).data
    assert (read.metrics, read.params) == ({}, {"depth": "3"})
    assert "late" not in read.tags


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("metrics.loss < 0.5", {"b"}), ("metrics.loss >= 0.5 and params.depth = '1'", {"a"}), ("params.depth IN ('1', '2')", {"a", "b"}),
        ("tags.kind LIKE 'tri%'", {"a", "b"}), ("attributes.status = 'RUNNING'", {"a", "b"}), ("metrics.absent > 0", set()),
    ],
)  # fmt: skip
def test_runs_are_found_by_what_they_logged(mlflow: MlflowClient, condition: str, expected: set[str]) -> None:
    for name, loss, depth in (("a", 0.9, 1), ("b", 0.1, 2)):
        run = mlflow.create_run("0", run_name=name, tags={"kind": "trial"}).info.run_id
        mlflow.log_metric(run, "loss", loss)
        mlflow.log_param(run, "depth", depth)
    assert {one.info.run_name for one in mlflow.search_runs(["0"], condition)} == expected


def test_what_is_found_comes_in_pages_and_in_order(mlflow: MlflowClient) -> None:
    for number in range(5):
        run = mlflow.create_run("0", run_name=str(number)).info.run_id
        mlflow.log_metric(run, "loss", -number)
    seen, page = [], ""
    while True:
        found = mlflow.search_runs(["0"], order_by=["metrics.loss ASC"], max_results=2, page_token=page or None)
        seen += [one.info.run_name for one in found]
        page = found.token
        if not page:
            break
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("condition", ["loss <", "params.x = 1", "metrics.a ~ 3", "1=1; drop table runs", "a" * 5_000])
def test_a_filter_that_is_none_is_refused_in_mlflows_words(mlflow: MlflowClient, condition: str) -> None:
    begun(mlflow)
    with pytest.raises(MlflowException) as refused:
        mlflow.search_runs(["0"], condition)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_an_artifact_comes_back_to_the_byte(mlflow: MlflowClient, tmp_path: Path) -> None:
    run = begun(mlflow)
    (tmp_path / "plot.bin").write_bytes(secrets.token_bytes(300_000))
    mlflow.log_artifact(run, str(tmp_path / "plot.bin"), "plots/deep")
    mlflow.log_text(run, "a,b\n1,2\n", "table.csv")
    assert {(one.path, one.is_dir) for one in mlflow.list_artifacts(run)} == {("plots", True), ("table.csv", False)}
    assert [one.path for one in mlflow.list_artifacts(run, "plots/deep")] == ["plots/deep/plot.bin"]
    taken = Path(mlflow.download_artifacts(run, "plots/deep/plot.bin", str(tmp_path / "down")))
    assert taken.read_bytes() == (tmp_path / "plot.bin").read_bytes()


def test_what_is_kept_is_sealed(mlflow: MlflowClient, town: Town) -> None:
    run = begun(mlflow)
    mlflow.log_text(run, "a word that nobody else would write: xylographer", "note.txt")
    kept = [file for file in town.services.settings.home.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if b"xylographer" in file.read_bytes()]


def test_a_model_is_registered_with_versions_and_aliases(mlflow: MlflowClient, door: Door) -> None:
    run = begun(mlflow)
    model = mlflow.create_logged_model("0", name="tree", source_run_id=run, params={"depth": "3"})
    mlflow.create_registered_model("diagnosis", description="first")
    first = mlflow.create_model_version("diagnosis", f"models:/{model.model_id}", run_id=run)
    second = mlflow.create_model_version("diagnosis", f"models:/{model.model_id}", run_id=run)
    assert (str(first.version), str(second.version)) == ("1", "2")
    mlflow.set_registered_model_alias("diagnosis", "champion", "1")
    assert str(mlflow.get_model_version_by_alias("diagnosis", "champion").version) == "1"
    mlflow.set_model_version_tag("diagnosis", "2", "checked", "yes")
    assert mlflow.get_model_version("diagnosis", "2").tags == {"checked": "yes"}
    assert [str(one.version) for one in mlflow.search_model_versions("name='diagnosis'")] == ["2", "1"]
    mlflow.delete_registered_model_alias("diagnosis", "champion")
    with pytest.raises(MlflowException):
        mlflow.get_model_version_by_alias("diagnosis", "champion")


@pytest.mark.parametrize("source", ["file:///etc/passwd", "s3://bucket/key", "models:/other/1", "../../x", "mlflow-artifacts:/0/x"])  # fmt: skip
def test_a_model_comes_from_a_run_and_from_no_place_that_a_caller_names(mlflow: MlflowClient, source: str) -> None:
    run = begun(mlflow)
    mlflow.create_registered_model("diagnosis")
    with pytest.raises(MlflowException):
        mlflow.create_model_version("diagnosis", source, run_id=run)
    assert list(mlflow.search_model_versions("name='diagnosis'")) == []


ESCAPES = ["../x", "%2e%2e/x", "a/%2E%2E/%2e%2e/x", "..%2fx", "%252e%252e%252fx", "a/..\\x", "/etc/passwd", "a//b", "a%00b", "file:/x"]  # fmt: skip


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_artifact_path_leads_out_of_its_run(mlflow: MlflowClient, door: Door, path: str, method: str) -> None:
    run = begun(mlflow)
    answer = raw(door, method, f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}")
    assert (answer["status"], answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert mlflow.list_artifacts(run) == []


@pytest.mark.parametrize("root", ["1", "0/models", "x", "0/{run}/../{run}", "0/" + "a" * 31, "99/{run}"])
def test_an_artifact_lies_below_a_run_or_nowhere(mlflow: MlflowClient, door: Door, root: str) -> None:
    place = root.format(run=begun(mlflow))
    answer = raw(door, "GET", f"/api/2.0/mlflow-artifacts/artifacts/{place}/artifacts/x")
    assert answer["status"] in {400, 404}


def raw(door: Door, method: str, path: str) -> dict[str, Any]:
    """One request whose path goes over the wire as it is written: a client library would tidy it first."""
    where = urlsplit(door.url)
    line = http.client.HTTPConnection(str(where.hostname), where.port)
    body = b"x" if method == "PUT" else None
    line.request(method, where.path + path, body, {"Authorization": f"Bearer {door.token}"})
    answer = line.getresponse()
    said = {"status": answer.status} | json.loads(answer.read())
    line.close()
    return said


BAD_BODIES: list[tuple[str, bytes, int]] = [
    ("runs/log-batch", b"[" * 100_000, 400), ("runs/log-batch", b'{"a":' * 40 + b"1" + b"}" * 40, 400), ("runs/create", b"not json", 400),
    ("runs/create", b'"text"', 400), ("runs/create", b'{"experiment_id": {"a": 1}}', 400), ("runs/log-metric", b"{}", 400),
    ("runs/create", b'{"start_time": "soon"}', 400), ("runs/create", b'{"start_time": 1e400}', 400), ("runs/search", b'{"max_results": []}', 400),
    ("runs/create", b'{"start_time": 99999999999999999999}', 400), ("runs/create", b"\xff\xfe", 400), ("experiments/create", b'{"name": 3}', 400),
    ("runs/create", b" " * (JSON_BYTES_MAX + 1), 400), ("nothing/here", b"{}", 404),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_what_cannot_be_read_is_refused_and_breaks_nothing(
    web: httpx.Client, path: str, body: bytes, status: int
) -> None:
    answer = web.post(f"/{path}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error_code", "message"}
    assert web.post("/runs/create", json={"experiment_id": "0"}).status_code == 200


LARGE: list[dict[str, Any]] = [
    {"metrics": [{"key": f"m{n}", "value": 1.0, "timestamp": 1, "step": 0} for n in range(1_001)]},
    {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]},
    {"tags": [{"key": f"t{n}", "value": "1"} for n in range(101)]},
    {"params": [{"key": "p", "value": "x" * 65_537}]},
    {"params": [{"key": "k" * 251, "value": "1"}]},
    {"params": [{"key": "../up", "value": "1"}]},
    {"metrics": [{"key": "m", "value": "high", "timestamp": 1, "step": 0}]},
    {"metrics": [{"key": "m", "value": 1.0, "timestamp": 1, "step": 2**63}]},
    {"metrics": [{"key": "m", "value": True, "timestamp": 1, "step": 0}]},
]


@pytest.mark.parametrize("fields", LARGE, ids=range(len(LARGE)))
def test_a_batch_beyond_what_mlflow_takes_is_refused_whole(
    mlflow: MlflowClient, web: httpx.Client, fields: dict[str, Any]
) -> None:
    run = begun(mlflow)
    answer = web.post("/runs/log-batch", json={"run_id": run, **fields})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert mlflow.get_run(run).data.to_dictionary()["params"] == {}
    assert mlflow.get_run(run).data.metrics == {}


CALLS_ON_A_RUN = [
    ("GET", "runs/get", {}), ("POST", "runs/log-metric", {"key": "a", "value": 1.0, "timestamp": 1}),
    ("POST", "runs/log-parameter", {"key": "a", "value": "1"}), ("POST", "runs/set-tag", {"key": "a", "value": "1"}),
    ("POST", "runs/log-batch", {}), ("POST", "runs/update", {"status": "FINISHED"}), ("GET", "metrics/get-history", {"metric_key": "a"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "fields"), CALLS_ON_A_RUN, ids=[one[1] for one in CALLS_ON_A_RUN])
def test_a_strangers_run_reads_like_none(
    door: Door, mlflow: MlflowClient, method: str, path: str, fields: dict[str, Any]
) -> None:
    """By its id, through the door of one's own project: the same answer, to the byte, as for an id that nobody has."""
    run = begun(mlflow)
    other = door.town.person(f"other{secrets.token_hex(4)}")
    slug = door.town.project(other)
    with door.client(door.token_of(other)) as stranger:
        answers = []
        for one in (run, NOBODYS_RUN):
            asked = fields | {"run_id": one}
            how = {"params": asked} if method == "GET" else {"json": asked}
            url = door.url.replace(door.slug, slug) + f"/api/2.0/mlflow/{path}"
            answer = stranger.request(method, url, **how)  # type: ignore[arg-type]
            answers.append((answer.status_code, answer.text.replace(one, "RUN")))
    assert answers[0] == answers[1]
    assert answers[0][0] in {400, 404}
    assert mlflow.get_run(run).info.status == "RUNNING"


def test_a_strangers_project_reads_like_none(door: Door, mlflow: MlflowClient) -> None:
    begun(mlflow)
    other = door.town.person(f"other{secrets.token_hex(4)}")
    with door.client(door.token_of(other)) as stranger:
        answers = [
            stranger.get(door.url.replace(door.slug, name) + "/api/2.0/mlflow/experiments/search")
            for name in (door.slug, "no-such-project")
        ]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].text.replace(door.slug, "X") == answers[1].text.replace("no-such-project", "X")


def test_nobody_comes_in_without_a_token(door: Door) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "x"}):
        answer = httpx.get(f"{door.url}/api/2.0/mlflow/experiments/search", headers=headers, trust_env=False)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")


def test_a_token_may_come_as_the_password(door: Door, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MLFLOW_TRACKING_USERNAME", "anyone")
    environment.setenv("MLFLOW_TRACKING_PASSWORD", door.token)
    assert MlflowClient(door.url).create_run("0").info.status == "RUNNING"


@pytest.fixture
def job_door(job_door: JobDoor, environment: pytest.MonkeyPatch) -> JobDoor:
    """With its token for the client."""
    environment.setenv("MLFLOW_TRACKING_TOKEN", job_door.token)
    return job_door


def test_a_job_logs_into_its_own_run_and_what_it_begins_carries_its_label(door: Door, job_door: JobDoor) -> None:
    job = MlflowClient(job_door.url)
    job.log_metric(job_door.run, "loss", 0.5)
    beside = job.create_run("0").info.run_id
    job.log_text(beside, "made within", "note.txt")
    services = door.town.services
    project = door.project
    for run in (job_door.run, beside):
        assert services.lab.run(project, run, by=door.person).run.label == "special-category"
    assert {one.info.run_id for one in job.search_runs(["0"])} == {job_door.run, beside}


def test_a_job_knows_no_run_but_its_own(door: Door, job_door: JobDoor) -> None:
    services = door.town.services
    project = door.project
    colleague = services.lab.create_run(project, "0", name="x", person="", started_ms=0, tags={}, by=door.person).run.id
    job = MlflowClient(job_door.url)
    said = []
    for run in (colleague, NOBODYS_RUN):
        with pytest.raises(MlflowException) as refused:
            job.log_metric(run, "loss", 1.0)
        said.append(str(refused.value).replace(run, "RUN"))
    assert said[0] == said[1]


def test_each_token_opens_one_door(door: Door, job_door: JobDoor) -> None:
    """A job's lab token is nothing to the server, a node's and a person's are nothing to the jobs' app."""
    services = door.town.services
    project = door.project
    node = services.job_secrets.issue("job_x", project, "node", services.clock.now() + timedelta(hours=1))
    search = "/api/2.0/mlflow/experiments/search"
    for url, token in ((door.url, job_door.token), (door.url, node), (job_door.url, node), (job_door.url, door.token)):  # fmt: skip
        answer = httpx.get(url + search, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
        assert answer.status_code == 401, url
    main = door.url.split("/lab/")[0]
    for path in ("/api/v1/whoami", "/api/v1/projects", f"/api/v1/projects/{door.slug}/jobs"):
        answer = httpx.get(main + path, headers={"Authorization": f"Bearer {job_door.token}"}, trust_env=False)
        assert answer.status_code == 401, path


def test_a_jobs_token_ends_with_its_job(door: Door, job_door: JobDoor) -> None:
    services = door.town.services
    run = services.lab.run(door.project, job_door.run, by=door.person).run
    services.job_secrets.end(run.job)
    answer = httpx.get(
        f"{job_door.url}/api/2.0/mlflow/experiments/search",
        headers={"Authorization": f"Bearer {job_door.token}"},
        trust_env=False,
    )
    assert answer.status_code == 401


def test_the_jobs_app_has_no_other_door(job_door: JobDoor) -> None:
    for path in ("/api/v1/whoami", "/api/v1/projects", "/metrics", "/sign-in", "/lab/x/api/2.0/mlflow/experiments/search"):  # fmt: skip
        answer = httpx.get(job_door.url + path, headers={"Authorization": f"Bearer {job_door.token}"}, trust_env=False)
        assert answer.status_code == 404, path


def test_errors_are_said_in_mlflows_shape(web: httpx.Client) -> None:
    answer = web.get("/runs/get", params={"run_id": NOBODYS_RUN})
    assert answer.status_code == 404
    assert json.loads(answer.text)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
