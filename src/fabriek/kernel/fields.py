"""Fields in YAML that others wrote, alone or at the head of a card: plain values only, and nothing that grows when it is read."""

import re
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
    nodes_max = NODES_MAX

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        if self.check_event(yaml.AliasEvent) or self.depth > DEPTH_MAX or self.nodes > self.nodes_max:
            raise yaml.YAMLError("a reference back, too deep, or too much")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _LongLoader(_Loader):
    """For what names its score on each of a hundred tests, as models that turn texts into vectors do."""

    nodes_max = 8 * NODES_MAX


_HEAD = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def split_head(text: str) -> tuple[str | None, str]:
    """(what stands between the lines of three dashes at the beginning of a card, what follows it); None where there is no such head."""
    found = _HEAD.match(text)
    return (None, text) if found is None else (found[1], text[found.end() :])


def read_fields(text: str, what: str, *, long: bool = False) -> dict[str, Any]:
    """what: for the sentence that refuses it. long: whether it may have eight times as many parts. Raises InvalidInput."""
    try:
        found = yaml.load(text, Loader=_LongLoader if long else _Loader)  # noqa: S506  # a SafeLoader, made narrower
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise InvalidInput(f"{what} is not YAML that we read") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidInput(f"{what} is no list of fields")
    return {str(name): value for name, value in found.items()}
