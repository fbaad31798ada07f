"""What assurance needs kept."""

from contextlib import AbstractContextManager
from typing import Protocol


class Statements(Protocol):
    """Storage of signed statements, one for a job."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, job: str, envelope: str) -> None: ...

    def of_job(self, job: str) -> str:
        """The envelope; empty when there is none."""
