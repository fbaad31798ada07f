"""MLflow's calls on runs: method and path → what is answered."""

import json
from collections.abc import Callable
from typing import Any

from fabriek.api.mlflow.asked import Asked, whole
from fabriek.api.mlflow.metrics import metric_in, of_model
from fabriek.api.mlflow.said import info_out, run_out
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.names import VALUE_CHARACTERS_MAX, invalid, missing
from fabriek.lab.runs import DataInput, ModelLink, check_batch

SEARCH_MAX = 50_000
SEARCH_DEFAULT = 1_000
INPUTS_MAX = 1_000
SOURCE_CHARACTERS_MAX = VALUE_CHARACTERS_MAX
SCHEMA_CHARACTERS_MAX = 2**20


def create(asked: Asked) -> dict[str, Any]:
    made = asked.services.lab.create_run(
        asked.project, asked.experiment_id or "0", name=asked.text("run_name"), person=asked.text("user_id"),
        started_ms=asked.number("start_time"), tags=asked.pairs("tags"), by=asked.caller,
    )  # fmt: skip
    return {"run": run_out(made)}


def get(asked: Asked) -> dict[str, Any]:
    return {"run": run_out(asked.services.lab.run(asked.project, asked.run_id, by=asked.caller))}


def update(asked: Asked) -> dict[str, Any]:
    changed = asked.services.lab.update_run(
        asked.project, asked.run_id, status=asked.text("status"), ended_ms=asked.number("end_time"), name=asked.text("run_name"),
        by=asked.caller,
    )  # fmt: skip
    return {"run_info": info_out(changed)}


def delete(asked: Asked) -> dict[str, Any]:
    asked.services.lab.delete_run(asked.project, asked.run_id, by=asked.caller)
    return {}


def restore(asked: Asked) -> dict[str, Any]:
    asked.services.lab.restore_run(asked.project, asked.run_id, by=asked.caller)
    return {}


def search(asked: Asked) -> dict[str, Any]:
    size, start = asked.page("runs", SEARCH_DEFAULT, SEARCH_MAX)
    experiments = asked.texts("experiment_ids")
    found = asked.services.lab.search(
        asked.project, experiments, filter_text=asked.text("filter"), order_by=asked.texts("order_by"), view=asked.view("run_view_type"),
        limit=size + 1, offset=start, by=asked.caller,
    ) if experiments else []  # fmt: skip
    answer: dict[str, Any] = {"runs": [run_out(one) for one in found[:size]]}
    if len(found) > size:
        answer["next_page_token"] = asked.next_page("runs", start + size)
    return answer


def log_metric(asked: Asked) -> dict[str, Any]:
    """For one that names a logged model; the others take the way that gathers."""
    metric = metric_in(asked.body)
    found = of_model(asked.body, metric, asked.run_id)
    asked.services.lab.log(
        asked.project, asked.run_id, metrics=[metric], of_models=[found] if found else [], by=asked.caller
    )
    return {}


def log_parameter(asked: Asked) -> dict[str, Any]:
    asked.services.lab.log(
        asked.project, asked.run_id, params={asked.needed("key"): asked.text("value")}, by=asked.caller
    )
    return {}


def log_batch(asked: Asked) -> dict[str, Any]:
    metrics, params, tags = asked.items("metrics"), asked.items("params"), asked.items("tags")
    check_batch(metrics, params, tags)
    points = [metric_in(one, f"metrics[{number}].") for number, one in enumerate(metrics)]
    linked = [of_model(raw, metric, asked.run_id) for raw, metric in zip(metrics, points, strict=True)]
    pairs = asked.pairs("params")
    if len(pairs) < len(params):
        keys = [one["key"] for one in params]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise InvalidInput(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one param value per param key."
        )
    asked.services.lab.log(
        asked.project, asked.run_id, metrics=points, params=pairs, tags=asked.pairs("tags"),
        of_models=[one for one in linked if one], by=asked.caller,
    )  # fmt: skip
    return {}


def set_tag(asked: Asked) -> dict[str, Any]:
    asked.services.lab.log(
        asked.project, asked.run_id, tags={asked.needed("key"): asked.text("value")}, by=asked.caller
    )
    return {}


def delete_tag(asked: Asked) -> dict[str, Any]:
    asked.services.lab.untag(asked.project, asked.run_id, asked.needed("key"), by=asked.caller)
    return {}


