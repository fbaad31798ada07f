"""One call in the MLflow dialect, and how its fields are read: a field of another kind is refused in MLflow's own words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput
from fabriek.web.services import Services


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
            raise InvalidInput(f"Invalid value {json.dumps(value)[:100]} for parameter '{name}' supplied")
        return value

    def number(self, name: str, default: int = 0) -> int:
        value = self.body.get(name, default)
        try:
            return int(value if value is not None else default)
        except (TypeError, ValueError, OverflowError):
            raise InvalidInput(f"Invalid value {str(value)[:100]} for parameter '{name}' supplied") from None

    def items(self, name: str) -> list[Any]:
        value = self.body.get(name) or []
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            raise InvalidInput(f"Invalid value {json.dumps(value)[:100]} for parameter '{name}' supplied")
        return value

    def pairs(self, name: str) -> dict[str, str]:
        """`[{"key": …, "value": …}]` as a mapping."""
        made: dict[str, str] = {}
        for one in self.items(name):
            if not isinstance(one, dict) or not isinstance(one.get("key"), str):
                raise InvalidInput(f"Invalid value for parameter '{name}' supplied: each needs a key and a value")
            value = one.get("value")
            made[one["key"]] = value if isinstance(value, str) else "" if value is None else str(value)
        return made
