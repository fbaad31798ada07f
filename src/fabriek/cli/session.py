"""The connection that a command works over."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabriek.sdk import Fabriek


def connect(project: str = "") -> "Fabriek":
    """The factory of the variables or the context file; `project` overrides the one of the context."""
    from fabriek.sdk import Fabriek  # noqa: PLC0415  # httpx and the schemas cost 200 ms that help should not pay

    return Fabriek.from_environment(project=project)
