"""MLflow's calls on logged models: method and path → what is answered."""

from collections.abc import Callable, Sequence
from typing import Any

from fabriek.api.mlflow.artifacts import file_out
from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.fields import pages, required
from fabriek.api.mlflow.said import metric_out, milliseconds, tag_list
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.metrics import ModelMetric
from fabriek.lab.registry.logged_models import Dataset, LoggedOrder, order_of
from fabriek.lab.registry.models import LOGGED_STATUSES, LoggedModel
from fabriek.lab.registry.parts import Page

SEARCH_MAX, SEARCH_DEFAULT = 10_000, 100
_STATUSES = dict(enumerate(LOGGED_STATUSES, start=1))


def _logged_out(model: LoggedModel, measured: Sequence[ModelMetric]) -> dict[str, Any]:
    info = {
        "model_id": model.id, "experiment_id": model.experiment, "name": model.name, "model_type": model.model_type,
        "creation_timestamp_ms": milliseconds(model.created_at), "last_updated_timestamp_ms": milliseconds(model.changed_at),
        "artifact_uri": _place(model), "status": model.status, "source_run_id": model.run, "tags": tag_list(model.tags),
    }  # fmt: skip
    metrics = [
        metric_out(one.metric)
        | {
            "dataset_name": one.dataset_name,
            "dataset_digest": one.dataset_digest,
            "model_id": one.model,
            "run_id": one.run,
        }
        for one in measured
    ]
    return {"info": info, "data": {"params": tag_list(model.params), "metrics": metrics}}


def _one(asked: Asked, model: LoggedModel) -> dict[str, Any]:
    measured = asked.services.registry.logged_models.measured(asked.project, [model], by=asked.caller)
    return {"model": _logged_out(model, measured[model.id])}


def _place(model: LoggedModel) -> str:
    return f"mlflow-artifacts:/{model.root}/artifacts"


def create_logged_model(asked: Asked) -> dict[str, Any]:
    made = asked.services.registry.logged_models.create(
        asked.project, required(asked, "experiment_id"), asked.text("source_run_id"), name=asked.text("name"),
        model_type=asked.text("model_type"), tags=asked.pairs("tags"), params=asked.pairs("params"), by=asked.caller,
    )  # fmt: skip
    return _one(asked, made)


def get_logged_model(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.logged_models.get(
        asked.project, asked.path["model"], with_deleted=asked.text("allow_deleted").lower() == "true", by=asked.caller
    )
    return _one(asked, found)


def finish_logged_model(asked: Asked) -> dict[str, Any]:
    status = asked.body.get("status")
    word = _STATUSES.get(status, "") if isinstance(status, int) else status
    if not isinstance(word, str) or word not in LOGGED_STATUSES:
        raise InvalidInput(f"Invalid value {str(status)[:100]} for parameter 'status' supplied")
    changed = asked.services.registry.logged_models.change(
        asked.project, asked.path["model"], status=word, by=asked.caller
    )
    return _one(asked, changed)


def delete_logged_model(asked: Asked) -> dict[str, Any]:
    asked.services.registry.logged_models.delete(asked.project, asked.path["model"], by=asked.caller)
    return {}


def tag_logged_model(asked: Asked) -> dict[str, Any]:
    asked.services.registry.logged_models.change(
        asked.project, asked.path["model"], tags=asked.pairs("tags"), by=asked.caller
    )
    return {}


def untag_logged_model(asked: Asked) -> dict[str, Any]:
    asked.services.registry.logged_models.drop_tag(
        asked.project, asked.path["model"], asked.path["key"], by=asked.caller
    )
    return {}


def params_of_logged_model(asked: Asked) -> dict[str, Any]:
    asked.services.registry.logged_models.change(
        asked.project, asked.path["model"], params=asked.pairs("params"), by=asked.caller
    )
    return {}


def files_of_logged_model(asked: Asked) -> dict[str, Any]:
    model, found = asked.services.registry.logged_models.files(
        asked.project, asked.path["model"], asked.text("artifact_directory_path"), by=asked.caller
    )
    return {
        "root_uri": _place(model),
        "files": [file_out(path, size) for path, size in found],
    }


def search_logged_models(asked: Asked) -> dict[str, Any]:
    experiments = asked.texts("experiment_ids")
    if not experiments:
        raise InvalidInput(
            "Missing value for required parameter 'experiment_ids'. See the API docs for more information about request parameters."
        )
    for one in experiments:
        if not one.isdecimal():
            raise InvalidInput(f"Invalid experiment ID '{one[:100]}'. Experiment ID must be a valid integer.")
    logged = asked.services.registry.logged_models
    orders, datasets = (
        [_order(one) for one in asked.items("order_by")],
        [_dataset(one) for one in asked.items("datasets")],
    )
    measured: dict[str, Sequence[ModelMetric]] = {}

    def search(limit: int, offset: int) -> Page[LoggedModel]:
        page = logged.search(
            asked.project, experiments, filter_text=asked.text("filter"), order_by=orders, datasets=datasets, limit=limit,
            offset=offset, by=asked.caller,
        )  # fmt: skip
        measured.update(logged.measured(asked.project, page.items, by=asked.caller))
        return page

    return pages(
        asked, "models", most=SEARCH_MAX, default=SEARCH_DEFAULT, search=search,
        out=lambda one: _logged_out(one, measured[one.id]),
    )  # fmt: skip


def _order(raw: Any) -> LoggedOrder:
    if not isinstance(raw, dict):
        raise InvalidInput("`order_by` must be a list of dictionaries.")
    field, name, digest = (str(raw.get(one) or "") for one in ("field_name", "dataset_name", "dataset_digest"))
    return order_of(field.strip(), is_ascending=raw.get("ascending", True) is not False, dataset=Dataset(name, digest))


def _dataset(raw: Any) -> Dataset:
    if not isinstance(raw, dict) or not isinstance(raw.get("dataset_name"), str) or not raw["dataset_name"]:
        raise InvalidInput("`dataset_name` in the `datasets` clause must be specified.")
    return Dataset(raw["dataset_name"], str(raw.get("dataset_digest") or ""))


LOGGED_MODEL_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/logged-models"): create_logged_model,
    ("POST", "/logged-models/search"): search_logged_models,
    ("GET", "/logged-models/{model}"): get_logged_model,
    ("PATCH", "/logged-models/{model}"): finish_logged_model,
    ("DELETE", "/logged-models/{model}"): delete_logged_model,
    ("PATCH", "/logged-models/{model}/tags"): tag_logged_model,
    ("DELETE", "/logged-models/{model}/tags/{key:path}"): untag_logged_model,
    ("POST", "/logged-models/{model}/params"): params_of_logged_model,
    ("GET", "/logged-models/{model}/artifacts/directories"): files_of_logged_model,
}
