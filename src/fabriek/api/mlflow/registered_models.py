"""MLflow's calls on registered models and aliases: method and path → what is answered."""

from collections.abc import Callable
from typing import Any

from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.fields import pages, required
from fabriek.api.mlflow.model_versions import version_out
from fabriek.api.mlflow.said import milliseconds, tag_list
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.registry.models import ModelVersion, RegisteredModel
from fabriek.lab.registry.parts import Page

SEARCH_MAX, SEARCH_DEFAULT = 1_000, 100
STAGES = ("None", "Staging", "Production", "Archived")


def _registered_out(model: RegisteredModel, newest: ModelVersion | None) -> dict[str, Any]:
    return {
        "name": model.name, "creation_timestamp": milliseconds(model.created_at), "last_updated_timestamp": milliseconds(model.changed_at),
        "description": model.description, "tags": tag_list(model.tags), "latest_versions": [version_out(newest)] if newest else [],
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in sorted(model.aliases.items())],
    }  # fmt: skip


def _one(asked: Asked, model: RegisteredModel) -> dict[str, Any]:
    newest = asked.services.registry.model_versions.newest(asked.project, [model.name], by=asked.caller)
    return {"registered_model": _registered_out(model, newest.get(model.name))}


def create(asked: Asked) -> dict[str, Any]:
    made = asked.services.registry.register(
        asked.project, required(asked, "name"), description=asked.text("description"), tags=asked.pairs("tags"), by=asked.caller
    )  # fmt: skip
    return _one(asked, made)


def get(asked: Asked) -> dict[str, Any]:
    return _one(asked, asked.services.registry.registered(asked.project, required(asked, "name"), by=asked.caller))


def search(asked: Asked) -> dict[str, Any]:
    registry = asked.services.registry
    newest: dict[str, ModelVersion] = {}

    def found(limit: int, offset: int) -> Page[RegisteredModel]:
        page = registry.search(
            asked.project, filter_text=asked.text("filter"), order_by=asked.texts("order_by"), limit=limit, offset=offset,
            by=asked.caller,
        )  # fmt: skip
        newest.update(registry.model_versions.newest(asked.project, [one.name for one in page.items], by=asked.caller))
        return page

    return pages(
        asked, "registered_models", most=SEARCH_MAX, default=SEARCH_DEFAULT, search=found,
        out=lambda one: _registered_out(one, newest.get(one.name)),
    )  # fmt: skip


def change(asked: Asked) -> dict[str, Any]:
    changed = asked.services.registry.change(
        asked.project, required(asked, "name"), description=asked.text("description"), by=asked.caller
    )
    return _one(asked, changed)


def rename(asked: Asked) -> dict[str, Any]:
    renamed = asked.services.registry.rename(
        asked.project, required(asked, "name"), required(asked, "new_name"), by=asked.caller
    )
    return _one(asked, renamed)


def delete(asked: Asked) -> dict[str, Any]:
    asked.services.registry.unregister(asked.project, required(asked, "name"), by=asked.caller)
    return {}


def set_tag(asked: Asked) -> dict[str, Any]:
    asked.services.registry.change(
        asked.project, required(asked, "name"), tags={required(asked, "key"): asked.text("value")}, by=asked.caller
    )
    return {}


def delete_tag(asked: Asked) -> dict[str, Any]:
    asked.services.registry.change(
        asked.project, required(asked, "name"), dropped=[required(asked, "key")], by=asked.caller
    )
    return {}


def latest_versions(asked: Asked) -> dict[str, Any]:
    """By stage, and here every version is in the stage `None`."""
    registry = asked.services.registry
    home = registry.registered(asked.project, required(asked, "name"), by=asked.caller)
    stages = asked.texts("stages")
    for one in stages:
        if one.lower() not in {stage.lower() for stage in STAGES}:
            raise InvalidInput(f"Invalid Model Version stage: {one[:100]}. Value must be one of {', '.join(STAGES)}.")
    found = registry.model_versions.newest(asked.project, [home.name], by=asked.caller)
    if not found or (stages and "none" not in {one.lower() for one in stages}):
        return {}
    version = found[home.name]
    return {"model_versions": [version_out(version, home)]}


def set_alias(asked: Asked) -> dict[str, Any]:
    asked.services.registry.set_alias(
        asked.project, required(asked, "name"), required(asked, "alias"), asked.body.get("version"), by=asked.caller
    )
    return {}


def get_alias(asked: Asked) -> dict[str, Any]:
    registry = asked.services.registry
    home = registry.registered(asked.project, required(asked, "name"), by=asked.caller)
    try:
        found = registry.aliased(asked.project, home.name, required(asked, "alias"), by=asked.caller)
    except NotFound as error:
        if not error.detail.startswith("Registered model alias"):
            raise
        raise InvalidInput(error.detail) from None  # MLflow's word for an alias that is not there
    return {"model_version": version_out(found, home)}


def delete_alias(asked: Asked) -> dict[str, Any]:
    asked.services.registry.drop_alias(
        asked.project, required(asked, "name"), required(asked, "alias"), by=asked.caller
    )
    return {}


REGISTERED_MODEL_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/registered-models/create"): create,
    ("GET", "/registered-models/get"): get,
    ("GET", "/registered-models/search"): search,
    ("PATCH", "/registered-models/update"): change,
    ("POST", "/registered-models/rename"): rename,
    ("DELETE", "/registered-models/delete"): delete,
    ("POST", "/registered-models/set-tag"): set_tag,
    ("DELETE", "/registered-models/delete-tag"): delete_tag,
    ("POST", "/registered-models/get-latest-versions"): latest_versions,
    ("GET", "/registered-models/get-latest-versions"): latest_versions,
    ("POST", "/registered-models/alias"): set_alias,
    ("GET", "/registered-models/alias"): get_alias,
    ("DELETE", "/registered-models/alias"): delete_alias,
}
