"""MLflow's calls on experiments and runs: method and path → what is answered."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from fabriek.api.mlflow.asked import Asked
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.experiments import Experiment
from fabriek.lab.runs import Metric, check_batch
from fabriek.lab.service import Logged

HISTORY_MAX = 25_000
SEARCH_MAX = 50_000
SEARCH_DEFAULT = 1_000


def milliseconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def tag_list(tags: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity; MLflow's client reads these words."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _metric_out(metric: Metric) -> dict[str, Any]:
    return {"key": metric.key, "value": _number(metric.value), "timestamp": metric.at_ms, "step": metric.step}


def _experiment_out(one: Experiment) -> dict[str, Any]:
    return {
        "experiment_id": one.id, "name": one.name, "artifact_location": f"mlflow-artifacts:/{one.id}", "lifecycle_stage": "active",
        "creation_time": milliseconds(one.created_at), "last_update_time": milliseconds(one.changed_at), "tags": tag_list(one.tags),
    }  # fmt: skip


def _info_out(logged: Logged) -> dict[str, Any]:
    run = logged.run
    info = {
        "run_id": run.id, "run_uuid": run.id, "run_name": run.name, "experiment_id": run.experiment, "user_id": run.person,
        "status": "RUNNING" if run.status == "SCHEDULED" else str(run.status), "start_time": milliseconds(run.started_at),
        "artifact_uri": f"mlflow-artifacts:/{run.experiment}/{run.id}/artifacts", "lifecycle_stage": "deleted" if run.is_deleted else "active",
    }  # fmt: skip
    return info | ({"end_time": milliseconds(run.ended_at)} if run.ended_at else {})


def _run_out(logged: Logged) -> dict[str, Any]:
    data = {
        "metrics": [_metric_out(metric) for metric in logged.metrics],
        "params": tag_list(logged.params),
        "tags": tag_list(logged.tags),
    }
    return {"info": _info_out(logged), "data": data, "inputs": {}, "outputs": {}}


def _metric_in(raw: Any) -> Metric:
    if not isinstance(raw, dict):
        raise InvalidInput("Invalid value for parameter 'metrics' supplied: each needs a key and a value")
    key, value = raw.get("key"), raw.get("value")
    if not isinstance(key, str):
        raise InvalidInput("Missing value for required parameter 'metrics.key'")
    words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    number = words.get(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidInput(
            f"Got invalid value {value} for metric '{key}' (timestamp={raw.get('timestamp')}). "
            "Please specify value as a valid double (64-bit floating point)"
        )
    return Metric(key, float(number), _whole(raw.get("timestamp", 0), "timestamp"), _whole(raw.get("step", 0), "step"))


def _whole(raw: Any, name: str) -> int:
    try:
        number = int(raw)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"Invalid value {str(raw)[:100]} for parameter '{name}' supplied") from None
    if abs(number) >= 2**63:
        raise InvalidInput(f"Invalid value {number} for parameter '{name}' supplied")
    return number


def create_experiment(asked: Asked) -> dict[str, Any]:
    made = asked.services.lab.create_experiment(
        asked.project, asked.body.get("name"), asked.pairs("tags"), by=asked.caller
    )
    return {"experiment_id": made.id}


def get_experiment(asked: Asked) -> dict[str, Any]:
    return {
        "experiment": _experiment_out(
            asked.services.lab.experiment(asked.project, asked.text("experiment_id"), by=asked.caller)
        )
    }


def get_experiment_by_name(asked: Asked) -> dict[str, Any]:
    found = asked.services.lab.experiment_named(asked.project, asked.body.get("experiment_name"), by=asked.caller)
    return {"experiment": _experiment_out(found)}


def search_experiments(asked: Asked) -> dict[str, Any]:
    return {
        "experiments": [_experiment_out(one) for one in asked.services.lab.experiments(asked.project, by=asked.caller)]
    }


def create_run(asked: Asked) -> dict[str, Any]:
    tags = asked.pairs("tags")
    made = asked.services.lab.create_run(
        asked.project, asked.text("experiment_id") or "0", name=asked.text("run_name") or tags.get("mlflow.runName", ""),
        person=asked.text("user_id"), started_ms=asked.number("start_time"), tags=tags, by=asked.caller,
    )  # fmt: skip
    return {"run": _run_out(made)}


def get_run(asked: Asked) -> dict[str, Any]:
    run_id = asked.body.get("run_id") or asked.body.get("run_uuid")
    return {"run": _run_out(asked.services.lab.run(asked.project, run_id, by=asked.caller))}


def update_run(asked: Asked) -> dict[str, Any]:
    run_id = asked.body.get("run_id") or asked.body.get("run_uuid")
    asked.services.lab.update_run(
        asked.project,
        run_id,
        status=asked.text("status"),
        ended_ms=asked.number("end_time"),
        name=asked.text("run_name"),
        by=asked.caller,
    )
    return {"run_info": _info_out(asked.services.lab.run(asked.project, run_id, by=asked.caller))}


def search_runs(asked: Asked) -> dict[str, Any]:
    found = asked.services.lab.search(
        asked.project, [str(one) for one in asked.items("experiment_ids")], filter_text=asked.text("filter"),
        order_by=[str(one) for one in asked.items("order_by")], by=asked.caller,
    )  # fmt: skip
    most = min(max(asked.number("max_results", SEARCH_DEFAULT), 1), SEARCH_MAX)
    scope = f"runs:{asked.project}"
    start = int(asked.services.cursors.read(scope, asked.text("page_token")) or 0)
    answer: dict[str, Any] = {"runs": [_run_out(one) for one in found[start : start + most]]}
    if start + most < len(found):
        answer["next_page_token"] = asked.services.cursors.write(scope, str(start + most))
    return answer


def log_metric(asked: Asked) -> dict[str, Any]:
    metric = _metric_in({name: asked.body.get(name, 0) for name in ("key", "value", "timestamp", "step")})
    asked.services.lab.log(asked.project, _run_id(asked), metrics=[metric], by=asked.caller)
    return {}


def log_parameter(asked: Asked) -> dict[str, Any]:
    asked.services.lab.log(
        asked.project, _run_id(asked), params={asked.text("key"): asked.text("value")}, by=asked.caller
    )
    return {}


def log_batch(asked: Asked) -> dict[str, Any]:
    metrics, params, tags = asked.items("metrics"), asked.items("params"), asked.items("tags")
    check_batch(metrics, params, tags)
    asked.services.lab.log(
        asked.project, _run_id(asked), metrics=[_metric_in(one) for one in metrics], params=asked.pairs("params"),
        tags=asked.pairs("tags"), by=asked.caller,
    )  # fmt: skip
    return {}


def set_tag(asked: Asked) -> dict[str, Any]:
    asked.services.lab.log(
        asked.project, _run_id(asked), tags={asked.text("key"): asked.text("value")}, by=asked.caller
    )
    return {}


def log_inputs(asked: Asked) -> dict[str, Any]:
    """Names of data, kept as tags of the run: what a run read from the vault is in its statement, not in its own word."""
    tags = {}
    for number, one in enumerate(asked.items("datasets")[:100]):
        data = one.get("dataset", {}) if isinstance(one, dict) else {}
        tags[f"mlflow.input.{number}"] = f"{data.get('name', '')} {data.get('digest', '')}".strip()
    if tags:
        asked.services.lab.log(asked.project, _run_id(asked), tags=tags, by=asked.caller)
    return {}


def log_outputs(asked: Asked) -> dict[str, Any]:
    """A logged model carries its run already; this says the same the other way round."""
    asked.services.lab.run(asked.project, _run_id(asked), by=asked.caller)
    return {}


def metric_history(asked: Asked) -> dict[str, Any]:
    scope = f"history:{asked.project}"
    most = min(max(asked.number("max_results", HISTORY_MAX), 1), HISTORY_MAX)
    after = int(asked.services.cursors.read(scope, asked.text("page_token")) or 0)
    rows = asked.services.lab.history(
        asked.project, _run_id(asked), asked.text("metric_key"), limit=most, after=after, by=asked.caller
    )
    answer: dict[str, Any] = {"metrics": _points(rows)}
    if len(rows) == most:
        answer["next_page_token"] = asked.services.cursors.write(scope, str(rows[-1][0]))
    return answer


def _points(rows: Sequence[tuple[int, Metric]]) -> list[dict[str, Any]]:
    return [_metric_out(metric) for _, metric in rows]


def _run_id(asked: Asked) -> Any:
    return asked.body.get("run_id") or asked.body.get("run_uuid")


RUN_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/experiments/create"): create_experiment,
    ("GET", "/experiments/get"): get_experiment,
    ("GET", "/experiments/get-by-name"): get_experiment_by_name,
    ("POST", "/experiments/search"): search_experiments,
    ("GET", "/experiments/search"): search_experiments,
    ("POST", "/runs/create"): create_run,
    ("GET", "/runs/get"): get_run,
    ("POST", "/runs/update"): update_run,
    ("POST", "/runs/search"): search_runs,
    ("POST", "/runs/log-metric"): log_metric,
    ("POST", "/runs/log-parameter"): log_parameter,
    ("POST", "/runs/log-batch"): log_batch,
    ("POST", "/runs/set-tag"): set_tag,
    ("POST", "/runs/log-inputs"): log_inputs,
    ("POST", "/runs/outputs"): log_outputs,
    ("GET", "/metrics/get-history"): metric_history,
}
