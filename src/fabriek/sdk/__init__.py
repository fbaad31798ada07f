"""The client of a factory: typed, synchronous. `Fabriek` is the door; one file per area behind it."""

from fabriek.sdk.client import Client
from fabriek.sdk.environment import Context, read_context
from fabriek.sdk.facade import Fabriek

__all__ = ["Client", "Context", "Fabriek", "read_context"]
