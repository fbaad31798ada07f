"""An application on paper: a tagged PDF, the same bytes for the same answers."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fabriek.adapters.typesetting import typeset


def printed(document: Mapping[str, Any]) -> bytes:
    """The PDF of a document of `exporting`. Raises Unavailable where too many print at once. Slow: never inside a transaction."""
    return typeset(_template(), "application", document)


@cache
def _template() -> bytes:
    return files("fabriek.access.applying").joinpath("data", "application.typ").read_bytes()
