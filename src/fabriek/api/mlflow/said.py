"""How experiments, runs and metrics are written in the MLflow dialect."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fabriek.lab.experiments import Experiment
from fabriek.lab.metrics import Metric
from fabriek.lab.runs import DataInput, Links, Run
from fabriek.lab.service import Logged


def milliseconds(at: datetime | None) -> int | None:
    """Since 1970. To the nearest: what a client sent in whole milliseconds comes back as that."""
    return None if at is None else round(at.timestamp() * 1000)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def number_out(value: float) -> float | str:
    """JSON has no NaN and no infinity; MLflow's client reads these words."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def metric_out(metric: Metric) -> dict[str, Any]:
    return {"key": metric.key, "value": number_out(metric.value), "timestamp": metric.at_ms, "step": metric.step}


def stage(*, is_deleted: bool) -> str:
    return "deleted" if is_deleted else "active"


def experiment_out(one: Experiment) -> dict[str, Any]:
    return {
        "experiment_id": one.id, "name": one.name, "artifact_location": f"mlflow-artifacts:/{one.id}",
        "lifecycle_stage": stage(is_deleted=one.is_deleted), "creation_time": milliseconds(one.created_at),
        "last_update_time": milliseconds(one.changed_at), "tags": tag_list(one.tags),
    }  # fmt: skip


def info_out(run: Run) -> dict[str, Any]:
    info = {
        "run_id": run.id, "run_uuid": run.id, "run_name": run.name, "experiment_id": run.experiment, "user_id": run.person,
        "status": str(run.status), "start_time": milliseconds(run.started_at),
        "artifact_uri": f"mlflow-artifacts:/{run.experiment}/{run.id}/artifacts", "lifecycle_stage": stage(is_deleted=run.is_deleted),
    }  # fmt: skip
    return info | ({"end_time": milliseconds(run.ended_at)} if run.ended_at else {})


def run_out(logged: Logged) -> dict[str, Any]:
    data = {
        "metrics": [metric_out(metric) for metric in logged.metrics],
        "params": tag_list(logged.params),
        "tags": tag_list(logged.tags),
    }
    inputs, outputs = _links_out(logged.links)
    return {"info": info_out(logged.run), "data": data, "inputs": inputs, "outputs": outputs}


def _links_out(links: Links) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs: dict[str, Any] = {}
    if links.data:
        inputs["dataset_inputs"] = [_data_out(one) for one in links.data]
    if links.models_in:
        inputs["model_inputs"] = [{"model_id": one.model} for one in links.models_in]
    outputs = {"model_outputs": [{"model_id": one.model, "step": one.step} for one in links.models_out]}
    return inputs, outputs if links.models_out else {}


def _data_out(one: DataInput) -> dict[str, Any]:
    data = {"name": one.name, "digest": one.digest, "source_type": one.source_type, "source": one.source}
    if one.schema:
        data["schema"] = one.schema
    if one.profile:
        data["profile"] = one.profile
    return {"dataset": data, "tags": tag_list(one.tags)}
