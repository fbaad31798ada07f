"""What giving needs kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from fabriek.funding.giving.quarters import Quarter
from fabriek.funding.resources import Resource


class Entitlements(Protocol):
    """Storage of what each quarter has brought, and of which quarters are closed. Every change joins the transaction that is open."""

    def brought(self, quarter: Quarter, resource: Resource) -> Mapping[str, int]:
        """Contribution → micro-units."""

    def bring(self, quarter: Quarter, contribution: str, resource: Resource, amount_micro: int) -> None:
        """What the quarter has brought in all."""

    def open_before(self, quarter: Quarter) -> Sequence[Quarter]:
        """Quarters that brought something and are not closed, the oldest first."""

    def is_closed(self, quarter: Quarter) -> bool: ...

    def close(self, quarter: Quarter) -> None: ...
