"""Where a model version comes from: what a caller names is a thing of this project's lab, or it is refused, in whatever spelling."""

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.api.mlflow.conftest import Door


@pytest.fixture
def model(mlflow: MlflowClient, run: str) -> str:
    mlflow.create_registered_model("tree")
    return str(mlflow.create_logged_model("0", name="tree", source_run_id=run).model_id)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("models:/{model}", "0/models/{model}/artifacts"), ("mlflow-artifacts:/0/models/{model}/artifacts", "0/models/{model}/artifacts"),
        ("runs:/{run}/folder", "0/{run}/artifacts/folder"), ("runs:/{run}/a/b c", "0/{run}/artifacts/a/b c"), ("runs:/{run}/", "0/{run}/artifacts"),
        ("mlflow-artifacts:/0/{run}/artifacts/folder/", "0/{run}/artifacts/folder"), ("runs:/{run}/tree", "0/models/{model}/artifacts"),
    ],
)  # fmt: skip
def test_a_version_is_of_what_a_run_made(mlflow: MlflowClient, run: str, model: str, source: str, place: str) -> None:
    """The last: a run's model under the name that it was logged under, since no files lie there."""
    names = {"run": run, "model": model}
    is_model = "{model}" in source
    made = mlflow.create_model_version("tree", source.format(**names), run_id=run, model_id=model if is_model else None)
    assert (made.source, made.run_id) == (source.format(**names), run)
    assert mlflow.get_model_version_download_uri("tree", "1") == f"mlflow-artifacts:/{place.format(**names)}"


NOWHERE = [
    "file:///etc/passwd", "file:/etc/passwd", "file:etc/passwd", "FILE:///etc/passwd", "fIlE:///etc/passwd", "file%3a///etc/passwd",
    "file%3A%2f%2fetc", "file://localhost/etc/passwd", "file:///C:/windows/x", "/etc/passwd", "//etc/passwd", "etc/passwd", "./x", "../x",
    "~/x", "C:\\windows\\x", "\\\\host\\share", "s3://bucket/key", "S3://bucket/key", "gs://b/k", "abfss://c@a/k", "wasbs://c@a/k",
    "hdfs://h/p", "dbfs:/x", "viewfs://h/p", "ftp://h/p", "sftp://h/p", "r2://b/k", "http://169.254.169.254/latest", "https://h/p",
    "HTTP://h/p", "http:/h", "http://127.0.0.1/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/x", "data:text/plain,x", "javascript:x",
    "sqlite:////x.db", "postgresql://h/d", "databricks:/x", "uc:/x", "jdbc:x", "ssh://h/p", "git+https://h/p", "runs:/{run}/../x",
    "runs:/{run}/a/../../x", "runs:/{run}/%2e%2e/x", "runs:/{run}/%2E%2E%2fx", "runs:/{run}/%252e%252e/x", "runs:/{run}/..%2fx",
    "runs:/{run}/..\\x", "runs:/{run}/./x", "runs:/{run}/a//b", "runs://{run}/x", "runs:///{run}/x", "runs:{run}/x", "RUNS:/{run}/x",
    "Runs:/{run}/x", "runs:/{run}/x#frag", "runs:/{run}/x?y=1", "runs:/{run}#/../x", "runs:/{run}/x\u0000", "runs:/{run}/x\n",
    " runs:/{run}/x", "runs:/{run}/file:/etc/passwd", "runs://host/{run}/x", "runs:/../{run}/x",
    "mlflow-artifacts://host/0/{run}/artifacts/x", "mlflow-artifacts://host:1/0/{run}/artifacts", "mlflow-artifacts:///0/{run}/artifacts/x",
    "mlflow-artifacts:/0/{run}/artifacts/../x", "mlflow-artifacts:/0/{run}/artifacts/%2e%2e/x",
    "mlflow-artifacts:/0/{run}/../{run}/artifacts", "mlflow-artifacts:/0/{run}", "mlflow-artifacts:/0", "mlflow-artifacts:/",
    "mlflow-artifacts:/0/x", "mlflow-artifacts:/../0/{run}/artifacts", "MLFLOW-ARTIFACTS:/0/{run}/artifacts/x",
    "mlflow-artifacts:/0/models/{model}/artifacts/../x", "mlflow-artifacts:/0/models/{model}", "mlflow-artifacts:/7/{run}/artifacts/x",
    "mlflow-artifacts:/0/{run}/artifacts#/../../x", "mlflow-artifacts:/0/{run}/artifacts/x;y=../..\\z", "models:/m-{none}",
    "models:/{model}/../x", "models://host/{model}", "models://profile@x/tree/1", "models:/tree/99", "models:/tree/latest",
    "models:/absent/1", "models:/tree@absent", "models:/tree/Production", "models:/tree/1/..", "models:/tree/1#x", "models:/tree%2f1",
    "MODELS:/{model}", "models:tree/1", "models:/", "models:/..", "models:/tree/-1", "dummy-source", "prompt-template", " ", "x" * 5_000,
    "models:/" + "9" * 2_000, "runs:/{none}/x", "runs:/{run2}/x",
]  # fmt: skip


