"""MLflow's calls on logged and registered models: method and path → what is answered."""

from collections.abc import Callable
from typing import Any

from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.said import milliseconds, tag_list
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.registry.models import LoggedModel, ModelVersion, RegisteredModel

STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}


def _logged_out(model: LoggedModel) -> dict[str, Any]:
    info = {
        "model_id": model.id, "experiment_id": model.experiment, "name": model.name, "model_type": model.model_type,
        "creation_timestamp_ms": milliseconds(model.created_at), "last_updated_timestamp_ms": milliseconds(model.changed_at),
        "artifact_uri": f"mlflow-artifacts:/{model.experiment}/models/{model.id}/artifacts", "status": model.status,
        "source_run_id": model.run, "tags": tag_list(model.tags),
    }  # fmt: skip
    return {"info": info, "data": {"params": tag_list(model.params), "metrics": []}}


def _registered_out(asked: Asked, model: RegisteredModel) -> dict[str, Any]:
    versions = asked.services.registry.versions(asked.project, model.name, by=asked.caller)
    return {
        "name": model.name, "creation_timestamp": milliseconds(model.created_at), "last_updated_timestamp": milliseconds(model.changed_at),
        "description": model.description, "tags": tag_list(model.tags), "latest_versions": [_version_out(one) for one in versions[:1]],
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in model.aliases.items()],
    }  # fmt: skip


def _version_out(one: ModelVersion) -> dict[str, Any]:
    return {
        "name": one.name, "version": str(one.number), "creation_timestamp": milliseconds(one.created_at),
        "last_updated_timestamp": milliseconds(one.changed_at), "description": one.description, "current_stage": "None", "source": one.source,
        "run_id": one.run, "model_id": one.model_id, "status": "READY", "tags": tag_list(one.tags),
    }  # fmt: skip


def create_logged_model(asked: Asked) -> dict[str, Any]:
    made = asked.services.registry.log_model(
        asked.project, asked.text("experiment_id"), asked.text("source_run_id"), name=asked.text("name"), model_type=asked.text("model_type"),
        tags=asked.pairs("tags"), params=asked.pairs("params"), by=asked.caller,
    )  # fmt: skip
    return {"model": _logged_out(made)}


def get_logged_model(asked: Asked) -> dict[str, Any]:
    return {"model": _logged_out(asked.services.registry.logged(asked.project, asked.path["model"], by=asked.caller))}


def finish_logged_model(asked: Asked) -> dict[str, Any]:
    status = asked.body.get("status")
    word = STATUSES.get(status, "") if isinstance(status, int) else status
    if word not in STATUSES.values():
        raise InvalidInput(f"Invalid value {status} for parameter 'status' supplied")
    return {
        "model": _logged_out(
            asked.services.registry.change_logged(asked.project, asked.path["model"], status=str(word), by=asked.caller)
        )
    }


def tag_logged_model(asked: Asked) -> dict[str, Any]:
    changed = asked.services.registry.change_logged(
        asked.project, asked.path["model"], tags=asked.pairs("tags"), by=asked.caller
    )
    return {"model": _logged_out(changed)}


def params_of_logged_model(asked: Asked) -> dict[str, Any]:
    asked.services.registry.logged(asked.project, asked.path["model"], by=asked.caller)
    return {}