def log_inputs(asked: Asked) -> dict[str, Any]:
    """What a script says that it read, kept as its word: what a job truly read from the vault is in its statement."""
    data = [_data_in(one, f"datasets[{number}]") for number, one in enumerate(_bounded(asked, "datasets"))]
    models = [_model_in(one, f"models[{number}]") for number, one in enumerate(_bounded(asked, "models"))]
    asked.services.lab.link(asked.project, asked.run_id, data=data, models_in=models, by=asked.caller)
    return {}


def log_outputs(asked: Asked) -> dict[str, Any]:
    models = [_model_in(one, f"models[{number}]") for number, one in enumerate(_bounded(asked, "models"))]
    if not models:
        raise missing("models")
    asked.services.lab.link(asked.project, asked.run_id, models_out=models, by=asked.caller)
    return {}


def log_model(asked: Asked) -> dict[str, Any]:
    """What clients before MLflow 3 say of a model that they logged: kept as the tag that later ones read."""
    try:
        model = json.loads(asked.needed("model_json"))
    except (ValueError, RecursionError):
        raise InvalidInput("Malformed model info: `model_json` is not a valid JSON.") from None
    lacking = {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(model if isinstance(model, dict) else ())
    if lacking:
        raise InvalidInput(f"Model json is missing mandatory fields: {sorted(lacking)}")
    known = asked.services.lab.run(asked.project, asked.run_id, by=asked.caller).tags.get(HISTORY_TAG, "[]")
    listed = json.dumps([*json.loads(known), {name: value for name, value in model.items() if name != "signature"}])
    asked.services.lab.log(asked.project, asked.run_id, tags={HISTORY_TAG: listed}, by=asked.caller)
    return {}


HISTORY_TAG = "mlflow.log-model.history"


def _bounded(asked: Asked, name: str) -> list[Any]:
    given = asked.items(name)
    if len(given) > INPUTS_MAX:
        raise invalid(name, len(given), f"at most {INPUTS_MAX} at once")
    return given


def _model_in(raw: Any, path: str) -> ModelLink:
    if not isinstance(raw, dict) or not isinstance(raw.get("model_id"), str) or len(raw["model_id"]) > 100:
        raise invalid(path, raw)
    return ModelLink(raw["model_id"], whole(raw.get("step") or 0, f"{path}.step"))


def _data_in(raw: Any, path: str) -> DataInput:
    data = raw.get("dataset") if isinstance(raw, dict) else None
    if not isinstance(data, dict):
        raise invalid(path, raw)
    texts: dict[str, str] = {}
    for field, most in (("name", 500), ("digest", 36), ("source_type", 250), ("source", SOURCE_CHARACTERS_MAX),
                        ("schema", SCHEMA_CHARACTERS_MAX), ("profile", SCHEMA_CHARACTERS_MAX)):  # fmt: skip
        value = data.get(field) or ""
        if not isinstance(value, str):
            raise invalid(f"{path}.{field}", value)
        if len(value) > most:
            raise InvalidInput(f"'{field}' exceeds the maximum length of {most} characters")
        texts[field] = value
    for field in ("name", "digest", "source_type", "source"):
        if not texts[field]:
            raise missing(f"{path}.{field}")
    tags: dict[str, str] = {}
    for one in raw.get("tags") or []:
        if not isinstance(one, dict) or not isinstance(one.get("key"), str) or not isinstance(one.get("value"), str):
            raise invalid(f"{path}.tags", one)
        if len(one["key"]) > 255 or len(one["value"]) > 500 or len(tags) >= INPUTS_MAX:
            raise InvalidInput(f"'{path}.tags' exceeds its maximum length")
        tags[one["key"]] = one["value"]
    return DataInput(**texts, tags=tags)


RUN_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/runs/create"): create,
    ("GET", "/runs/get"): get,
    ("POST", "/runs/update"): update,
    ("POST", "/runs/delete"): delete,
    ("POST", "/runs/restore"): restore,
    ("POST", "/runs/search"): search,
    ("POST", "/runs/log-parameter"): log_parameter,
    ("POST", "/runs/set-tag"): set_tag,
    ("POST", "/runs/delete-tag"): delete_tag,
    ("POST", "/runs/log-inputs"): log_inputs,
    ("POST", "/runs/outputs"): log_outputs,
    ("POST", "/runs/log-model"): log_model,
}
