"""An `mlruns` folder with everything that MLflow keeps, made by MLflow's own client."""

import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

LOSS = [Metric("loss", value, 1_700_000_000_000 + number, number // 2) for number, value in enumerate(
    [1.0, 0.1 + 0.2, math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 1e-7]
)]  # fmt: skip
MANY = 2_500
"""More points than fit one batch."""


@dataclass(frozen=True)
class Made:
    """Where it is, and what is in it."""

    folder: Path
    full: str
    deleted: str
    open: str
    model: str


def mlflow_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """MLflow's client on a folder; its file store has to be asked for by name since 3.17."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
    return MlflowClient(folder.as_uri(), folder.as_uri())


def fill(client: MlflowClient, folder: Path) -> Made:
    """Two experiments; a run with everything, a deleted one, one that has not ended; a logged and a registered model."""
    trees = client.create_experiment("trees", tags={"team": "a", "note": "two\nlines"})
    full = client.create_run(
        trees, start_time=1_600_000_000_000, run_name="with everything", tags={"kind": "trial"}
    ).info.run_id
    params = [Param(f"layer/{number}", str(number)) for number in range(120)] + [
        Param("empty", ""),
        Param("words", "één\nλ"),
    ]
    for some in (params[:100], params[100:]):
        client.log_batch(full, [], some, [RunTag("mlflow.note.content", "a *note*")])
    for _ in range(2):  # as a client that lost the answer does
        client.log_batch(full, LOSS)
    steps = [Metric("train/acc", number / 7, 1_700_000_000_000 + number, number) for number in range(MANY)]
    for start in range(0, MANY, 1000):
        client.log_batch(full, steps[start : start + 1000])
    model = client.create_logged_model(
        trees, "tree", full, params={"depth": "3"}, tags={"owner": "a"}, model_type="sklearn"
    ).model_id
    client.log_metric(full, "on_model", 0.5, 1_700_000_000_000, 3, model_id=model)
    client.log_inputs(
        full, [DatasetInput(Dataset("cells", "abc123", "local", "{}", '{"a": 1}', "p"), [InputTag("mlflow.data.context", "training")])],
        [LoggedModelInput(model)],
    )  # fmt: skip
    client.log_outputs(full, [LoggedModelOutput(model, 7)])
    files = folder.parent / "files"
    (files / "deep").mkdir(parents=True)
    (files / "deep" / "weights.bin").write_bytes(bytes(range(256)) * 9000)
    (files / "empty.txt").write_bytes(b"")
    (files / "née λ.txt").write_text("named so")
    client.log_artifacts(full, str(files))
    client.log_model_artifacts(model, str(files / "deep"))
    from mlflow.entities import LoggedModelStatus  # noqa: PLC0415

    client.finalize_logged_model(model, LoggedModelStatus.READY)
    client.set_terminated(full, "FAILED", 1_700_000_100_000)
    gone = client.create_run(trees, start_time=1_600_000_000_001).info.run_id
    client.log_metric(gone, "loss", 3.0, 5, 1)
    client.set_terminated(gone, "KILLED", 1_700_000_200_000)
    client.delete_run(gone)
    still = client.create_run(client.create_experiment("forests"), start_time=1_600_000_000_002).info.run_id
    client.log_metric(still, "loss", 4.0, 6, 2)
    client.create_registered_model("arbor", {"stage": "x"}, "our tree")
    for _ in range(2):
        client.create_model_version(
            "arbor", f"models:/{model}", full, tags={"checked": "yes"}, description="first", model_id=model
        )
    client.set_registered_model_alias("arbor", "champion", "2")
    return Made(folder, full, gone, still, model)
