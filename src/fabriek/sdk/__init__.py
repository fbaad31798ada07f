"""The client of a factory: typed, synchronous. `Fabriek` is the door; one file per area behind it."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabriek.sdk.client import Client
    from fabriek.sdk.environment import Context, read_context
    from fabriek.sdk.facade import Fabriek

# httpx loads its own command line where rich is installed: 60 ms of every command of ours.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None says that there is no such module

__all__ = ["Client", "Context", "Fabriek", "read_context"]

_HOMES = {"Client": "client", "Context": "environment", "Fabriek": "facade", "read_context": "environment"}


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: the server reads the context file and needs no HTTP client."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
