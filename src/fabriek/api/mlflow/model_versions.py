"""MLflow's calls on model versions: method and path → what is answered."""

from collections.abc import Callable
from typing import Any

from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.fields import pages, required
from fabriek.api.mlflow.said import milliseconds, tag_list
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.registry.models import ModelVersion, RegisteredModel
from fabriek.lab.registry.parts import Page

SEARCH_MAX, SEARCH_DEFAULT = 200_000, 10_000


def version_out(one: ModelVersion, home: RegisteredModel | None = None) -> dict[str, Any]:
    """With its aliases where the registered model is given: MLflow says them of one version, and not in lists."""
    aliases = sorted(alias for alias, number in home.aliases.items() if number == one.number) if home else []
    return {
        "name": one.name, "version": str(one.number), "creation_timestamp": milliseconds(one.created_at),
        "last_updated_timestamp": milliseconds(one.changed_at), "description": one.description, "current_stage": "None",
        "source": one.source, "run_id": one.run, "run_link": one.run_link, "model_id": one.model_id, "user_id": one.person,
        "status": "READY", "tags": tag_list(one.tags), "aliases": aliases,
    }  # fmt: skip


def _one(asked: Asked, version: ModelVersion) -> dict[str, Any]:
    home = asked.services.registry.registered(asked.project, version.name, by=asked.caller)
    return {"model_version": version_out(version, home)}


def _number(asked: Asked) -> Any:
    return asked.body.get("version")


def create(asked: Asked) -> dict[str, Any]:
    made = asked.services.registry.model_versions.add(
        asked.project, required(asked, "name"), source=required(asked, "source"), run_id=asked.text("run_id"),
        model_id=asked.text("model_id"), description=asked.text("description"), tags=asked.pairs("tags"),
        run_link=asked.text("run_link"), by=asked.caller,
    )  # fmt: skip
    return _one(asked, made)


def get(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.model_versions.get(
        asked.project, required(asked, "name"), _number(asked), by=asked.caller
    )
    return _one(asked, found)


def search(asked: Asked) -> dict[str, Any]:
    def found(limit: int, offset: int) -> Page[ModelVersion]:
        return asked.services.registry.model_versions.search(
            asked.project, filter_text=asked.text("filter"), order_by=asked.texts("order_by"), limit=limit, offset=offset,
            by=asked.caller,
        )  # fmt: skip

    return pages(asked, "model_versions", most=SEARCH_MAX, default=SEARCH_DEFAULT, search=found, out=version_out)


def change(asked: Asked) -> dict[str, Any]:
    changed = asked.services.registry.model_versions.change(
        asked.project, required(asked, "name"), _number(asked), description=asked.text("description"), by=asked.caller
    )
    return _one(asked, changed)


def delete(asked: Asked) -> dict[str, Any]:
    asked.services.registry.model_versions.delete(
        asked.project, required(asked, "name"), _number(asked), by=asked.caller
    )
    return {}


def set_tag(asked: Asked) -> dict[str, Any]:
    tags = {required(asked, "key"): asked.text("value")}
    asked.services.registry.model_versions.change(
        asked.project, required(asked, "name"), _number(asked), tags=tags, by=asked.caller
    )
    return {}


def delete_tag(asked: Asked) -> dict[str, Any]:
    asked.services.registry.model_versions.drop_tag(
        asked.project, required(asked, "name"), _number(asked), required(asked, "key"), by=asked.caller
    )
    return {}


def transition_stage(asked: Asked) -> dict[str, Any]:
    """MLflow itself gave stages up for aliases; a call for the stage that every version is in changes nothing."""
    found = asked.services.registry.model_versions.get(
        asked.project, required(asked, "name"), _number(asked), by=asked.caller
    )
    stage = required(asked, "stage")
    if stage.lower() == "none":
        return _one(asked, found)
    raise InvalidInput(
        f"Model version stages are not kept here, so that '{stage[:100]}' cannot be set. Use an alias instead: "
        f"MlflowClient().set_registered_model_alias('{found.name}', '{stage[:100].lower()}', '{found.number}')"
    )


def download_uri(asked: Asked) -> dict[str, Any]:
    found = asked.services.registry.model_versions.get(
        asked.project, required(asked, "name"), _number(asked), by=asked.caller
    )
    return {"artifact_uri": f"mlflow-artifacts:/{found.place}" if found.place else found.source}


MODEL_VERSION_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/model-versions/create"): create,
    ("GET", "/model-versions/get"): get,
    ("GET", "/model-versions/search"): search,
    ("PATCH", "/model-versions/update"): change,
    ("DELETE", "/model-versions/delete"): delete,
    ("POST", "/model-versions/set-tag"): set_tag,
    ("DELETE", "/model-versions/delete-tag"): delete_tag,
    ("POST", "/model-versions/transition-stage"): transition_stage,
    ("GET", "/model-versions/get-download-uri"): download_uri,
}
