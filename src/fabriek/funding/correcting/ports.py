"""What correcting needs kept."""

from collections.abc import Sequence
from typing import Protocol

from fabriek.funding.correcting.charges import Correction


class Corrections(Protocol):
    """Storage of why charges were set right. Nothing is ever changed or removed."""

    def add(self, correction: Correction) -> None: ...

    def of(self, corrected: str) -> Sequence[Correction]:
        """Of one charge, the oldest first."""