def test_a_version_is_of_no_place_that_a_caller_names(mlflow: MlflowClient, run: str, model: str) -> None:
    """Neither with the ids of what it really is, nor without."""
    other = mlflow.create_run("0").info.run_id
    for source in NOWHERE:
        text = source.replace("{run}", run).replace("{model}", model).replace("{none}", "0" * 32)
        for more in ({}, {"run_id": run}, {"model_id": model}, {"run_id": run, "model_id": model}):
            with pytest.raises(MlflowException) as refused:
                mlflow.create_model_version("tree", text.replace("{run2}", other), **more)
            assert refused.value.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}, (source, more)
    assert list(mlflow.search_model_versions("name = 'tree'")) == []


def test_a_source_of_another_project_reads_like_none(mlflow: MlflowClient, door: Door, model: str) -> None:
    other, services = door.beside(), door.town.services
    theirs = services.lab.create_run(other.project, "0", name="", person="", started_ms=0, tags={}, by=other.person).run.id  # fmt: skip
    made = services.registry.log_model(other.project, "0", theirs, name="m", model_type="", tags={}, params={}, by=other.person)  # fmt: skip
    services.registry.register(other.project, "theirs", by=other.person)
    services.registry.add_version(
        other.project, "theirs", source="", run_id=theirs, model_id=made.id, description="", tags={}, by=other.person
    )
    for source, more in (
        (f"runs:/{theirs}/x", {"run_id": theirs}), (f"models:/{made.id}", {"model_id": made.id}), ("models:/theirs/1", {}),
        (f"mlflow-artifacts:/0/{theirs}/artifacts/x", {"run_id": theirs}),
        (f"mlflow-artifacts:/0/models/{made.id}/artifacts", {"model_id": made.id}),
    ):  # fmt: skip
        with pytest.raises(MlflowException) as refused:
            mlflow.create_model_version("tree", source, **more)
        assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST", source


def test_a_prompt_has_no_place(mlflow: MlflowClient, model: str, run: str) -> None:
    """The tag that makes a version a prompt's does not open a way around the check of sources."""
    mlflow.register_prompt("greeting", "hello")
    store = mlflow._get_registry_client()  # the client itself refuses to send this
    for name, source in (("greeting", "file:///etc/passwd"), ("greeting", f"runs:/{run}/x"), ("tree", "dummy-source")):
        with pytest.raises(MlflowException) as refused:
            store.create_model_version(name, source, run_id=run, tags={"mlflow.prompt.is_prompt": "true"})
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_copy_is_of_what_the_other_version_is_of(mlflow: MlflowClient, model: str, run: str) -> None:
    mlflow.create_model_version("tree", f"models:/{model}", model_id=model)
    mlflow.set_registered_model_alias("tree", "champion", "1")
    mlflow.create_registered_model("released")
    for source in ("models:/tree/1", "models:/tree@champion", "models:/tree/latest"):
        made = mlflow.create_model_version("released", source)
        assert (made.source, made.run_id) == ("models:/tree/1", run)
        assert mlflow.get_model_version_download_uri("released", made.version) == f"mlflow-artifacts:/0/models/{model}/artifacts"  # fmt: skip
    with pytest.raises(MlflowException, match="must match the referenced model version"):
        mlflow.create_model_version("released", "models:/tree/1", run_id="0" * 32)