def search_logged_models(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.logged_of(
        asked.project, [str(one) for one in asked.items("experiment_ids")], by=asked.caller
    )
    return {"models": [_logged_out(one) for one in found]}


def create_registered_model(asked: Asked) -> dict[str, Any]:
    made = asked.services.registry.register(
        asked.project,
        asked.body.get("name"),
        description=asked.text("description"),
        tags=asked.pairs("tags"),
        by=asked.caller,
    )
    return {"registered_model": _registered_out(asked, made)}


def get_registered_model(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.registered(asked.project, asked.body.get("name"), by=asked.caller)
    return {"registered_model": _registered_out(asked, found)}


def search_registered_models(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.all_registered(asked.project, by=asked.caller)
    return {"registered_models": [_registered_out(asked, one) for one in found]}


def latest_versions(asked: Asked) -> dict[str, Any]:
    home = asked.services.registry.registered(asked.project, asked.body.get("name"), by=asked.caller)
    found = asked.services.registry.versions(asked.project, home.name, by=asked.caller)
    return {"model_versions": [_version_out(one) for one in found[:1]]}


def create_version(asked: Asked) -> dict[str, Any]:
    made = asked.services.registry.add_version(
        asked.project, asked.body.get("name"), source=asked.text("source"), run_id=asked.text("run_id"), model_id=asked.text("model_id"),
        description=asked.text("description"), tags=asked.pairs("tags"), by=asked.caller,
    )  # fmt: skip
    return {"model_version": _version_out(made)}


def get_version(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.version(
        asked.project, asked.body.get("name"), asked.body.get("version"), by=asked.caller
    )
    return {"model_version": _version_out(found)}


def update_version(asked: Asked) -> dict[str, Any]:
    changed = asked.services.registry.change_version(
        asked.project,
        asked.body.get("name"),
        asked.body.get("version"),
        description=asked.text("description"),
        by=asked.caller,
    )
    return {"model_version": _version_out(changed)}


def tag_version(asked: Asked) -> dict[str, Any]:
    asked.services.registry.change_version(
        asked.project,
        asked.body.get("name"),
        asked.body.get("version"),
        tags={asked.text("key"): asked.text("value")},
        by=asked.caller,
    )
    return {}


def search_versions(asked: Asked) -> dict[str, Any]:
    """All of the project, narrowed to the name or run that the filter asks for."""
    found = asked.services.registry.versions(asked.project, by=asked.caller)
    wanted = asked.text("filter")
    for field in ("name", "run_id"):
        _, asks, rest = wanted.partition(f"{field}=")
        if asks and (value := rest.strip("' ").split("'")[0]):
            found = [one for one in found if value == (one.name if field == "name" else one.run)]
    return {"model_versions": [_version_out(one) for one in found]}


def download_uri(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.version(
        asked.project, asked.body.get("name"), asked.body.get("version"), by=asked.caller
    )
    model = asked.services.registry.logged(asked.project, found.model_id, by=asked.caller)
    return {"artifact_uri": f"mlflow-artifacts:/{model.experiment}/models/{model.id}/artifacts"}


def set_alias(asked: Asked) -> dict[str, Any]:
    asked.services.registry.set_alias(
        asked.project, asked.body.get("name"), asked.body.get("alias"), asked.body.get("version"), by=asked.caller
    )
    return {}


def get_alias(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.aliased(
        asked.project, asked.body.get("name"), asked.body.get("alias"), by=asked.caller
    )
    return {"model_version": _version_out(found)}


def drop_alias(asked: Asked) -> dict[str, Any]:
    asked.services.registry.drop_alias(asked.project, asked.body.get("name"), asked.body.get("alias"), by=asked.caller)
    return {}


MODEL_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/logged-models"): create_logged_model,
    ("POST", "/logged-models/search"): search_logged_models,
    ("GET", "/logged-models/{model}"): get_logged_model,
    ("PATCH", "/logged-models/{model}"): finish_logged_model,
    ("PATCH", "/logged-models/{model}/tags"): tag_logged_model,
    ("POST", "/logged-models/{model}/params"): params_of_logged_model,
    ("POST", "/registered-models/create"): create_registered_model,
    ("GET", "/registered-models/get"): get_registered_model,
    ("GET", "/registered-models/search"): search_registered_models,
    ("POST", "/registered-models/get-latest-versions"): latest_versions,
    ("POST", "/registered-models/alias"): set_alias,
    ("GET", "/registered-models/alias"): get_alias,
    ("DELETE", "/registered-models/alias"): drop_alias,
    ("POST", "/model-versions/create"): create_version,
    ("GET", "/model-versions/get"): get_version,
    ("PATCH", "/model-versions/update"): update_version,
    ("POST", "/model-versions/set-tag"): tag_version,
    ("GET", "/model-versions/search"): search_versions,
    ("GET", "/model-versions/get-download-uri"): download_uri,
}
