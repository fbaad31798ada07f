"""What applications need kept."""

from collections.abc import Sequence
from typing import Protocol

from fabriek.access.applying.applications import Application


class Applications(Protocol):
    """Storage of applications."""

    def add(self, application: Application) -> None: ...

    def get(self, application_id: str) -> Application:
        """Raises NotFound."""

    def save(self, application: Application) -> None: ...

    def of_organisation(self, organisation: str) -> Sequence[Application]:
        """Newest first; empty organisation: all."""
