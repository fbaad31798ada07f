"""MLflow's calls on experiments: method and path → what is answered."""

from collections.abc import Callable
from typing import Any

from fabriek.api.mlflow.asked import Asked
from fabriek.api.mlflow.said import experiment_out
from fabriek.kernel.errors import InvalidInput

SEARCH_DEFAULT = 1_000
SEARCH_MAX = 50_000


def create(asked: Asked) -> dict[str, Any]:
    """Where artifacts lie is the factory's to say: a place that a user names is refused, in whatever spelling."""
    name, place = asked.needed("name"), asked.text("artifact_location")
    if place:
        raise InvalidInput(
            f"Invalid value '{place[:100]}' for parameter 'artifact_location' supplied: "
            "artifacts are kept, sealed, by this server; leave it out"
        )
    made = asked.services.lab.create_experiment(asked.project, name, asked.pairs("tags"), by=asked.caller)
    return {"experiment_id": made.id}


def get(asked: Asked) -> dict[str, Any]:
    found = asked.services.lab.experiment(asked.project, _wanted(asked), by=asked.caller)
    return {"experiment": experiment_out(found)}


def get_by_name(asked: Asked) -> dict[str, Any]:
    found = asked.services.lab.experiment_named(asked.project, asked.needed("experiment_name"), by=asked.caller)
    return {"experiment": experiment_out(found)}


def search(asked: Asked) -> dict[str, Any]:
    size, start = asked.page("experiments", SEARCH_DEFAULT, SEARCH_MAX)
    found = asked.services.lab.experiments(
        asked.project, view=asked.view("view_type"), filter_text=asked.text("filter"), order_by=asked.texts("order_by"), by=asked.caller
    )  # fmt: skip
    answer: dict[str, Any] = {"experiments": [experiment_out(one) for one in found[start : start + size]]}
    if start + size < len(found):
        answer["next_page_token"] = asked.next_page("experiments", start + size)
    return answer


def update(asked: Asked) -> dict[str, Any]:
    name = asked.needed("new_name")
    asked.services.lab.rename_experiment(asked.project, _wanted(asked), name, by=asked.caller)
    return {}


def delete(asked: Asked) -> dict[str, Any]:
    asked.services.lab.delete_experiment(asked.project, _wanted(asked), by=asked.caller)
    return {}


def restore(asked: Asked) -> dict[str, Any]:
    asked.services.lab.restore_experiment(asked.project, _wanted(asked), by=asked.caller)
    return {}


def set_tag(asked: Asked) -> dict[str, Any]:
    asked.services.lab.tag_experiment(
        asked.project, _wanted(asked), asked.needed("key"), asked.text("value"), by=asked.caller
    )
    return {}


def delete_tag(asked: Asked) -> dict[str, Any]:
    asked.services.lab.untag_experiment(asked.project, _wanted(asked), asked.needed("key"), by=asked.caller)
    return {}


def _wanted(asked: Asked) -> str:
    return asked.experiment_id or asked.needed("experiment_id")


EXPERIMENT_CALLS: dict[tuple[str, str], Callable[[Asked], dict[str, Any]]] = {
    ("POST", "/experiments/create"): create,
    ("GET", "/experiments/get"): get,
    ("GET", "/experiments/get-by-name"): get_by_name,
    ("POST", "/experiments/search"): search,
    ("GET", "/experiments/search"): search,
    ("POST", "/experiments/update"): update,
    ("POST", "/experiments/delete"): delete,
    ("POST", "/experiments/restore"): restore,
    ("POST", "/experiments/set-experiment-tag"): set_tag,
    ("POST", "/experiments/delete-experiment-tag"): delete_tag,
}
