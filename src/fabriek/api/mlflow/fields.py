"""How calls on the registry read what they were asked, and page what they answer: refusals are in MLflow's own words."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from fabriek.api.mlflow.asked import Asked
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.registry.parts import Page

T = TypeVar("T")


def required(asked: Asked, name: str) -> str:
    """Raises InvalidInput when the field is absent, empty, or no text."""
    value = asked.body.get(name)
    if value is None or value == "":
        raise InvalidInput(
            f"Missing value for required parameter '{name}'. See the API docs for more information about request parameters."
        )
    if not isinstance(value, str):
        raise InvalidInput(
            f"Invalid value {json.dumps(value)[:100]} for parameter '{name}' supplied:  Hint: Value was of type "
            f"'{type(value).__name__}'. See the API docs for more information about request parameters."
        )
    return value


def pages(
    asked: Asked, kind: str, *, most: int, default: int, search: Callable[[int, int], Page[T]], out: Callable[[T], Any]
) -> dict[str, Any]:
    """`{kind: [...], next_page_token}`. search: from (limit, offset). A token is of one search in one project and of no other."""
    limit = asked.number("max_results", default)
    if limit < 1:
        raise InvalidInput(f"Invalid value for max_results. It must be a positive integer, but got {limit}")
    if limit > most:
        raise InvalidInput(
            f"Invalid value for request parameter max_results. It must be at most {most}, but got value {limit}"
        )
    told = [asked.body.get(name) for name in ("filter", "order_by", "experiment_ids", "datasets")]
    scope = f"{kind}:{asked.project}:{hashlib.sha256(json.dumps(told).encode()).hexdigest()}"
    offset = int(asked.services.cursors.read(scope, asked.text("page_token")) or 0)
    found = search(limit, offset)
    answer: dict[str, Any] = {kind: [out(one) for one in found.items]} if found.items else {}
    if found.following:
        answer["next_page_token"] = asked.services.cursors.write(scope, str(found.following))
    return answer
