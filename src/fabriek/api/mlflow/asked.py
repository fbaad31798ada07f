"""One call in the MLflow dialect, and how its fields are read: a field of another kind is refused in MLflow's own words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.metrics import INTEGER_MAX
from fabriek.lab.names import invalid, missing
from fabriek.lab.runs import View
from fabriek.web.services import Services

EXACT_MAX = 2.0**53
"""From here on a number with a point stands for several whole ones, and a reader of JSON makes one of what has more than 64 bits."""

VIEWS = {"1": View.ACTIVE, "2": View.DELETED, "3": View.ALL} | {str(one): one for one in View}


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: who, in which project, with what."""

    services: Services
    caller: Caller
    project: str
    body: Mapping[str, Any]
    path: Mapping[str, str]

    def text(self, name: str) -> str:
        """A field as text; empty when it is absent. Raises InvalidInput in MLflow's words when it is of another kind."""
        value = self.body.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise invalid(name, value)
        return value

    def needed(self, name: str) -> str:
        """The same of one that must be there."""
        value = self.text(name)
        if not value:
            raise missing(name)
        return value

    @property
    def experiment_id(self) -> str:
        """A number as text; older clients send it as a number."""
        value = self.body.get("experiment_id")
        return str(value) if type(value) is int else self.text("experiment_id")

    def number(self, name: str, default: int = 0) -> int:
        value = self.body.get(name)
        return default if value is None else whole(value, name)

    def items(self, name: str) -> list[Any]:
        value = self.body.get(name) or []
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            raise invalid(name, value)
        return value

    def texts(self, name: str) -> list[str]:
        values = self.items(name)
        for one in values:
            if not isinstance(one, str | int) or isinstance(one, bool):
                raise invalid(name, values)
        return [str(one) for one in values]

    def pairs(self, name: str) -> dict[str, str]:
        """`[{"key": …, "value": …}]` as a mapping; of two with one key the last counts."""
        made: dict[str, str] = {}
        for number, one in enumerate(self.items(name)):
            if not isinstance(one, dict):
                raise invalid(name, one)
            if not isinstance(one.get("key"), str) or not one["key"]:
                raise (
                    missing(f"{name}[{number}].key")
                    if not one.get("key")
                    else invalid(f"{name}[{number}].key", one["key"])
                )
            value = one.get("value")
            made[one["key"]] = value if isinstance(value, str) else "" if value is None else str(value)
        return made

    def view(self, name: str) -> View:
        """Of which stage of life they are asked for: those that are there, unless it is said."""
        value = self.body.get(name)
        if value in {None, "", 0, "0"}:
            return View.ACTIVE
        if str(value) not in VIEWS:
            raise invalid(name, value)
        return VIEWS[str(value)]

    @property
    def run_id(self) -> Any:
        """The run that is meant; older clients call it `run_uuid`."""
        return self.body.get("run_id") or self.body.get("run_uuid")

    def page(self, scope: str, most: int, limit: int) -> tuple[int, int]:
        """(how many, from which on): the size and the token of a page. Raises InvalidInput."""
        size = self.number("max_results", most)
        if size < 1 or size > limit:
            raise InvalidInput(
                f"Invalid value {size} for parameter 'max_results' supplied. It must be at least 1 and at most {limit}"
            )
        token = self.text("page_token")
        return size, int(self.services.cursors.read(f"{scope}:{self.project}", token) or 0) if token else 0

    def next_page(self, scope: str, start: int) -> str:
        return self.services.cursors.write(f"{scope}:{self.project}", str(start))


def whole(raw: Any, name: str) -> int:
    """A whole number of 64 bits, also as text: JSON of 64 bits is often that. Raises InvalidInput."""
    if isinstance(raw, bool) or (isinstance(raw, float) and not (raw.is_integer() and abs(raw) < EXACT_MAX)):
        raise invalid(name, raw)
    if isinstance(raw, str) and len(raw) > len(str(INTEGER_MAX)) + 1:
        raise invalid(name, raw)
    try:
        number = int(raw)
    except (TypeError, ValueError, OverflowError):
        raise invalid(name, raw if isinstance(raw, str | float) else json.dumps(raw, default=str)) from None
    if not -INTEGER_MAX - 1 <= number <= INTEGER_MAX:
        raise invalid(name, raw)
    return number
