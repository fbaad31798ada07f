"""Models that runs logged, through MLflow's released client; and a model of scikit-learn, logged, registered and loaded again."""

from pathlib import Path
from typing import Any

import httpx
import mlflow as package
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus, Metric
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

from fabriek.lab.metrics import Metric as OurMetric
from fabriek.lab.metrics import ModelMetric
from tests.api.mlflow.conftest import Door


def test_a_logged_model_is_made_filled_finished_and_deleted(mlflow: MlflowClient, run: str, tmp_path: Path) -> None:
    made = mlflow.create_logged_model(
        "0", name="tree", source_run_id=run, tags={"a": "1"}, params={"depth": "3"}, model_type="classifier"
    )
    assert (made.status, made.source_run_id, made.experiment_id) == (LoggedModelStatus.PENDING, run, "0")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.skops").write_bytes(b"weights")
    mlflow.log_model_artifacts(made.model_id, str(tmp_path))
    mlflow.set_logged_model_tags(made.model_id, {"a": "2", "b": "3"})
    mlflow.delete_logged_model_tag(made.model_id, "b")
    mlflow.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    read = mlflow.get_logged_model(made.model_id)
    assert (read.status, read.params, read.model_type) == (LoggedModelStatus.READY, {"depth": "3"}, "classifier")
    assert {key: value for key, value in read.tags.items() if not key.startswith("mlflow.")} == {"a": "2"}
    assert [(one.path, one.is_dir) for one in mlflow.list_logged_model_artifacts(made.model_id)] == [("weights", True)]
    assert [one.path for one in mlflow.list_logged_model_artifacts(made.model_id, "weights")] == ["weights/model.skops"]
    mlflow.delete_logged_model(made.model_id)
    with pytest.raises(MlflowException, match=f"Logged model with ID '{made.model_id}' not found") as gone:
        mlflow.get_logged_model(made.model_id)
    assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert list(mlflow.search_logged_models(["0"])) == []


def test_a_model_may_be_logged_outside_of_a_run(mlflow: MlflowClient, tmp_path: Path) -> None:
    made = mlflow.create_logged_model("0", name="alone")
    (tmp_path / "card.md").write_text("a card")
    mlflow.log_model_artifacts(made.model_id, str(tmp_path))
    mlflow.create_registered_model("alone")
    version = mlflow.create_model_version("alone", f"models:/{made.model_id}", model_id=made.model_id)
    assert (made.source_run_id, version.run_id) == ("", "")
    assert mlflow.get_model_version_download_uri("alone", "1") == made.artifact_location


def test_a_parameter_of_a_model_is_written_once(web: httpx.Client, mlflow: MlflowClient) -> None:
    made = mlflow.create_logged_model("0", params={"depth": "3"})
    again = {"params": [{"key": "depth", "value": "3"}, {"key": "width", "value": "2"}]}
    assert web.post(f"/logged-models/{made.model_id}/params", json=again).status_code == 200
    answer = web.post(f"/logged-models/{made.model_id}/params", json={"params": [{"key": "depth", "value": "4"}]})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert mlflow.get_logged_model(made.model_id).params == {"depth": "3", "width": "2"}


def names(found: list[LoggedModel]) -> str:
    return "".join(one.name for one in found)


def any_order(found: list[LoggedModel]) -> str:
    """The clock of these tests stands still, so that all models are equally new."""
    return "".join(sorted(names(found)))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name = 'a'", "a"), ("name != 'a'", "bc"), ("name IN ('a', 'c')", "ac"), ("params.depth = '1'", "a"), ("tags.kind LIKE 'o%'", "ac"),
        ("model_type = 'x' AND params.depth != '1'", "bc"), ("creation_timestamp > 5", "abc"), ("status = 'READY'", "a"), ("metrics.loss < 0.5", "a"),
        ("metrics.loss > 0", "ab"), ("metrics.absent > 0", ""), ("source_run_id = '{run}'", "abc"), ("source_run_id = 'x'", ""), ("", "abc"),
    ],
)  # fmt: skip
def test_logged_models_are_found(mlflow: MlflowClient, run: str, condition: str, expected: str) -> None:
    a_shelf(mlflow, run)
    assert any_order(mlflow.search_logged_models(["0"], condition.format(run=run))) == expected


