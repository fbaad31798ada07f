"""Fields in YAML that others wrote: plain values only, and nothing that grows when it is read."""

from typing import Any

import yaml

from fabriek.kernel.errors import InvalidInput

DEPTH_MAX = 20
NODES_MAX = 5_000
"""A file of a quarter of a megabyte that is all brackets would take ten seconds."""


class _Loader(yaml.SafeLoader):
    """Without references back, by which a few lines become gigabytes; not deep, and not of very many parts."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        if self.check_event(yaml.AliasEvent) or self.depth > DEPTH_MAX or self.nodes > NODES_MAX:
            raise yaml.YAMLError("a reference back, too deep, or too much")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read_fields(text: str, what: str) -> dict[str, Any]:
    """what: for the sentence that refuses it. Raises InvalidInput."""
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader, made narrower
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise InvalidInput(f"{what} is not YAML that we read") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidInput(f"{what} is no list of fields")
    return {str(name): value for name, value in found.items()}
