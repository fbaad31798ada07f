"""Where artifacts lie is this server's to say: no user names a place, in whatever spelling."""

import pytest

from tests.api.mlflow_bad_input.conftest import Door, refused

PLACES = [
    "file:///etc", "FILE:///etc", "file:/etc", "file://localhost/etc", "file:%2f%2f%2fetc", "/etc", "//etc", "\\\\host\\share", "C:\\Windows", "../../etc",
    "..%2f..%2fetc", "%2e%2e/%2e%2e/etc", "./x", "~", "~root", "s3://bucket/x", "s3a://bucket", "gs://bucket", "wasbs://c@a.blob.core.windows.net", "hdfs://h/x",
    "dbfs:/x", "ftp://h/x", "sftp://h/x", "http://169.254.169.254/latest", "https://example.org/x", "http:///../../etc#/../x", "mlflow-artifacts:/0",
    "mlflow-artifacts:/../../etc", "mlflow-artifacts://host/0", "mlflow-artifacts:/0/../../etc?x#y", "runs:/x/y", "models:/x/1", "data:,x", "jdbc:sqlite:/etc/x",
    "sqlite:////etc/x", "local:/etc", "file+http://x", " file:///etc", "\tfile:///etc", "file:///etc\x00", "?", "#", "$(id)", "`id`", "${HOME}", "x", " ", "\n",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_an_experiment_has_no_place_that_a_user_names(door: Door, place: str) -> None:
    answer = door.post("experiments/create", {"name": f"placed at {PLACES.index(place)}", "artifact_location": place})
    assert refused(answer)
    named = door.get("experiments/get-by-name", experiment_name=f"placed at {PLACES.index(place)}")
    assert named.status_code == 404


@pytest.mark.parametrize("place", [["file:///etc"], {"a": "file:///etc"}, 7, True])
def test_a_place_of_another_kind_is_refused_too(door: Door, place: object) -> None:
    assert refused(door.post("experiments/create", {"name": "placed", "artifact_location": place}))


@pytest.mark.parametrize(
    "field", ["artifactLocation", "artifact_uri", "artifactUri", "ARTIFACT_LOCATION", "artifact_location "]
)
def test_a_place_under_another_name_is_nothing(door: Door, field: str) -> None:
    answer = door.post("experiments/create", {"name": f"placed by {field}", field: "file:///etc"})
    experiment = answer.json()["experiment_id"]
    found = door.get("experiments/get", experiment_id=experiment).json()["experiment"]
    assert found["artifact_location"] == f"mlflow-artifacts:/{experiment}"
    run = door.post("runs/create", {"experiment_id": experiment, field: "file:///etc"}).json()["run"]["info"]
    assert run["artifact_uri"] == f"mlflow-artifacts:/{experiment}/{run['run_id']}/artifacts"
    changed = door.post("runs/update", {"run_id": run["run_id"], "status": "FINISHED", field: "file:///etc"})
    assert changed.json()["run_info"]["artifact_uri"] == run["artifact_uri"]


def test_tags_that_mlflow_uses_for_places_are_only_tags(door: Door) -> None:
    tags = [{"key": key, "value": "file:///etc"} for key in ("mlflow.artifactLocation", "mlflow.artifact_uri", "mlflow.source.name", "mlflow.log-model.history")]  # fmt: skip
    run = door.post("runs/create", {"experiment_id": "0", "tags": tags}).json()["run"]["info"]
    assert run["artifact_uri"] == f"mlflow-artifacts:/0/{run['run_id']}/artifacts"
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{run['run_id']}/artifacts/passwd"
    assert door.web.get(place).status_code == 404