def a_shelf(mlflow: MlflowClient, run: str) -> None:
    """Three models: a and b measured, on data that are named; a the better."""
    for number, name in enumerate("abc", start=1):
        tags, params = {"kind": "odd" if number % 2 else "even"}, {"depth": str(number)}
        made = mlflow.create_logged_model("0", name, source_run_id=run, tags=tags, params=params, model_type="x")
        if name != "c":
            data = {"dataset_name": "iris", "dataset_digest": f"d{number}"}
            point = Metric("loss", number / 3, number, 0, model_id=made.model_id, run_id=run, **data)
            mlflow.log_batch(run, [point])
        if name == "a":
            mlflow.finalize_logged_model(made.model_id, LoggedModelStatus.READY)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([{"field_name": "metrics.loss", "ascending": True}], "abc"), ([{"field_name": "metrics.loss", "ascending": False}], "bac"),
        ([{"field_name": "name", "ascending": False}], "cba"),
        ([{"field_name": "metrics.loss", "ascending": True, "dataset_name": "iris", "dataset_digest": "d2"}, {"field_name": "name"}], "bac"),
        ([{"field_name": "creation_time"}, {"field_name": "model_type"}, {"field_name": "name"}], "abc"),
    ],
)  # fmt: skip
def test_logged_models_come_in_order(
    mlflow: MlflowClient, run: str, order: list[dict[str, Any]], expected: str
) -> None:
    a_shelf(mlflow, run)
    seen, token = "", None
    while True:
        page = mlflow.search_logged_models(["0"], order_by=order, max_results=2, page_token=token)
        seen += names(page)
        token = page.token
        if not token:
            break
    assert seen == expected


def test_models_are_found_by_the_data_they_were_measured_on(mlflow: MlflowClient, run: str) -> None:
    a_shelf(mlflow, run)
    assert any_order(mlflow.search_logged_models(["0"], datasets=[{"dataset_name": "iris"}])) == "ab"
    assert names(mlflow.search_logged_models(["0"], datasets=[{"dataset_name": "iris", "dataset_digest": "d2"}])) == "b"
    assert names(mlflow.search_logged_models(["0"], datasets=[{"dataset_name": "wine"}])) == ""
    (read,) = mlflow.search_logged_models(["0"], "name = 'a'")
    assert [(one.key, one.value, one.dataset_name, one.run_id) for one in read.metrics or []] == [("loss", 1 / 3, "iris", run)]  # fmt: skip


def test_what_another_projects_run_says_of_a_model_is_not_said_here(mlflow: MlflowClient, door: Door) -> None:
    """A metric names the model that it is of, and whoever sends it may name any."""
    made = mlflow.create_logged_model("0")
    other, lab = door.beside(), door.town.services.lab
    foreign = lab.create_run(other.project, "0", name="", person="", started_ms=0, tags={}, by=other.person).run.id
    forged = ModelMetric(made.model_id, foreign, OurMetric("loss", 0.0, 1))
    lab.log(other.project, foreign, metrics=[forged.metric], of_models=[forged], by=other.person)
    assert mlflow.get_logged_model(made.model_id).metrics in (None, [])
    assert list(mlflow.search_logged_models(["0"], "metrics.loss < 1")) == []


def test_what_a_label_withholds_is_not_said_of_a_model_either(mlflow: MlflowClient, door: Door) -> None:
    services = door.town.services
    run = services.lab.open_run(
        door.project, "", job="job_9", label="departementaal-vertrouwelijk", person="", name="x"
    )
    made = services.registry.log_model(door.project, "0", run, name="m", model_type="", tags={}, params={}, by=door.person)  # fmt: skip
    point = ModelMetric(made.id, run, OurMetric("loss", 0.25, 1))
    services.lab.log(door.project, run, metrics=[point.metric], of_models=[point], by=door.person)
    assert mlflow.get_logged_model(made.id).metrics in (None, [])
    assert list(mlflow.search_logged_models(["0"], "metrics.loss < 1")) == []


@pytest.mark.filterwarnings("ignore")
def test_a_model_of_scikit_learn_is_logged_registered_and_loaded_again(
    door: Door, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("MLFLOW_TRACKING_TOKEN", door.token)
    # Not by a call of the package, which would outlive this test and its server.
    environment.setenv("MLFLOW_TRACKING_URI", door.url)
    points, answers = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    fitted = LogisticRegression().fit(points, answers)
    with package.start_run() as active:
        told = package.sklearn.log_model(
            fitted, name="tree", registered_model_name="diagnosis", pip_requirements=[], serialization_format="pickle"
        )
    client = MlflowClient()
    version = client.get_model_version("diagnosis", "1")
    assert (version.run_id, version.source) == (active.info.run_id, f"models:/{told.model_id}")
    client.set_registered_model_alias("diagnosis", "champion", "1")
    for uri in ("models:/diagnosis@champion", "models:/diagnosis/1", f"models:/{told.model_id}", f"runs:/{active.info.run_id}/tree"):  # fmt: skip
        loaded = package.sklearn.load_model(uri)
        assert loaded.predict(points).tolist() == fitted.predict(points).tolist()
    copied = client.copy_model_version("models:/diagnosis/1", "released")
    assert (copied.source, copied.run_id) == ("models:/diagnosis/1", active.info.run_id)
    assert package.sklearn.load_model("models:/released/1").predict(points).tolist() == answers.tolist()
    registry, project = door.town.services.registry, door.project
    kept = [registry.version(project, name, 1, by=door.person) for name in ("diagnosis", "released")]
    assert kept[0].sha256 == kept[1].sha256
    assert all(registry.model_versions.is_as_registered(one) for one in kept)
    assert "MLmodel" in [one.path for one in registry.model_versions.files(project, "released", 1, by=door.person)]
